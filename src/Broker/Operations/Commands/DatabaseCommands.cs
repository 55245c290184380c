using Broker.Settings;

namespace Broker.Operations.Commands;

/// <summary>Commands that work on the database and end: they need its settings and nothing else of the service.</summary>
internal static class DatabaseCommands
{
    /// <summary>The exit code; null when the arguments name no such command.</summary>
    public static async Task<int?> TryRunAsync(string[] args)
    {
        if (args is not [MigrateCommand.Word or BackupCommand.Word, ..]) return null;

        var configuration = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }).Configuration;
        var read = SettingsReader.Read(configuration);
        if (read.Message is { } wrong)
        {
            await Console.Error.WriteLineAsync(wrong);
            return 1;
        }

        return args[0] == MigrateCommand.Word
            ? await MigrateCommand.RunAsync(read.Settings, Console.Out, Console.Error)
            : await BackupCommand.RunAsync(read.Settings, args.ElementAtOrDefault(1), Console.Out, Console.Error);
    }
}
