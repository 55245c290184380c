using Broker.Settings;
using Broker.Storage;
using Broker.Storage.Schema;

namespace Broker.Operations.Commands;

/// <summary><c>broker migrate</c>: brings the schema up to date and ends. For roles that may change tables, where those that run may not.</summary>
internal static class MigrateCommand
{
    public const string Word = "migrate";

    /// <summary>0 when the schema is up to date, 1 when it could not be brought there.</summary>
    public static async Task<int> RunAsync(BrokerSettings settings, TextWriter output, TextWriter errors)
    {
        await using var provider = Provider(settings);
        try
        {
            var applied = await provider.GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);
            await output.WriteLineAsync(applied.Count == 0
                ? "The database has all migrations."
                : $"Applied {applied.Count} {(applied.Count == 1 ? "migration" : "migrations")}: {string.Join(", ", applied)}.");
            return 0;
        }
        catch (Exception fault)
        {
            await errors.WriteLineAsync($"The database could not be migrated: {fault.Message}");
            return 1;
        }
    }

    private static ServiceProvider Provider(BrokerSettings settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton(TimeProvider.System);
        services.AddLogging();
        services.AddBrokerStorage(settings.ToStorageOptions());
        return services.BuildServiceProvider();
    }
}
