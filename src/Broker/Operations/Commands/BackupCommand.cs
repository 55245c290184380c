using System.Globalization;
using Broker.Settings;
using Broker.Storage.Sqlite;

namespace Broker.Operations.Commands;

/// <summary><c>broker backup FILE</c>: copies the SQLite database while brokers use it. PostgreSQL has <c>pg_dump</c>.</summary>
internal static class BackupCommand
{
    public const string Word = "backup";

    /// <summary>0 when the copy is complete and on the disk.</summary>
    public static async Task<int> RunAsync(BrokerSettings settings, string? copy, TextWriter output, TextWriter errors)
    {
        if (string.IsNullOrWhiteSpace(copy))
        {
            await errors.WriteLineAsync("Write: broker backup FILE");
            return 1;
        }

        if (settings.Target().SqlitePath is not { } path)
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
