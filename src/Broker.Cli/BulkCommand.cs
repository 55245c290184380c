using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Broker.Operators;

namespace Broker.Cli;

/// <summary><c>broker bulk</c>: actions on many runs, and what became of them.</summary>
internal static class BulkCommand
{
    private static readonly string[] Actions = ["cancel", "terminate", "pause", "resume", "restart", "retry", "delete", "tag", "send_event"];

    public static Command Create(Connection connection) => new("bulk", "Actions on all runs that fit: dry run, start, progress, stop, results")
    {
        Start(connection), List(connection), Show(connection), Stop(connection), Results(connection),
    };

    private static Argument<long> Id() => new("ID") { Description = "Number of the action" };

    private static Command Start(Connection connection)
    {
        var action = new Argument<string>("ACTION") { Description = string.Join(", ", Actions) };
        action.AcceptOnlyFromAmong(Actions);
        var bulk = new BulkRunner();
        var reason = CliCommand.Reason();
        var grace = new Option<int?>("--grace-ms") { Description = "cancel: time for steps that clean up, up to 3,600,000", HelpName = "MS" };
        var step = new Option<string[]>("--step") { Description = "retry: runs this step again too; send_event: the only step that may take it", HelpName = "NAME" };
        var tag = new Option<string[]>("--tag") { Description = "tag: a tag as NAME=VALUE, or NAME= to take it away", HelpName = "NAME=VALUE" };
        var type = new Option<string?>("--type") { Description = "send_event: type of the event", HelpName = "TYPE" };
        var data = new Option<string?>("--data") { Description = "send_event: its value: JSON, or @FILE with JSON", HelpName = "JSON" };
        var command = new Command("start", "Acts on all runs that fit --where") { action, reason, grace, step, tag, type, data };
        bulk.AddTo(command);
        bulk.Where.Required = true;
        command.SetAction(connection, async (call, ct) =>
        {
            var (wanted, steps) = (call.Line.GetValue(action)!, call.Line.GetValue(step));
            var isEvent = wanted == "send_event";
            var arguments = new BulkArguments
            {
                GraceMs = call.Line.GetValue(grace),
                Steps = !isEvent && steps is { Length: > 0 } ? steps : null,
                Step = isEvent && steps is [var only, ..] ? only : null,
                Tags = TagsOf(call.Line.GetValue(tag)),
                Type = call.Line.GetValue(type),
                Value = call.Line.GetValue(data) is { } text ? await JsonArgument.ReadAsync("--data", text, ct) : null,
            };
            return await bulk.RunAsync(call, new() { Action = wanted, Args = arguments == new BulkArguments() ? null : arguments, Reason = call.Line.GetValue(reason) }, ct);
        });
        return command;
    }

    private static RawJson? TagsOf(string[]? given)
    {
        if (given is not { Length: > 0 }) return null;
        var tags = new JsonObject();
        foreach (var (name, value) in StartCommands.Pairs("--tag", given)) tags[name] = value.Length == 0 ? null : JsonValue.Create(value);
        return new(tags.ToJsonString());
    }

    private static Command List(Connection connection)
    {
        var limit = CliCommand.Limit();
        var command = new Command("list", "Lists actions on many runs, newest first") { limit };
        command.SetAction(connection, async (call, ct) =>
        {
            var page = await call.Api.ListBulkAsync(null, call.Line.GetValue(limit), ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.BulkState,
                b => b.Id.ToString(CultureInfo.InvariantCulture),
                new("ID", b => b.Id.ToString(CultureInfo.InvariantCulture)),
                new("ACTION", b => b.Action),
                new("STATE", b => b.State),
                new("DONE", b => b.Done.ToString(CultureInfo.InvariantCulture)),
                new("SKIPPED", b => b.Skipped.ToString(CultureInfo.InvariantCulture)),
                new("FAILED", b => b.Failed.ToString(CultureInfo.InvariantCulture)),
                new("TOTAL", b => b.Total.ToString(CultureInfo.InvariantCulture)),
                new("CREATED", b => Cells.Time(b.CreatedAt)),
                new("BY", b => b.By),
                new("WHERE", b => Cells.Short(b.Where, 60)));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Show(Connection connection)
    {
        var id = Id();
        var follow = new Option<bool>("--follow", "-f") { Description = "Shows the progress until it has ended" };
        var command = new Command("show", "Shows one action") { id, follow };
        command.SetAction(connection, async (call, ct) =>
        {
            var state = await call.Api.GetBulkAsync(call.Line.GetValue(id), ct);
            if (call.Line.GetValue(follow) && state.State is not "planned") return await BulkRunner.FollowAsync(call, state, ct);
            BulkRunner.Print(call.Printer, state);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Stop(Connection connection)
    {
        var (id, reason) = (Id(), CliCommand.Reason());
        var command = new Command("stop", "Ends an action; runs that it was done to stay so") { id, reason };
        command.SetAction(connection, async (call, ct) =>
        {
            BulkRunner.Print(call.Printer, await call.Api.StopBulkAsync(call.Line.GetValue(id), new() { Reason = call.Line.GetValue(reason) }, ct));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Results(Connection connection)
    {
        var (id, limit) = (Id(), CliCommand.Limit());
        var outcome = new Option<string?>("--outcome") { Description = "Only these, separated by commas: pending, done, failed, skipped", HelpName = "A,B" };
        var command = new Command("results", "Lists what became of each run") { id, outcome, limit };
        command.SetAction(connection, async (call, ct) =>
        {
            var query = new BulkResultQuery { Outcomes = call.Line.GetValue(outcome)?.Split(',') ?? [], Limit = call.Line.GetValue(limit) };
            var page = await call.Api.ListBulkResultsAsync(call.Line.GetValue(id), query, ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.BulkResult,
                r => RunName.Of(new RunAddress(r.Workflow, r.Instance, r.Run)),
                new("RUN", r => RunName.Of(new RunAddress(r.Workflow, r.Instance, r.Run))),
                new("OUTCOME", r => r.Outcome),
                new("NEW RUN", r => r.NewRun?.ToString(CultureInfo.InvariantCulture)),
                new("WHY", r => r.Message));
            return ExitCodes.Succeeded;
        });
        return command;
    }
}
