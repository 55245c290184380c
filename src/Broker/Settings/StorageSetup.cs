using Broker.Background;
using Broker.Engine;
using Broker.Operations;
using Broker.Security;
using Broker.Storage;
using Broker.Storage.Lanes;
using Broker.Storage.Schema;

namespace Broker.Settings;

/// <summary>The one place where the host meets the database: stores, engine, scheduler and what tells readiness.</summary>
internal static class StorageSetup
{
    public static IServiceCollection AddBrokerStorage(this IServiceCollection services, BrokerSettings settings)
    {
        services.AddBrokerStorage(settings.ToStorageOptions());
        services.AddSingleton<ICredentialCipher>(provider => CredentialCipher.Create(provider, settings, settings.Target()));
        services.AddHostedService<SchemaStartup>();
        services.AddSingleton<IReadiness, SchemaReadiness>();
        services.AddSingleton<BacklogGate>();
        services.AddSingleton<BrokerEngine>();
        return services.AddBackgroundServices(settings);
    }

    public static StorageOptions ToStorageOptions(this BrokerSettings settings) => new(settings.Target(), settings.DefaultLeaseSecs, settings.Lanes);

    public static DatabaseTarget Target(this BrokerSettings settings) => DatabaseUrl.TryParse(settings.DatabaseUrl, out var target, out var problem)
        ? target
        : throw new InvalidOperationException($"DATABASE_URL: {problem}");
}

/// <summary>Migrates before anything else starts and before the port opens; waits a while for a database that starts beside us.</summary>
internal sealed partial class SchemaStartup(Migrator migrator, BrokerSettings settings, TimeProvider clock, ILogger<SchemaStartup> log) : IHostedLifecycleService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            try
            {
                if (settings.MigrateAtStart) await migrator.MigrateAsync(cancellationToken);
                else await migrator.CheckAsync(cancellationToken);
                return;
            }
            catch (Exception fault) when (fault is not (OperationCanceledException or InvalidOperationException) && clock.GetElapsedTime(began) < Patience)
            {
                LogWaiting(log, fault.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken);
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database is not to be had yet ({Reason}); trying again")]
    private static partial void LogWaiting(ILogger logger, string reason);
}

internal sealed class SchemaReadiness(Migrator migrator, StoreHealth health, CommitProbe commits) : IReadiness
{
    public async Task<string?> FaultAsync(CancellationToken ct) =>
        health.CannotWrite ? "The database cannot write." : await migrator.FaultAsync(ct) ?? await commits.FaultAsync(ct);
}
