using Broker.Auth;
using Broker.Operations;
using Broker.Storage.Schema;

namespace Broker.Commands;

/// <summary>What the first word says is to be done; without one, the broker serves.</summary>
internal static class CommandLine
{
    private static readonly ICommand[] Commands = [new KeysCommand(), new MigrateCommand(), new BackupCommand(), new HealthCheckCommand()];

    public static Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        // A setting, as in --Broker:Port=3000 or PORT=3000, is no command.
        var word = args is [{ } first, ..] && !first.Contains('=', StringComparison.Ordinal) ? first : null;
        if (Array.Find(Commands, command => command.Word == word) is { } called) return called.RunAsync(args, output, errors);
        return word is null || word.StartsWith('-') ? ServeAsync(args, errors) : UnknownAsync(word, errors);
    }

    private static async Task<int> ServeAsync(string[] args, TextWriter errors)
    {
        var (app, _, problem) = BrokerHost.Create(args);
        if (problem is not null)
        {
            await errors.WriteLineAsync(problem);
            return 1;
        }

        app!.AnnounceAddress();
        try
        {
            await app!.RunAsync();
            return 0;
        }
        catch (Exception refused) when (refused is StartRefusedException or SchemaMismatchException)
        {
            await errors.WriteLineAsync(refused.Message);
            return 1;
        }
    }

    private static async Task<int> UnknownAsync(string word, TextWriter errors)
    {
        await errors.WriteLineAsync($"broker: '{word}' is no command; write one of these, or none to serve:");
        foreach (var command in Commands) await errors.WriteLineAsync($"  broker {command.Usage.ReplaceLineEndings($"{Environment.NewLine}  broker ")}");
        return 2;
    }
}
