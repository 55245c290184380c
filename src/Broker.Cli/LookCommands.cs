using System.CommandLine;
using System.Globalization;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>Commands that read: logs, events, causes, workflows, queues, workers and the audit trail.</summary>
internal static class LookCommands
{
    public static IEnumerable<Command> Create(Connection connection) =>
        [Logs(connection), Events(connection), Explain(connection), Doctor(connection), OrderCommands.Failures(connection), Workflows(connection), Waiting(connection), Queues(connection), Workers(connection), Audit(connection)];

    private static Command Logs(Connection connection)
    {
        var run = CliCommand.Run();
        var step = new Option<string?>("--step") { Description = "Lines of this step alone", HelpName = "NAME" };
        var tail = new Option<int?>("--tail") { Description = $"The last lines, at most {Limits.LargestLogPage}", HelpName = "N" };
        var grep = new Option<string?>("--grep") { Description = "Lines that hold the text", HelpName = "TEXT" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Goes on with new lines until the run has ended" };
        var command = new Command("logs", "Prints the lines that the steps of a run wrote") { run, step, tail, grep, follow };
        command.SetAction(connection, async (call, ct) =>
        {
            var address = await call.RunAsync(run, ct);
            var query = new LogQuery { Step = call.Line.GetValue(step), Limit = Limits.LargestLogPage };
            if (call.Line.GetValue(tail) is { } last) query = query with { FromEnd = true, Limit = Math.Clamp(last, 1, Limits.LargestLogPage) };
            var text = call.Line.GetValue(grep);
            query = await PrintAsync(call, address, query, text, ct);
            if (!call.Line.GetValue(follow)) return ExitCodes.Succeeded;

            // The stream goes on behind the last line, also after a restart of the broker, until the run has ended.
            await foreach (var line in call.Api.FollowLogsAsync(address, query, ct))
            {
                if (text is null || line.Text.Text.Contains(text, StringComparison.OrdinalIgnoreCase)) Print(call.Printer, query, line);
            }

            return ExitCodes.Succeeded;
        });
        return command;
    }

    // All pages from the query on; returns the query that goes on after the last line.
    private static async Task<LogQuery> PrintAsync(CliCall call, RunAddress run, LogQuery query, string? text, CancellationToken ct)
    {
        while (true)
        {
            var page = text is null ? await call.Api.ListLogsAsync(run, query, ct) : await call.Api.FindInLogsAsync(run, query with { FromEnd = false }, text, matchCase: false, ct);
            foreach (var line in page.Items) Print(call.Printer, query, line);

            var after = page.Items.Count > 0 ? page.Items[^1].Id : query.After;
            var more = !query.FromEnd && page.Next is not null;
            query = query with { After = page.Next is { } next && more ? next : after, FromEnd = false, Limit = Limits.LargestLogPage };
            if (!more) return query;
        }
    }

    private static void Print(Printer printer, LogQuery query, RunLogLine line)
    {
        if (printer.IsForPeople) printer.Line(query.Step is null ? $"{line.Step}  {Cells.TextOf(line)}" : Cells.TextOf(line));
        else printer.One(line, OperatorJson.Default.RunLogLine, l => l.Id.ToString(CultureInfo.InvariantCulture), _ => { });
    }

    private static Command Events(Connection connection)
    {
        var run = CliCommand.Run();
        var published = new Option<bool>("--published") { Description = "Events that the run published, not those sent to it" };
        var limit = CliCommand.Limit();
        var follow = new Option<bool>("--follow", "-f") { Description = "Prints published events, stored ones and new ones, until the run has ended" };
        var command = new Command("events", "Lists events of a run") { run, published, follow, limit };
        command.SetAction(connection, async (call, ct) =>
        {
            if (call.Line.GetValue(follow))
            {
                await foreach (var one in call.Api.FollowEventsAsync(await call.RunAsync(run, ct), null, ct))
                {
                    if (call.Printer.IsForPeople) call.Printer.Line($"{Cells.Time(one.At)}  {one.Type}  {Cells.Short(one.Value.Text, 120)}");
                    else call.Printer.One(one, OperatorJson.Default.RunEvent, e => e.Id.ToString(CultureInfo.InvariantCulture), _ => { });
                }

                return ExitCodes.Succeeded;
            }

            var query = new EventQuery { Direction = call.Line.GetValue(published) ? "out" : "in", Limit = call.Line.GetValue(limit) };
            var page = await call.Api.ListEventsAsync(await call.RunAsync(run, ct), query, ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.RunEvent,
                e => e.Id.ToString(CultureInfo.InvariantCulture),
                new("AT", e => Cells.Time(e.At)),
                new("TYPE", e => e.Type),
                new("VALUE", e => Cells.Short(e.Value.Text, 120)),
                new("TAKEN BY", e => e.ConsumedBy));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Explain(Connection connection)
    {
        var run = CliCommand.Run();
        var command = new Command("explain", "Says why a run stands still") { run };
        command.SetAction(connection, async (call, ct) =>
        {
            var answer = await call.Api.ExplainRunAsync(await call.RunAsync(run, ct), ct);
            call.Printer.One(answer, OperatorJson.Default.RunExplanation, a => a.Status, a =>
            {
                call.Printer.Line($"The run is {a.Status}; open steps: {a.Open}.");
                Print(call.Printer, a.Causes, withRuns: false);
            });
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Doctor(Connection connection)
    {
        var where = CliCommand.Where();
        var command = new Command("doctor", "Says why open runs stand still, grouped by cause, and what to do") { where };
        command.SetAction(connection, async (call, ct) =>
        {
            var answer = await call.Api.ExplainAsync(new(RunsCommand.WhereOf(call.Line.GetValue(where))), ct);
            call.Printer.One(answer, OperatorJson.Default.RunsExplanation, a => a.Runs.ToString(CultureInfo.InvariantCulture), a =>
            {
                call.Printer.Line($"Open runs looked at: {a.Runs}{(a.Complete ? "" : " (there are more)")}.");
                Print(call.Printer, a.Causes, withRuns: true);
            });
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Print(Printer printer, IReadOnlyList<CauseGroup> causes, bool withRuns)
    {
        foreach (var cause in causes)
        {
            printer.Line("");
            printer.Line($"{cause.Code}: {cause.Message}");
            printer.Line($"  {(withRuns ? $"{cause.Runs} runs, " : "")}{cause.Steps} steps{(cause.Since is { } since ? $", since {Cells.Time(since)}" : "")}");
            if (cause.Sample is [var step, ..]) printer.Line($"  such as {RunName.Of(new RunAddress(step.Workflow, step.Instance, step.Run))}, step {step.Step}");
            if (cause.Advice is { } advice) printer.Line($"  {advice}");
        }
    }

    private static Command Workflows(Connection connection)
    {
        var contains = new Argument<string?>("TEXT") { Arity = ArgumentArity.ZeroOrOne, Description = "Only workflows whose name holds the text" };
        var limit = CliCommand.Limit();
        var command = new Command("workflows", "Lists workflows, or pauses and resumes their starts") { contains, limit };
        foreach (var order in OrderCommands.OfWorkflows(connection)) command.Subcommands.Add(order);
        command.SetAction(connection, async (call, ct) =>
        {
            var page = await call.Api.ListWorkflowsAsync(call.Line.GetValue(contains), null, call.Line.GetValue(limit), ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.WorkflowSummary,
                w => w.Name,
                new("WORKFLOW", w => w.Name),
                new("VERSION", w => w.Version),
                new("STEPS", w => w.Steps.ToString(CultureInfo.InvariantCulture)),
                new("KIND", w => w.Kind),
                new("LAST RUN", w => w.LastRun is { } last ? $"{last.Status}, {Cells.Time(last.CreatedAt)}" : "-"));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Waiting(Connection connection)
    {
        var people = new Option<bool>("--people") { Description = "Only waits for people" };
        var overdue = new Option<bool>("--overdue") { Description = "Only waits whose time has passed" };
        var limit = CliCommand.Limit();
        var command = new Command("waiting", "Lists steps that wait for events") { people, overdue, limit };
        command.SetAction(connection, async (call, ct) =>
        {
            var query = new WaitQuery { For = call.Line.GetValue(people) ? "people" : null, Overdue = call.Line.GetValue(overdue), Limit = call.Line.GetValue(limit) };
            var page = await call.Api.ListWaitingAsync(query, ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.WaitingStep,
                w => RunName.Of(new RunAddress(w.Workflow, w.Instance, w.Run)),
                new("RUN", w => RunName.Of(new RunAddress(w.Workflow, w.Instance, w.Run))),
                new("STEP", w => w.Step),
                new("EVENT", w => w.Event),
                new("SINCE", w => Cells.Time(w.Since)),
                new("UNTIL", w => w.Overdue ? $"{Cells.Time(w.DueAt)} (passed)" : Cells.Time(w.DueAt)));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Queues(Connection connection)
    {
        var command = new Command("queues", "Lists queues with their depth, and the workers that can serve them");
        command.SetAction(connection, async (call, ct) =>
        {
            var page = await call.Api.ListQueuesAsync(ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.WorkQueue,
                q => q.Id.ToString(CultureInfo.InvariantCulture),
                new("QUEUE", q => q.Workflow is { } workflow ? $"{workflow} {q.Version}" : q.Labels.Count > 0 ? $"labels {string.Join(", ", q.Labels)}" : "jobs without labels"),
                new("READY", q => string.Create(CultureInfo.InvariantCulture, $"{q.Depth.Count}{(q.Depth.IsCapped ? "+" : "")}")),
                new("OLDEST", q => Cells.Span(q.OldestMs)),
                new("LEASED", q => q.Leased.ToString(CultureInfo.InvariantCulture)),
                new("WORKERS ABLE", q => q.WorkersAble.ToString(CultureInfo.InvariantCulture)),
                new("PRIORITY", q => q.Priority.ToString(CultureInfo.InvariantCulture), IsWide: true));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Workers(Connection connection)
    {
        var busy = new Option<bool>("--busy") { Description = "Only workers that hold a lease" };
        var limit = CliCommand.Limit();
        var command = new Command("workers", "Lists workers with their leases, or drains and releases them") { busy, limit };
        foreach (var order in OrderCommands.OfWorkers(connection)) command.Subcommands.Add(order);
        command.SetAction(connection, async (call, ct) =>
        {
            var page = await call.Api.ListWorkersAsync(new() { Busy = call.Line.GetValue(busy), Limit = call.Line.GetValue(limit) }, ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.WorkerInfo,
                w => w.Id,
                new("WORKER", w => w.Id),
                new("STATUS", w => w.Status),
                new("LABELS", w => w.Labels.Count > 0 ? string.Join(',', w.Labels) : "-"),
                new("LEASES", w => w.Leases.ToString(CultureInfo.InvariantCulture)),
                new("NOW", w => w.Holds is [var held, ..] ? $"{held.Workflow}/{held.Instance} {held.Step}" : "-"),
                new("SEEN", w => Cells.Time(w.SeenAt)),
                new("WORKFLOWS", w => Cells.Short(string.Join(',', w.Workflows)), IsWide: true));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Audit(Connection connection)
    {
        var limit = CliCommand.Limit();
        var command = new Command("audit", "Lists the audit trail, newest first") { limit };
        command.SetAction(connection, async (call, ct) =>
        {
            var page = await call.Api.ListAuditAsync(new() { Limit = call.Line.GetValue(limit) }, ct);
            call.Printer.Items(
                page.Items,
                OperatorJson.Default.AuditRecord,
                a => a.Id.ToString(CultureInfo.InvariantCulture),
                new("AT", a => Cells.Time(a.At)),
                new("KEY", a => a.Key),
                new("ACTION", a => a.Action),
                new("RUN", a => a.Instance is null ? a.Workflow : $"{a.Workflow}/{a.Instance}"),
                new("DETAIL", a => Cells.Short(a.Detail)));
            return ExitCodes.Succeeded;
        });
        return command;
    }
}
