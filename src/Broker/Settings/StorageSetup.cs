using Broker.Background;
using Broker.Engine;
using Broker.Operations;
using Broker.Security;
using Broker.Startup;
using Broker.Storage;
using Broker.Storage.Contracts;

namespace Broker.Settings;

/// <summary>Registers everything that needs the database: stores, engine, scheduler and readiness.</summary>
internal static class StorageSetup
{
    public static IServiceCollection AddBrokerStorage(this IServiceCollection services, BrokerSettings settings)
    {
        services.AddBrokerStorage(settings.ToStorageOptions());
        services.AddSingleton<ICredentialCipher>(provider => CredentialCipher.Create(provider, settings, settings.Target()));
        services.AddSingleton<IStartStep, SchemaStartup>();
        services.AddSingleton<IReadiness, StoreReadiness>();
        services.AddSingleton<BacklogGate>();
        services.AddSingleton<OperatorHolds>();
        services.AddSingleton<IStartStep, HoldStartup>();
        services.AddSingleton<BrokerEngine>();
        return services.AddBackgroundServices(settings);
    }

    public static StorageOptions ToStorageOptions(this BrokerSettings settings) => new(settings.Target(), settings.DefaultLeaseSecs, settings.Lanes)
    {
        LogBytes = settings.Limits.LogBytes,
        Versions = settings.Limits.Versions,
        Accelerators = settings.Storage.Accelerators,
    };

    public static DatabaseTarget Target(this BrokerSettings settings) => DatabaseUrl.TryParse(settings.DatabaseUrl, out var target, out var problem)
        ? target
        : throw new InvalidOperationException($"DATABASE_URL: {problem}");
}

/// <summary>Migrates, or checks the schema, before anything else of the start.</summary>
internal sealed class SchemaStartup(ISchema schema, BrokerSettings settings) : IStartStep
{
    public Task RunAsync(CancellationToken ct) => settings.MigrateAtStart ? schema.MigrateAsync(ct) : schema.CheckAsync(ct);
}

internal sealed class StoreReadiness(IStoreHealth health) : IReadiness
{
    public Task<string?> FaultAsync(CancellationToken ct) => health.FaultAsync(ct);
}
