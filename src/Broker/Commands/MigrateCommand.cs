using System.CommandLine;
using Broker.Startup;
using Broker.Storage.Contracts;

namespace Broker.Commands;

/// <summary>Brings the schema up to date and ends. Migrates with a role that may change tables, where the brokers' role may not.</summary>
internal static class MigrateCommand
{
    public static Command Create(string[] settings)
    {
        var command = new Command("migrate", "Bring the database's schema up to date");
        command.SetAction((line, ct) => RunAsync(settings, line.InvocationConfiguration.Output, line.InvocationConfiguration.Error, ct));
        return command;
    }

    private static async Task<int> RunAsync(string[] settings, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        if (await CommandSettings.ReadAsync(settings, errors) is not { } setup) return 1;
        try
        {
            await using var services = CommandStores.Of(setup.Settings);
            var applied = await services.GetRequiredService<ISchema>().MigrateAsync(ct);
            await output.WriteLineAsync(applied.Count == 0
                ? "The database has all migrations."
                : $"Applied {applied.Count} {(applied.Count == 1 ? "migration" : "migrations")}: {string.Join(", ", applied)}.");
            return 0;
        }
        catch (Exception fault) when (StartFaults.MessageOf(fault, setup.Settings) is { } message)
        {
            await errors.WriteLineAsync($"The database could not be migrated: {message}");
            return 1;
        }
    }
}
