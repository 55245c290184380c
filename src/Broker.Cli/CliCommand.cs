using System.CommandLine;
using System.Runtime.InteropServices;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>A call of a command: the broker, the output and where talk goes.</summary>
internal sealed record CliCall(ParseResult Line, IOperatorApi Api, Printer Printer, TextWriter Talk)
{
    public Task<RunAddress> RunAsync(Argument<string> run, CancellationToken ct) => RunName.FindAsync(Line.GetValue(run)!, Api, ct);

    /// <summary>Acts on each run of the command line. A refusal is said and the others are done; the exit code is that of the first one.</summary>
    public async Task<int> EachAsync(Argument<string[]> runs, Func<RunAddress, Task> act, CancellationToken ct)
    {
        var code = ExitCodes.Succeeded;
        foreach (var name in Line.GetValue(runs)!)
        {
            try
            {
                await act(await RunName.FindAsync(name, Api, ct));
            }
            catch (OperatorException refused) when (Line.GetValue(runs)!.Length > 1)
            {
                await Talk.WriteLineAsync($"broker: {name}: {refused.Message}");
                if (code == ExitCodes.Succeeded) code = ExitCodes.OfStatus(refused.Status);
            }
        }

        return code;
    }
}

/// <summary>Makes commands whose faults become one line on standard error and an exit code.</summary>
internal static class CliCommand
{
    public static Argument<string> Run() => new("RUN") { Description = RunName.Help };

    public static Argument<string[]> Runs() => new("RUN") { Description = $"{RunName.Help}; several, or none with --where", Arity = ArgumentArity.ZeroOrMore };

    public static Option<string?> Reason() => new("--reason") { Description = "Why: for the audit trail", HelpName = "TEXT" };

    public static Option<int> Limit() => new("--limit") { Description = $"Most items, 1 to {Limits.LargestPage}", DefaultValueFactory = _ => Limits.UsualPage, HelpName = "N" };

    public static Option<string?> Where() => new("--where") { Description = "Conditions, such as: workflow=ci status=failed since=1h error~timeout", HelpName = "EXPR" };

    /// <summary>The action of a command that talks to a broker.</summary>
    public static void SetAction(this Command command, Connection connection, Func<CliCall, CancellationToken, Task<int>> action)
    {
        foreach (var argument in command.Arguments) Suggestions.AddTo(argument, connection);
        command.SetAction((line, ct) => CallAsync(line, connection, action, ct));
    }

    /// <summary>Calls the broker that the command line names.</summary>
    public static Task<int> CallAsync(ParseResult line, Connection connection, Func<CliCall, CancellationToken, Task<int>> action, CancellationToken given) => GuardAsync(
        line,
        async ct =>
        {
            var (api, owner) = await connection.OpenAsync(line, ct);
            using (owner) return await action(new(line, api, connection.PrinterOf(line), line.InvocationConfiguration.Error), ct);
        },
        given);

    /// <summary>The action of a command that needs no broker.</summary>
    public static void SetLocalAction(this Command command, Func<ParseResult, Task<int>> action) => command.SetAction((line, ct) => GuardAsync(line, _ => action(line), ct));

    private static async Task<int> GuardAsync(ParseResult line, Func<CancellationToken, Task<int>> action, CancellationToken given)
    {
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(given);
        var ct = interrupt.Token;
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, pressed =>
        {
            // A second one ends the process.
            pressed.Cancel = !ct.IsCancellationRequested;
            interrupt.Cancel();
        });
        var talk = line.InvocationConfiguration.Error;
        try
        {
            return await action(ct);
        }
        catch (OperatorException refused)
        {
            await talk.WriteLineAsync($"broker: {refused.Message}");
            foreach (var fault in refused.Errors ?? []) await talk.WriteLineAsync($"  {fault.Place}: {fault.Message}");
            return ExitCodes.OfStatus(refused.Status);
        }
        catch (CliException fault)
        {
            await talk.WriteLineAsync($"broker: {fault.Message}");
            return fault.Code;
        }
        catch (HttpRequestException fault)
        {
            await talk.WriteLineAsync($"broker: no broker answers: {fault.Message}");
            return ExitCodes.Unreachable;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (OperationCanceledException)
        {
            await talk.WriteLineAsync("broker: the broker does not answer in time");
            return ExitCodes.Unreachable;
        }
    }
}
