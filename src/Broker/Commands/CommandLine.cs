using System.CommandLine;
using Broker.Cli;

namespace Broker.Commands;

/// <summary>The first word names the command; without one, the broker serves. Settings may stand anywhere: <c>--Broker:Port=3000</c>, <c>PORT=3000</c>.</summary>
internal static class CommandLine
{
    /// <summary>Exit code of a command line that is not understood.</summary>
    public const int NotUnderstood = 2;

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        var (settings, words) = SettingWords.Split(args);
        var root = Root(settings);
        var line = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (line.Errors.Count > 0 && !ClientCommands.IsSuggestion(words)) return await RefuseAsync(line, errors);

        // Signals are the host's: it lets requests end. The library would end the process two seconds after SIGTERM.
        return await line.InvokeAsync(new InvocationConfiguration { Output = output, Error = errors, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }

    private static RootCommand Root(string[] settings)
    {
        var healthcheck = new Option<bool>("--healthcheck") { Description = "Exit with code 0 when the broker in this container is ready, else 1" };
        var root = new RootCommand("Keeps workflow definitions, runs them and hands their steps to workers over HTTP. Without a command it serves.")
        {
            healthcheck, KeysCommand.Create(settings), MigrateCommand.Create(settings), BackupCommand.Create(settings), RestoreCommand.Create(settings), ValidateCommand.Create(),
        };
        ClientCommands.AddTo(root);
        root.SetAction((line, _) => line.GetValue(healthcheck)
            ? HealthCheckCommand.RunAsync(settings, line.InvocationConfiguration.Output, line.InvocationConfiguration.Error)
            : ServeCommand.RunAsync(settings, line.InvocationConfiguration.Error));
        return root;
    }

    private static async Task<int> RefuseAsync(ParseResult line, TextWriter errors)
    {
        foreach (var problem in line.UnmatchedTokens.Select(token => Unmatched(line, token)).DefaultIfEmpty(line.Errors[0].Message))
            await errors.WriteLineAsync($"broker: {problem}");
        await errors.WriteLineAsync();
        await Help(line.CommandResult.Command).InvokeAsync(new InvocationConfiguration { Output = errors, Error = errors });
        return NotUnderstood;
    }

    private static ParseResult Help(Command command)
    {
        var words = new List<string> { "--help" };
        for (var at = command; at is not RootCommand; at = (Command)at.Parents.First()) words.Insert(0, at.Name);
        return ((RootCommand)Top(command)).Parse(words);
    }

    private static Symbol Top(Symbol command) => command.Parents.FirstOrDefault() is { } parent ? Top(parent) : command;

    private static string Unmatched(ParseResult line, string token) =>
        token.StartsWith('-') ? $"unknown option {token}"
        : line.CommandResult.Command is RootCommand ? $"'{token}' is no command"
        : $"'{token}' is one word too many; a value with blanks in it needs quotes";
}
