using Broker.Core.Runs;
using Broker.Engine;

namespace Broker.Api.InstancesDialect;

/// <summary>Steering instances, and the tick.</summary>
internal static partial class InstancesRoutes
{
    private const int UsualInstances = 10;
    private const int UsualSteps = 1024;

    public static Task Pause(HttpContext http, BrokerEngine engine, string workflowName, string instanceId) =>
        SteerAsync(http, engine, workflowName, instanceId, ControlCommand.Pause, "pause");

    public static Task Resume(HttpContext http, BrokerEngine engine, string workflowName, string instanceId) =>
        SteerAsync(http, engine, workflowName, instanceId, ControlCommand.Resume, "resume");

    public static Task Restart(HttpContext http, BrokerEngine engine, string workflowName, string instanceId) =>
        SteerAsync(http, engine, workflowName, instanceId, ControlCommand.Restart, "restart");

    public static Task Terminate(HttpContext http, BrokerEngine engine, string workflowName, string instanceId) =>
        SteerAsync(http, engine, workflowName, instanceId, ControlCommand.Cancel, "terminate");

    // No body is declared: what is sent is not read.
    private static async Task SteerAsync(HttpContext http, BrokerEngine engine, string workflowName, string instanceId, ControlCommand command, string action)
    {
        var call = new InstanceCall(http, engine, $"{InstancePaths.Instance}/{action}");
        if (!await call.MayAsync() || await call.FindWorkflowAsync(workflowName, toStart: command is ControlCommand.Restart) is not { } workflow) return;
        if (!await call.MayAsync((hooks, context, ct) => hooks.AuthorizeManagementAsync(new(context, workflowName, instanceId, action), ct))) return;
        if (!await call.IsInstanceIdAsync(instanceId)) return;

        var (verdict, _) = await engine.ControlAsync(workflow.Name, instanceId, command, call.Aborted, action);
        var refusal = verdict switch
        {
            ControlVerdict.Done or ControlVerdict.NoChange => null,
            ControlVerdict.UnknownRun => InstanceError.UnknownInstance,

            // Resuming what has ended is in order and changes nothing (instances contract 7).
            ControlVerdict.Terminal => command is ControlCommand.Resume ? null : InstanceError.Terminal,
        };
        if (refusal is not null)
        {
            await call.RefuseAsync(refusal);
            return;
        }

        await call.AnswerAsync(new OkDto(true), InstancesJson.Default.OkDto);
    }

    public static async Task SendEvent(HttpContext http, BrokerEngine engine, string workflowName, string instanceId)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Events);
        using var body = await call.ReadBodyAsync();
        if (body is null) return;

        var issues = new IssueList();
        var root = InstancesRequests.RootOf(body.Value);
        var sent = InstancesRequests.Event(root, issues);
        if (!await call.IsValidAsync(issues) || sent is null) return;

        if (!await call.MayAsync(root) || await call.FindWorkflowAsync(workflowName) is not { } workflow) return;
        if (!await call.MayAsync((hooks, context, ct) => hooks.AuthorizeSendEventAsync(new(context, workflowName, instanceId, sent.Type, sent.PayloadJson), ct))) return;
        if (!await call.IsInstanceIdAsync(instanceId)) return;

        var (verdict, before) = await engine.SendAsync(
            workflow.Name, instanceId, sent.Type, sent.PayloadJson, targetStep: null, Delivery.First, call.Aborted, sent.Id);
        var refusal = verdict switch
        {
            SendVerdict.Delivered or SendVerdict.Kept => null,
            SendVerdict.RunTerminal => InstanceError.Terminal,
            SendVerdict.UnknownRun => InstanceError.UnknownInstance,
        };
        if (refusal is not null)
        {
            await call.RefuseAsync(refusal);
            return;
        }

        await call.AnswerAsync(new EventStatusDto(InstancesAnswers.StatusOf(before, call.ShowsActive), true), InstancesJson.Default.EventStatusDto);
    }

    public static async Task Tick(HttpContext http, BrokerEngine engine)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Tick);
        using var body = await call.ReadBodyAsync();
        if (body is null) return;

        var issues = new IssueList();
        var root = InstancesRequests.RootOf(body.Value);
        var limits = InstancesRequests.Tick(root, issues);
        if (!await call.IsValidAsync(issues) || !await call.MayAsync(root)) return;
        if (!await call.MayAsync((hooks, context, ct) => hooks.AuthorizeRunnerTickAsync(new(context, limits.MaxInstances, limits.MaxSteps), ct))) return;
        if (!engine.Settings.RunnerTickEnabled)
        {
            await call.RefuseAsync(InstanceError.TickDisabled);
            return;
        }

        var processed = await engine.TickAsync(limits.MaxInstances ?? UsualInstances, limits.MaxSteps ?? UsualSteps, call.Aborted);
        await call.AnswerAsync(new TickedDto(processed), InstancesJson.Default.TickedDto);
    }

    public static Task UnknownRoute(HttpContext http, string? rest)
    {
        // X/workflows//instances names the empty workflow, which routing takes for no segment at all.
        var emptyName = rest is not null && rest.StartsWith("/instances", StringComparison.Ordinal);
        return (emptyName ? InstanceError.UnknownWorkflow : InstanceError.UnknownRoute).SendAsync(http);
    }
}
