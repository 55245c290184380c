using System.CommandLine;
using System.Globalization;
using Broker.Operators;

namespace Broker.Cli;

/// <summary>Orders that hold until they are taken back, below <c>broker workflows</c> and <c>broker workers</c>; <c>broker maintenance</c> and <c>broker failures</c>.</summary>
internal static class OrderCommands
{
    public static IEnumerable<Command> OfWorkflows(Connection connection) =>
    [
        Starts(connection, "pause", "Starts no further run of a workflow; those that began go on", (api, name, command, ct) => api.PauseStartsAsync(name, command, ct)),
        Starts(connection, "resume", "Lets runs of a workflow start again", (api, name, command, ct) => api.ResumeStartsAsync(name, command, ct)),
    ];

    public static IEnumerable<Command> OfWorkers(Connection connection) =>
    [
        Worker(connection, "drain", "Gives a worker no further steps; those that it holds go on", (api, name, command, ct) => api.DrainWorkerAsync(name, command, ct)),
        Worker(connection, "undrain", "Gives a drained worker steps again", (api, name, command, ct) => api.UndrainWorkerAsync(name, command, ct)),
        Worker(connection, "release", "Takes all leases from a worker; the steps are ready for others", (api, name, command, ct) => api.ReleaseWorkerAsync(name, command, ct)),
    ];

    public static Command Maintenance(Connection connection) => new("maintenance", "Gives no worker steps, and gives them again")
    {
        Order(connection, "begin", "Gives no worker further steps; runs start and wait", (api, command, ct) => api.BeginMaintenanceAsync(command, ct)),
        Order(connection, "end", "Gives workers steps again", (api, command, ct) => api.EndMaintenanceAsync(command, ct)),
    };

    private static Command Order(Connection connection, string name, string description, Func<IOperatorApi, HoldCommand, CancellationToken, Task<MaintenanceState>> act)
    {
        var reason = CliCommand.Reason();
        var command = new Command(name, description) { reason };
        command.SetAction(connection, async (call, ct) =>
        {
            var state = await act(call.Api, new() { Reason = call.Line.GetValue(reason) }, ct);
            call.Printer.One(state, OperatorJson.Default.MaintenanceState, s => s.Maintenance is null ? "" : s.Maintenance.Name, s => call.Printer.Line(s.Maintenance is { } held ? $"maintenance{Because(held)}" : "workers get steps"));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    public static Command Failures(Connection connection)
    {
        var since = new Option<string?>("--since") { Description = "Only failures of runs that are younger, such as 12h", HelpName = "TIME" };
        var workflow = new Option<string[]>("--workflow") { Description = "Only of this workflow; may be given several times", HelpName = "NAME" };
        var command = new Command("failures", "Groups failures that look alike, the largest group first") { since, workflow };
        command.SetAction(connection, async (call, ct) =>
        {
            var found = await call.Api.ListFailuresAsync(new() { Since = call.Line.GetValue(since), Workflows = call.Line.GetValue(workflow) ?? [] }, ct);
            call.Printer.Items(
                found.Groups,
                OperatorJson.Default.FailureSummary,
                group => group.Id,
                new("COUNT", group => group.Count.ToString(CultureInfo.InvariantCulture)),
                new("WORKFLOW", group => group.Workflow),
                new("STEP", group => group.Step),
                new("ERROR", group => Cells.Short($"{group.ErrorName}: {group.Message}")),
                new("LAST", group => Cells.Time(group.LastAt)),
                new("SUCH AS", group => RunName.Of(group.Sample)),
                new("GROUP", group => group.Id, IsWide: true),
                new("FIRST", group => Cells.Time(group.FirstAt), IsWide: true));
            if (!found.Complete && call.Printer.IsForPeople) await call.Talk.WriteLineAsync($"There are more than the newest {found.Scanned} failures. Narrow the list with --since or --workflow.");
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Starts(Connection connection, string name, string description, Func<IOperatorApi, string, HoldCommand, CancellationToken, Task<WorkflowStarts>> act)
    {
        var (workflow, reason) = (new Argument<string>("WORKFLOW") { Description = "Name of the workflow" }, CliCommand.Reason());
        var command = new Command(name, description) { workflow, reason };
        command.SetAction(connection, async (call, ct) =>
        {
            var starts = await act(call.Api, call.Line.GetValue(workflow)!, new() { Reason = call.Line.GetValue(reason) }, ct);
            call.Printer.One(starts, OperatorJson.Default.WorkflowStarts, s => s.Workflow, s => call.Printer.Line($"{s.Workflow}  {(s.StartsPaused is { } held ? $"starts paused{Because(held)}" : "starts")}"));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static Command Worker(Connection connection, string name, string description, Func<IOperatorApi, string, HoldCommand, CancellationToken, Task<WorkerOrder>> act)
    {
        var (worker, reason) = (new Argument<string>("WORKER") { Description = "Id of the worker" }, CliCommand.Reason());
        var command = new Command(name, description) { worker, reason };
        command.SetAction(connection, async (call, ct) =>
        {
            var order = await act(call.Api, call.Line.GetValue(worker)!, new() { Reason = call.Line.GetValue(reason) }, ct);
            call.Printer.One(order, OperatorJson.Default.WorkerOrder, o => o.Worker, o => call.Printer.Line(
                string.Create(CultureInfo.InvariantCulture, $"{o.Worker}  {(o.Drained is { } held ? $"drained{Because(held)}" : "gets steps")}{(o.Released > 0 ? $", {o.Released} leases released" : "")}")));
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static string Because(HoldInfo held) => held.Reason is { } reason ? $": {Cells.Short(reason)}" : "";
}
