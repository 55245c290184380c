using System.Text.Json;

namespace Broker.Api.InstancesDialect;

/// <summary>What a hook knows of every request.</summary>
public record HookContext
{
    public required string Method { get; init; }

    /// <summary>The route as documented, such as <c>/workflows/:workflowName/instances</c>; the same for all equivalent paths.</summary>
    public required string Path { get; init; }

    public required IReadOnlyDictionary<string, string> PathParams { get; init; }
    public required IQueryCollection Query { get; init; }
    public required IHeaderDictionary Headers { get; init; }

    /// <summary>The body after its check, for routes that have one; valid during the call.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>The API key that was presented, which has the scope that the route needs; null where keys are not required.</summary>
    public string? KeyId { get; init; }
}

/// <summary>An instance to create: raw JSON params.</summary>
public sealed record NewInstance(string? Id, string? ParamsJson)
{
    /// <summary>When it begins, how urgent it is and how long it may take.</summary>
    internal StartOptions Options { get; init; } = StartOptions.None;
}

public sealed record InstanceCreationContext(HookContext Request, string WorkflowName, IReadOnlyList<NewInstance> Instances);

/// <param name="Request">The request.</param>
/// <param name="WorkflowName">Name in the path.</param>
/// <param name="InstanceId">Id in the path, not checked yet.</param>
/// <param name="Action"><c>pause</c>, <c>resume</c>, <c>terminate</c> or <c>restart</c>.</param>
public sealed record ManagementContext(HookContext Request, string WorkflowName, string InstanceId, string Action);

public sealed record SendEventContext(HookContext Request, string WorkflowName, string InstanceId, string EventType, string? PayloadJson);

public sealed record RunnerTickContext(HookContext Request, int? MaxInstances, int? MaxSteps);

/// <summary>
/// Decisions of the embedding host (instances contract 10): register one as a service. Null lets the request go on; a result is sent as
/// it is and ends the request. Where API keys are required they come first: hooks are asked about requests whose key suffices.
/// </summary>
public interface IInstanceHooks
{
    /// <summary>Every route, first.</summary>
    ValueTask<IResult?> AuthorizeRequestAsync(HookContext request, CancellationToken ct) => default;

    /// <summary>Create (a list of one) and batch, before it is known whether the workflow exists.</summary>
    ValueTask<IResult?> AuthorizeInstanceCreationAsync(InstanceCreationContext creation, CancellationToken ct) => default;

    /// <summary>Pause, resume, terminate, restart.</summary>
    ValueTask<IResult?> AuthorizeManagementAsync(ManagementContext management, CancellationToken ct) => default;

    ValueTask<IResult?> AuthorizeSendEventAsync(SendEventContext sending, CancellationToken ct) => default;

    ValueTask<IResult?> AuthorizeRunnerTickAsync(RunnerTickContext tick, CancellationToken ct) => default;
}
