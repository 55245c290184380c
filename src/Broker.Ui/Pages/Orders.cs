using Broker.Operators;
using Broker.Ui.Parts;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>An order about a worker, a workflow, a step, a key or a session: a page that asks, and a form that acts.</summary>
/// <param name="Pattern">Address below the console; its last segment is the order.</param>
/// <param name="Button">Words of the control.</param>
/// <param name="Right">Right that it takes.</param>
/// <param name="Scope">The scope of that right, in words.</param>
/// <param name="Consequence">The consequence, in a sentence.</param>
/// <param name="Audit">Action in the audit trail.</param>
public sealed record Order(string Pattern, string Button, ConsoleRight Right, string Scope, string Consequence, string Audit)
{
    /// <summary>Gives the order.</summary>
    public required Func<IOperatorApi, OrderTarget, IFormCollection, CancellationToken, Task<string?>> Act { get; init; }

    /// <summary>Page that the order is about.</summary>
    public required Func<Links, OrderTarget, string> Back { get; init; }

    /// <summary>Reads what the page says beside the consequence.</summary>
    public Func<IOperatorApi, OrderTarget, CancellationToken, Task<OrderFacts>>? Prepare { get; init; }

    /// <summary>Fields beside the reason.</summary>
    public IReadOnlyList<OrderField> Fields { get; init; } = [];

    /// <summary>No order without a reason.</summary>
    public bool IsReasonRequired { get; init; }

    /// <summary>The order keeps a reason.</summary>
    public bool TakesReason { get; init; } = true;
}

/// <summary>A field of an order.</summary>
/// <param name="Name">Name in the form.</param>
/// <param name="Label">Words beside it.</param>
/// <param name="Help">A sentence below it.</param>
/// <param name="IsLong">It takes several lines.</param>
public sealed record OrderField(string Name, string Label, string? Help = null, bool IsLong = false);

/// <summary>The rest of a page that asks.</summary>
public sealed record OrderFacts
{
    /// <summary>Pairs of a word and a text.</summary>
    public IReadOnlyList<(string Name, string Text)> Lines { get; init; } = [];

    /// <summary>Texts that stand in the fields at first.</summary>
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();
}

/// <summary>Names in the address of an order.</summary>
public readonly struct OrderTarget(HttpRequest request)
{
    private readonly PageQuery query = new(request);

    public RunAddress Run => query.Run;

    public string Step => query.Segment("step");

    public string Of(string segment) => query.Segment(segment);

    /// <summary>Text of the query.</summary>
    public string? Asked(string name) => query.Text(name);
}

/// <summary>Every order.</summary>
internal static class Orders
{
    private const string OfStep = "/runs/{workflow}/{instance}/steps/{step}";
    private const int MostNames = 40;

    public static readonly Order Drain = Worker("drain", "Drain…", "The worker gets no further steps. Those that it holds go on.", "drain_worker", (api, id, command, ct) => api.DrainWorkerAsync(id, command, ct));
    public static readonly Order Undrain = Worker("undrain", "Give it steps again…", "The worker gets steps again.", "undrain_worker", (api, id, command, ct) => api.UndrainWorkerAsync(id, command, ct));
    public static readonly Order ReleaseAll = Worker("release", "Release leases…", "The worker loses all its leases. Their steps are ready for other workers, and no retry is charged.", "release_worker", (api, id, command, ct) => api.ReleaseWorkerAsync(id, command, ct)) with { Prepare = HeldAsync };
    public static readonly Order PauseStarts = Workflow("pause-starts", "Pause starts…", "No further run of the workflow starts. Runs that have started go on.", "pause_starts", (api, name, command, ct) => api.PauseStartsAsync(name, command, ct));
    public static readonly Order ResumeStarts = Workflow("resume-starts", "Resume starts…", "Runs of the workflow start again.", "resume_starts", (api, name, command, ct) => api.ResumeStartsAsync(name, command, ct));

    public static readonly Order Complete = Step("complete", "Complete by hand…", "The step succeeds with this value. A worker that holds it loses it.", "complete_step", (api, target, form, reason, ct) =>
        api.CompleteStepAsync(target.Run, target.Step, new() { Value = Json(form, "value"), Reason = reason }, ct)) with
    { Fields = [new("value", "Value (JSON)", "For a wait the event's value, for a job an object of strings; a sleep takes none.", IsLong: true)] };
    public static readonly Order Fail = Step("fail", "Fail by hand…", "The step fails for good, without a further retry. A worker that holds it loses it.", "fail_step", (api, target, form, reason, ct) =>
        api.FailStepAsync(target.Run, target.Step, new() { Name = Given(form, "name"), Message = Given(form, "message"), Reason = reason }, ct)) with
    { Fields = [new("name", "Name of the error", "FailedByHand when left out."), new("message", "Message", "The reason when left out.", IsLong: true)] };
    public static readonly Order Skip = Step("skip", "Skip…", "The step is skipped, and the run goes on behind it.", "skip_step", (api, target, form, reason, ct) => api.SkipStepAsync(target.Run, target.Step, new() { Reason = reason }, ct));
    public static readonly Order RetryNow = Step("retry-now", "Retry now…", "The delayed step may be claimed at once.", "retry_step_now", (api, target, form, reason, ct) => api.RetryStepNowAsync(target.Run, target.Step, new() { Reason = reason }, ct));
    public static readonly Order Release = Step("release", "Release…", "The worker loses the step. It is ready for other workers, and no retry is charged.", "release_step", (api, target, form, reason, ct) => api.ReleaseStepAsync(target.Run, target.Step, new() { Reason = reason }, ct));

    public static readonly Order RunAgain = new($"{OfStep}/run-again", "Run again from here…", ConsoleRight.Manage, "manage", "A further run keeps the steps that finished, and runs this step with all that follow it. Their effects may repeat.", "retry")
    {
        Back = (links, target) => links.Run(target.Run.Workflow, target.Run.Instance),
        Prepare = async (api, target, ct) => Plan(await api.RetryAsync(target.Run.Workflow, target.Run.Instance, new() { Steps = [target.Step], DryRun = true }, ct)),
        Act = async (api, target, form, ct) =>
        {
            await api.RetryAsync(target.Run.Workflow, target.Run.Instance, new() { Steps = [target.Step], Reason = Given(form, "reason"), IfRun = target.Run.Run }, ct);
            return null;
        },
    };

    public static readonly Order Fork = new("/runs/{workflow}/{instance}/fork", "Fork…", ConsoleRight.Manage, "manage", "A new instance keeps the steps of this run that finished before the named step. This run stays as it is.", "fork")
    {
        Back = (links, target) => links.Run(target.Run.Workflow, target.Run.Instance, target.Run.Run),
        Fields =
        [
            new("from", "Runs again from step", "Empty: what failed, was cancelled or has not ended."), new("id", "Instance id", "Made by the broker when left out."), new("inputs", "Inputs (JSON)", null, IsLong: true),
        ],
        Prepare = PrepareForkAsync,
        Act = async (api, target, form, ct) =>
        {
            var made = await api.ForkAsync(target.Run, new() { From = Given(form, "from"), Instance = Given(form, "id"), Inputs = Json(form, "inputs"), Reason = Given(form, "reason") }, ct);
            return $"runs/{Links.Segment(made.Workflow)}/{Links.Segment(made.Instance)}";
        },
    };

    public static readonly Order Tags = new("/runs/{workflow}/{instance}/tags", "Tags…", ConsoleRight.Manage, "manage", "The run gets these tags in place of those that it has.", "tag")
    {
        Back = (links, target) => links.Run(target.Run.Workflow, target.Run.Instance, target.Run.Run),
        TakesReason = false,
        Fields = [new("tags", "Tags", "name=value, one a line.", IsLong: true)],
        Prepare = async (api, target, ct) => new() { Values = new Dictionary<string, string> { ["tags"] = (await api.GetRunAsync(target.Run, ct)).Tags is { } tags ? string.Join('\n', TagList.Of(tags).Select(tag => $"{tag.Name}={tag.Value}")) : "" } },
        Act = async (api, target, form, ct) =>
        {
            await api.SetTagsAsync(target.Run, TagText.Json(form["tags"].ToString()), ct);
            return null;
        },
    };

    public static readonly Order RevokeKey = new("/keys/{key}/revoke", "Revoke…", ConsoleRight.Admin, "admin", "The key is refused from now on, within 5 seconds by every broker. Its sessions and streams end. Nothing brings it back.", "revoke_key")
    {
        Back = (links, target) => links.To("keys"),
        TakesReason = false,
        Act = async (api, target, form, ct) =>
        {
            await api.RevokeKeyAsync(target.Of("key"), ct);
            return null;
        },
    };

    public static IReadOnlyList<Order> All { get; } = [Drain, Undrain, ReleaseAll, PauseStarts, ResumeStarts, Complete, Fail, Skip, RetryNow, Release, RunAgain, Fork, Tags, RevokeKey];

    /// <summary>Orders about a step that stand in its drawer.</summary>
    public static IReadOnlyList<Order> OfSteps { get; } = [RetryNow, Release, Complete, Fail, Skip, RunAgain];

    /// <summary>The reason why an order about a step is not possible now; null where it is.</summary>
    public static string? WhyNot(Order order, StepDetail step, DateTimeOffset now) => order switch
    {
        _ when order == RunAgain => step.EndedAt is not null ? null : "the step has not ended",
        _ when order == Release => step.Status == "leased" ? null : "no worker holds the step",
        _ when order == RetryNow => step.Status == "ready" && step.DueAt > now ? null : "the step is not delayed",
        _ => step.Status is "ready" or "leased" or "waiting" ? null : step.EndedAt is null ? "the step was not reached" : "the step has ended",
    };

    private static Order Worker(string name, string button, string consequence, string audit, Func<IOperatorApi, string, HoldCommand, CancellationToken, Task> act) =>
        new($"/workers/{{worker}}/{name}", button, ConsoleRight.Manage, "manage", consequence, audit)
        {
            Back = (links, target) => links.Worker(target.Of("worker")),
            Act = async (api, target, form, ct) =>
            {
                await act(api, target.Of("worker"), new() { Reason = Given(form, "reason") }, ct);
                return null;
            },
        };

    private static Order Workflow(string name, string button, string consequence, string audit, Func<IOperatorApi, string, HoldCommand, CancellationToken, Task> act) =>
        new($"/workflows/{{workflow}}/{name}", button, ConsoleRight.Manage, "manage", consequence, audit)
        {
            Back = (links, target) => links.Workflow(target.Of("workflow")),
            Act = async (api, target, form, ct) =>
            {
                await act(api, target.Of("workflow"), new() { Reason = Given(form, "reason") }, ct);
                return null;
            },
        };

    private static Order Step(string name, string button, string consequence, string audit, Func<IOperatorApi, OrderTarget, IFormCollection, string?, CancellationToken, Task> act) =>
        new($"{OfStep}/{name}", button, ConsoleRight.Manage, "manage", consequence, audit)
        {
            IsReasonRequired = true,
            Back = (links, target) => links.Run(target.Run.Workflow, target.Run.Instance, target.Run.Run, "steps", target.Step),
            Act = async (api, target, form, ct) =>
            {
                await act(api, target, form, Given(form, "reason"), ct);
                return null;
            },
        };

    private static async Task<OrderFacts> HeldAsync(IOperatorApi api, OrderTarget target, CancellationToken ct)
    {
        var worker = await api.GetWorkerAsync(target.Of("worker"), ct);
        return new() { Lines = [($"holds ({worker.Leases})", Names([.. worker.Holds.Select(held => $"{held.Instance} / {held.Step}")]))] };
    }

    private static async Task<OrderFacts> PrepareForkAsync(IOperatorApi api, OrderTarget target, CancellationToken ct)
    {
        var from = target.Asked("from");
        var run = await api.GetRunAsync(target.Run, ct);
        return Plan(await api.ForkAsync(target.Run, new() { From = from, DryRun = true }, ct)) with { Values = new Dictionary<string, string> { ["from"] = from ?? "", ["inputs"] = run.Inputs.Text } };
    }

    private static OrderFacts Plan(RunRerun plan) => new() { Lines = [($"kept ({plan.Kept.Count})", Names(plan.Kept)), ($"run again ({plan.RunsAgain.Count})", Names(plan.RunsAgain))] };

    private static string Names(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");

    private static string? Given(IFormCollection form, string name) => form[name].ToString() is { Length: > 0 } text ? text : null;

    private static RawJson? Json(IFormCollection form, string name) => Given(form, name) is { } text ? new(FormJson.Checked(name, text)) : null;
}
