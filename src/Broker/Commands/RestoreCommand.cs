using System.CommandLine;
using Broker.Cli;
using Broker.Settings;
using Broker.Startup;
using Broker.Storage;
using Broker.Storage.Contracts;

namespace Broker.Commands;

/// <summary>Ends a restore: begins a new epoch on PostgreSQL; on SQLite it puts the backup in place first.</summary>
internal static class RestoreCommand
{
    public static Command Create(string[] settings)
    {
        var file = new Argument<string?>("FILE") { Description = "SQLite: the backup; PostgreSQL: none, run pg_restore before", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("restore", "Begin a new epoch after a restore, so that running brokers drop what they remember") { file };
        command.SetAction((line, ct) =>
            RunAsync(settings, line.GetValue(file), line.InvocationConfiguration.Output, line.InvocationConfiguration.Error, ct));
        return command;
    }

    private static async Task<int> RunAsync(string[] settings, string? file, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        if (await CommandSettings.ReadAsync(settings, errors) is not { } setup) return 1;
        var target = setup.Settings.Target();
        if (target.SqlitePath is null != file is null)
        {
            await errors.WriteLineAsync(file is null
                ? "Write the backup: broker restore FILE"
                : "The database is PostgreSQL: restore it with pg_restore or from its archive, then write broker restore without a file.");
            return ExitCodes.Usage;
        }

        try
        {
            await using var services = CommandStores.Of(setup.Settings);
            if (target.SqlitePath is { } path)
            {
                // Before anything is locked or made at the place of the database.
                await SqliteMaintenance.CheckAsync(file!, ct);

                // Refused while a broker serves the file.
                services.GetRequiredService<IBrokerLock>().Take();
                var former = await SqliteMaintenance.ReplaceAsync(path, file!, TimeProvider.System.GetUtcNow(), ct);
                if (former is not null) await output.WriteLineAsync($"The former database is kept as {former}.");
            }

            await services.GetRequiredService<ISchema>().MigrateAsync(ct);
            var ended = await services.GetRequiredService<IRestoration>().BeginEpochAsync(ct);
            await output.WriteLineAsync(target.SqlitePath is null
                ? $"Restored: a new epoch has begun. {ended} connections of brokers were ended; others look within 1 s."
                : $"Restored {target.SqlitePath} from {file}.");
            return 0;
        }
        catch (Exception fault) when (StartFaults.MessageOf(fault, setup.Settings) is { } message)
        {
            await errors.WriteLineAsync($"The restore failed: {message}");
            return 1;
        }
    }
}
