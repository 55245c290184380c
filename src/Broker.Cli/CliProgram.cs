using System.CommandLine;

namespace Broker.Cli;

/// <summary>Runs a command line, or says what in it is not understood.</summary>
internal static class CliProgram
{
    /// <summary>The exit code of the command.</summary>
    public static async Task<int> RunAsync(RootCommand root, string[] words, TextWriter output, TextWriter errors)
    {
        var line = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });

        // A completion script sends a line that is not complete.
        var isSuggestion = words is [{ } first, ..] && first.StartsWith("[suggest", StringComparison.Ordinal);
        if (line.Errors.Count > 0 && !isSuggestion) return await RefuseAsync(line, errors);

        // The library would end the process two seconds after a signal. A server lets requests end; a client says what goes on without it.
        return await line.InvokeAsync(new InvocationConfiguration { Output = output, Error = errors, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
    }

    private static async Task<int> RefuseAsync(ParseResult line, TextWriter errors)
    {
        foreach (var problem in line.UnmatchedTokens.Select(token => Unmatched(line, token)).DefaultIfEmpty(line.Errors[0].Message))
            await errors.WriteLineAsync($"broker: {problem}");
        await errors.WriteLineAsync();
        await Help(line.CommandResult.Command).InvokeAsync(new InvocationConfiguration { Output = errors, Error = errors });
        return ExitCodes.Usage;
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
