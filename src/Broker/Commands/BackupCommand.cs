using System.CommandLine;
using System.Globalization;
using Broker.Settings;
using Broker.Storage;

namespace Broker.Commands;

/// <summary>Copies the SQLite database while brokers use it. PostgreSQL has <c>pg_dump</c>.</summary>
internal static class BackupCommand
{
    public static Command Create(string[] settings)
    {
        var file = new Argument<string>("FILE") { Description = "The copy; it must not exist" };
        var command = new Command("backup", "Copy the SQLite database while the broker runs") { file };
        command.SetAction((line, ct) =>
            RunAsync(settings, line.GetRequiredValue(file), line.InvocationConfiguration.Output, line.InvocationConfiguration.Error, ct));
        return command;
    }

    private static async Task<int> RunAsync(string[] settings, string copy, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        if (await CommandSettings.ReadAsync(settings, errors) is not { } setup) return 1;
        if (setup.Settings.Target().SqlitePath is not { } path)
        {
            await errors.WriteLineAsync("The database is PostgreSQL: back it up with pg_dump, which takes one moment of it while brokers go on.");
            return 1;
        }

        try
        {
            var size = await SqliteMaintenance.CopyAsync(path, copy, ct);
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
