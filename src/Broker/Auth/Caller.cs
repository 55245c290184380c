namespace Broker.Auth;

/// <summary>On whose behalf something is done: a key, or whoever calls while none is required.</summary>
/// <param name="Id">Id of the key, as the audit trail names it.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Workflows">The only workflows that exist for it; null: all.</param>
internal sealed record Caller(string Id, Scope Scopes, IReadOnlySet<string>? Workflows)
{
    private static readonly AsyncLocal<Caller?> Flowing = new();

    /// <summary>Names in the audit trail that are no keys, and so cannot be ids of keys.</summary>
    public static readonly IReadOnlyList<string> Reserved = ["anonymous", "broker", "command-line"];

    /// <summary>Nobody had to say who they are.</summary>
    public static Caller Anonymous { get; } = new(Reserved[0], Scope.Any, null);

    /// <summary>The program itself, such as for the workflow files that it reads.</summary>
    public static Caller Broker { get; } = new(Reserved[1], Scope.Any, null);

    public static Caller CommandLine { get; } = new(Reserved[2], Scope.Any, null);

    /// <summary>
    /// Whom the present request is from. It flows with the request, so that engine calls need not carry it; it is set only where keys
    /// are required, so that it costs nothing where they are not.
    /// </summary>
    public static Caller Current
    {
        get => Flowing.Value ?? Anonymous;
        set => Flowing.Value = value;
    }

    /// <summary>The same in ordinal order, as claims carry it.</summary>
    public IReadOnlyList<string>? Limit { get; } = Workflows is null ? null : [.. Workflows.Order(StringComparer.Ordinal)];

    public bool May(Scope anyOf) => (Scopes & (anyOf | Scope.Admin)) != 0;

    /// <summary>Whether that workflow exists for this caller.</summary>
    public bool Knows(string workflow) => Workflows is null || Workflows.Contains(workflow);

    /// <summary>For what would bring a workflow into being, or act on one, that is not the caller's.</summary>
    public void Demand(string workflow)
    {
        if (!Knows(workflow)) throw new WorkflowForbiddenException(workflow);
    }
}

/// <summary>The key in use is limited to workflows, and this goes beyond them: a 403 in the form of the dialect.</summary>
internal abstract class BeyondKeyException(string message) : Exception(message);

internal sealed class WorkflowForbiddenException(string workflow) : BeyondKeyException($"this key is not for the workflow '{workflow}'");

internal sealed class WorkerForbiddenException(string worker)
    : BeyondKeyException($"the worker id '{worker}' belongs to a worker that serves more than the workflows of this key: register under another id");
