using Broker.Storage.Schema;

namespace Broker.Commands;

/// <summary>Brings the schema up to date and ends. For roles that may change tables, where those that run may not.</summary>
internal sealed class MigrateCommand : ICommand
{
    public string Word => "migrate";

    public string Usage => "migrate                                bring the database's schema up to date";

    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        if (await CommandSettings.ReadAsync(args, errors) is not { } setup) return 1;

        await using var services = CommandStores.Of(setup.Settings);
        try
        {
            var applied = await services.GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);
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
}
