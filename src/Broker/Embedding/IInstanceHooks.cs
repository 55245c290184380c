using System.Text.Json;
using Broker.Api;

namespace Broker.Embedding;

/// <summary>A request as a hook sees it.</summary>
public record HookContext
{
    /// <summary>HTTP method.</summary>
    public required string Method { get; init; }

    /// <summary>The route as documented, such as <c>/workflows/:workflowName/instances</c>; the same for all equivalent paths.</summary>
    public required string Path { get; init; }

    /// <summary>Values of the route's parameters, percent-decoded.</summary>
    public required IReadOnlyDictionary<string, string> PathParams { get; init; }

    /// <summary>Query of the request.</summary>
    public required IQueryCollection Query { get; init; }

    /// <summary>Headers of the request.</summary>
    public required IHeaderDictionary Headers { get; init; }

    /// <summary>The body after its check, for routes that have one; valid during the call.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Id of the API key that was presented, which has the scope that the route needs; null where keys are not required.</summary>
    public string? KeyId { get; init; }

    /// <summary>User that the application's own authentication found; without an identity where it has none.</summary>
    public required System.Security.Claims.ClaimsPrincipal User { get; init; }
}

/// <summary>An instance to create.</summary>
/// <param name="Id">Its id; null: the broker makes one.</param>
/// <param name="ParamsJson">JSON text of its params; null: none were sent.</param>
public sealed record NewInstance(string? Id, string? ParamsJson)
{
    /// <summary>When it begins, how urgent it is and how long it may take.</summary>
    internal StartOptions Options { get; init; } = StartOptions.None;
}

/// <summary>A request that creates instances.</summary>
/// <param name="Request">The request.</param>
/// <param name="WorkflowName">Name in the path; it may name no workflow.</param>
/// <param name="Instances">One instance, or those of a batch.</param>
public sealed record InstanceCreationContext(HookContext Request, string WorkflowName, IReadOnlyList<NewInstance> Instances);

/// <summary>A request that steers an instance.</summary>
/// <param name="Request">The request.</param>
/// <param name="WorkflowName">Name in the path.</param>
/// <param name="InstanceId">Id in the path, not checked yet.</param>
/// <param name="Action"><c>pause</c>, <c>resume</c>, <c>terminate</c> or <c>restart</c>.</param>
public sealed record ManagementContext(HookContext Request, string WorkflowName, string InstanceId, string Action);

/// <summary>A request that sends an event.</summary>
/// <param name="Request">The request.</param>
/// <param name="WorkflowName">Name in the path.</param>
/// <param name="InstanceId">Id in the path, not checked yet.</param>
/// <param name="EventType">Type of the event.</param>
/// <param name="PayloadJson">JSON text of its payload; null: none was sent.</param>
public sealed record SendEventContext(HookContext Request, string WorkflowName, string InstanceId, string EventType, string? PayloadJson);

/// <summary>A request that has the scheduler look at once.</summary>
/// <param name="Request">The request.</param>
/// <param name="MaxInstances">Most instances to process; null: no bound was sent.</param>
/// <param name="MaxSteps">Most steps to process; null: no bound was sent.</param>
public sealed record RunnerTickContext(HookContext Request, int? MaxInstances, int? MaxSteps);

/// <summary>
/// Decisions of the embedding application about requests of the instances dialect. Null lets a request go on; a result is sent as it is and
/// ends the request. Where API keys are required they come first: hooks are asked about requests whose key suffices. A hook that throws is
/// answered with 500. Requests are asked about at the same time, so an implementation must be safe for several threads.
/// </summary>
public interface IInstanceHooks
{
    /// <summary>Every route of the dialect, first.</summary>
    ValueTask<IResult?> AuthorizeRequestAsync(HookContext request, CancellationToken ct) => default;

    /// <summary>Create (a list of one) and batch, before it is known whether the workflow exists.</summary>
    ValueTask<IResult?> AuthorizeInstanceCreationAsync(InstanceCreationContext creation, CancellationToken ct) => default;

    /// <summary>Pause, resume, terminate, restart.</summary>
    ValueTask<IResult?> AuthorizeManagementAsync(ManagementContext management, CancellationToken ct) => default;

    /// <summary>Send an event.</summary>
    ValueTask<IResult?> AuthorizeSendEventAsync(SendEventContext sending, CancellationToken ct) => default;

    /// <summary>The runner tick.</summary>
    ValueTask<IResult?> AuthorizeRunnerTickAsync(RunnerTickContext tick, CancellationToken ct) => default;
}
