using System.CommandLine;
using System.Globalization;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>Commands that change one run: below <c>broker runs</c>, and <c>broker send</c>.</summary>
internal static class SteerCommands
{
    public static IEnumerable<Command> Create(Connection connection)
    {
        var grace = new Option<int?>("--grace-ms") { Description = "Time for steps that clean up, up to 3,600,000", HelpName = "MS" };
        yield return Steer(connection, "cancel", "Ends a run", (api, run, command, ct) => api.CancelAsync(run.Workflow, run.Instance, command, ct), grace);
        yield return Steer(connection, "pause", "Hands out no further step of a run", (api, run, command, ct) => api.PauseAsync(run.Workflow, run.Instance, command, ct));
        yield return Steer(connection, "resume", "Hands out the steps of a paused run again", (api, run, command, ct) => api.ResumeAsync(run.Workflow, run.Instance, command, ct));
        yield return Steer(connection, "restart", "Starts a further run from the beginning", (api, run, command, ct) => api.RestartAsync(run.Workflow, run.Instance, command, ct));
        yield return Delete(connection);
        yield return Retry(connection);
        yield return Fork(connection);
    }

    public static Command Send(Connection connection)
    {
        var words = new Argument<string[]>("RUN") { Description = $"{RunName.Help}, and the type of the event; the type alone for the workflows that subscribe to it", HelpName = "[RUN] TYPE", Arity = new(1, 2) };
        var data = new Option<string?>("--data") { Description = "Its value: JSON, or @FILE with JSON", HelpName = "JSON" };
        var id = new Option<string?>("--event-id") { Description = "The same id again is the same event", HelpName = "ID" };
        var command = new Command("send", "Sends an event to a run, or to the workflows that subscribe to it") { words, data, id };
        command.SetAction(connection, async (call, ct) =>
        {
            RawJson? value = call.Line.GetValue(data) is { } text ? await JsonArgument.ReadAsync("--data", text, ct) : null;
            if (call.Line.GetValue(words) is not [var run, var type]) return await PublishAsync(call, new() { Type = call.Line.GetValue(words)![0], Value = value, EventId = call.Line.GetValue(id) }, ct);
            var address = await RunName.FindAsync(run, call.Api, ct);
            var receipt = await call.Api.SendEventAsync(address.Workflow, address.Instance, new() { Type = type, Value = value, EventId = call.Line.GetValue(id) }, ct);
            call.Printer.One(receipt, OperatorJson.Default.EventReceipt, r => r.Outcome, r => call.Printer.Line(r.Outcome));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task<int> PublishAsync(CliCall call, TypedEvent sent, CancellationToken ct)
    {
        var routing = await call.Api.PublishEventAsync(sent, ct);
        call.Printer.One(routing, OperatorJson.Default.EventRouting, r => r.EventId, r =>
        {
            foreach (var target in r.Targets) call.Printer.Line($"{target.Workflow}/{target.Instance ?? "-"}  {target.Outcome}{(target.Reason is { } reason ? $": {reason}" : "")}");
            if (r.Targets.Count == 0) call.Printer.Line("no workflow subscribes to it");
        });
        return ExitCodes.Succeeded;
    }

    private static Command Steer(
        Connection connection, string name, string description, Func<IOperatorApi, RunAddress, RunCommand, CancellationToken, Task<RunChange>> act, Option<int?>? grace = null)
    {
        var (runs, reason, bulk) = (CliCommand.Runs(), CliCommand.Reason(), new BulkRunner());
        var command = new Command(name, $"{description}; with --where all runs that fit") { runs, reason };
        if (grace is not null) command.Options.Add(grace);
        bulk.AddTo(command);
        command.SetAction(connection, async (call, ct) =>
        {
            var graceMs = grace is null ? null : call.Line.GetValue(grace);
            if (bulk.IsMeant(call, runs))
                return await bulk.RunAsync(call, new() { Action = name, Args = graceMs is null ? null : new() { GraceMs = graceMs }, Reason = call.Line.GetValue(reason) }, ct);
            return await call.EachAsync(
                runs,
                async address => Print(call.Printer, await act(call.Api, address, new() { Reason = call.Line.GetValue(reason), IfRun = address.Run, GraceMs = graceMs }, ct)),
                ct);
        });
        return command;
    }

    // A deletion cannot be taken back: it wants the word for it.
    private static Command Delete(Connection connection)
    {
        var (runs, reason, bulk) = (CliCommand.Runs(), CliCommand.Reason(), new BulkRunner());
        var command = new Command("delete", "Deletes instances with all their runs; with --where those of all runs that fit") { runs, reason };
        bulk.AddTo(command);
        command.SetAction(connection, async (call, ct) =>
        {
            if (bulk.IsMeant(call, runs)) return await bulk.RunAsync(call, new() { Action = "delete", Reason = call.Line.GetValue(reason) }, ct);
            if (bulk.IsConfirmed(call))
            {
                return await call.EachAsync(
                    runs,
                    async address => Print(call.Printer, await call.Api.DeleteAsync(address.Workflow, address.Instance, new() { Reason = call.Line.GetValue(reason), IfRun = address.Run }, ct)),
                    ct);
            }

            await call.EachAsync(runs, async address =>
            {
                var found = await call.Api.GetRunAsync(address with { Run = null }, ct);
                await call.Talk.WriteLineAsync($"broker: {address.Workflow}/{address.Instance} has {found.Lineage.Runs.Count} runs, the newest is {found.Status}; --yes deletes them");
            }, ct);
            return ExitCodes.Usage;
        });
        return command;
    }

    private static Command Retry(Connection connection)
    {
        var (runs, bulk) = (CliCommand.Runs(), new BulkRunner());
        var (reason, dryRun) = (CliCommand.Reason(), DryRun());
        var step = new Option<string[]>("--step") { Description = "Runs this step again too, with all that follow it; may be given several times", HelpName = "NAME" };
        var command = new Command("retry", "Starts a further run that keeps the steps which finished; with --where for all runs that fit") { runs, step, reason, dryRun };
        bulk.AddTo(command, dryRun);
        command.SetAction(connection, async (call, ct) =>
        {
            var steps = call.Line.GetValue(step) is { Length: > 0 } given ? given : null;
            if (bulk.IsMeant(call, runs))
                return await bulk.RunAsync(call, new() { Action = "retry", Args = steps is null ? null : new() { Steps = steps }, Reason = call.Line.GetValue(reason) }, ct);
            return await call.EachAsync(
                runs,
                async address => Print(call.Printer, await call.Api.RetryAsync(
                    address.Workflow, address.Instance, new() { Steps = steps, Reason = call.Line.GetValue(reason), IfRun = address.Run, DryRun = call.Line.GetValue(dryRun) }, ct)),
                ct);
        });
        return command;
    }

    private static Command Fork(Connection connection)
    {
        var run = CliCommand.Run();
        var (reason, dryRun) = (CliCommand.Reason(), DryRun());
        var from = new Option<string?>("--from") { Description = "Step to run again with all that follow it", HelpName = "STEP" };
        var id = new Option<string?>("--id") { Description = "Id of the new instance", HelpName = "ID" };
        var inputs = new Option<string?>("--inputs") { Description = "Inputs in place of those of the run: JSON, or @FILE with JSON", HelpName = "JSON" };
        var command = new Command("fork", "Starts a new instance that keeps finished steps of a run") { run, from, id, inputs, reason, dryRun };
        command.SetAction(connection, async (call, ct) =>
        {
            RawJson? given = call.Line.GetValue(inputs) is { } text ? await JsonArgument.ReadAsync("--inputs", text, ct) : null;
            var fork = new RunFork { From = call.Line.GetValue(from), Instance = call.Line.GetValue(id), Inputs = given, Reason = call.Line.GetValue(reason), DryRun = call.Line.GetValue(dryRun) };
            Print(call.Printer, await call.Api.ForkAsync(await call.RunAsync(run, ct), fork, ct));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Option<bool> DryRun() => new("--dry-run") { Description = "Says what is kept and what runs again, and starts nothing" };

    private static void Print(Printer printer, RunChange change) => printer.One(
        change,
        OperatorJson.Default.RunChange,
        c => RunName.Of(new RunAddress(c.Workflow, c.Instance, c.Run)),
        c => printer.Line($"{RunName.Of(new RunAddress(c.Workflow, c.Instance, c.Run))}  {c.Status}"));

    private static void Print(Printer printer, RunRerun outcome) => printer.One(
        outcome,
        OperatorJson.Default.RunRerun,
        o => RunName.Of(new RunAddress(o.Workflow, o.Instance, o.Run)),
        o =>
        {
            printer.Line($"{RunName.Of(new RunAddress(o.Workflow, o.Instance, o.Run))}{(o.DryRun ? "  dry run: nothing was started" : "")}");
            printer.Line(string.Create(CultureInfo.InvariantCulture, $"keeps {o.Kept.Count} steps: {Cells.Short(string.Join(", ", o.Kept), 200)}"));
            printer.Line(string.Create(CultureInfo.InvariantCulture, $"runs {o.RunsAgain.Count} steps again: {Cells.Short(string.Join(", ", o.RunsAgain), 200)}"));
        });
}
