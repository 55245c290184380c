using System.Globalization;
using Broker.Settings;
using Broker.Storage.Sqlite;

namespace Broker.Commands;

/// <summary>Copies the SQLite database while brokers use it. PostgreSQL has <c>pg_dump</c>.</summary>
internal sealed class BackupCommand : ICommand
{
    public string Word => "backup";

    public string Usage => "backup FILE                            copy the SQLite database while the broker runs";

    public async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        if (await CommandSettings.ReadAsync(args, errors) is not { } setup) return 1;

        if (args.ElementAtOrDefault(1) is not { } copy || string.IsNullOrWhiteSpace(copy))
        {
            await errors.WriteLineAsync("Write: broker backup FILE");
            return 2;
        }

        if (setup.Settings.Target().SqlitePath is not { } path)
        {
            await errors.WriteLineAsync("The database is PostgreSQL: back it up with pg_dump, which takes one moment of it while brokers go on.");
            return 1;
        }

        try
        {
            var size = await SqliteBackup.CopyAsync(path, copy, CancellationToken.None);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Copied {path} to {copy}, {size} bytes."));
            return 0;
        }
        catch (Exception fault)
        {
            await errors.WriteLineAsync($"The backup failed: {fault.Message}");
            return 1;
        }
    }
}
