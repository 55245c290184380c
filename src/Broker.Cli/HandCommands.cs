using System.CommandLine;
using Broker.Operators;

namespace Broker.Cli;

/// <summary><c>broker steps</c>: one step of a run, by hand.</summary>
internal static class HandCommands
{
    public static Command Create(Connection connection)
    {
        var value = new Option<string?>("--value") { Description = "The result: JSON, or @FILE with JSON", HelpName = "JSON" };
        var name = new Option<string?>("--name") { Description = "Name of the error; else FailedByHand", HelpName = "NAME" };
        var message = new Option<string?>("--message") { Description = "Message of the error; else the reason", HelpName = "TEXT" };
        return new Command("steps", "Ends, hastens or releases one step by hand; the worker that holds it is fenced out")
        {
            ByHand(
                connection, "complete", "Completes a step, with the value that its worker or its event would have given",
                async (call, run, step, reason, ct) => await call.Api.CompleteStepAsync(
                    run, step, new() { Reason = reason, Value = call.Line.GetValue(value) is { } text ? await JsonArgument.ReadAsync("--value", text, ct) : null }, ct),
                value),
            ByHand(
                connection, "fail", "Fails a step for good, whatever retries are left",
                (call, run, step, reason, ct) => call.Api.FailStepAsync(run, step, new() { Reason = reason, Name = call.Line.GetValue(name), Message = call.Line.GetValue(message) }, ct),
                name, message),
            ByHand(connection, "skip", "Skips a step", (call, run, step, reason, ct) => call.Api.SkipStepAsync(run, step, new() { Reason = reason }, ct)),
            ByHand(connection, "retry-now", "Drops the rest of a delay", (call, run, step, reason, ct) => call.Api.RetryStepNowAsync(run, step, new() { Reason = reason }, ct)),
            ByHand(connection, "release", "Takes a step from the worker that holds it, charged nothing", (call, run, step, reason, ct) => call.Api.ReleaseStepAsync(run, step, new() { Reason = reason }, ct)),
        };
    }

    private static Command ByHand(
        Connection connection, string name, string description, Func<CliCall, RunAddress, string, string, CancellationToken, Task<StepDetail>> act, params ReadOnlySpan<Option> options)
    {
        var run = CliCommand.Run();
        var step = new Argument<string>("STEP") { Description = "Name of the step" };
        var reason = new Option<string>("--reason") { Description = "Why: for the audit trail", HelpName = "TEXT", Required = true };
        var command = new Command(name, description) { run, step, reason };
        foreach (var option in options) command.Options.Add(option);
        command.SetAction(connection, async (call, ct) =>
        {
            var changed = await act(call, await call.RunAsync(run, ct), call.Line.GetValue(step)!, call.Line.GetRequiredValue(reason), ct);
            call.Printer.One(changed, OperatorJson.Default.StepDetail, s => s.Name, s => call.Printer.Line($"{s.Workflow}/{s.Instance}  {s.Name}  {s.Status}"));
            return ExitCodes.Succeeded;
        });
        return command;
    }
}
