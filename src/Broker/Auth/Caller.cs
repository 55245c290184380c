namespace Broker.Auth;

/// <summary>Caller of a request: an API key, or the anonymous one while no key is required.</summary>
/// <param name="Id">Id of the key, as the audit trail names it.</param>
/// <param name="Scopes">Scopes of the key.</param>
/// <param name="Workflows">The only workflows that the key may reach; null: all.</param>
internal sealed record Caller(string Id, Scope Scopes, IReadOnlySet<string>? Workflows)
{
    private static readonly AsyncLocal<Caller?> Flowing = new();

    /// <summary>Names in the audit trail that are no keys, and so cannot be ids of keys.</summary>
    public static readonly IReadOnlyList<string> Reserved = ["anonymous", "broker", "command-line"];

    /// <summary>Caller of every request while no key is required.</summary>
    public static Caller Anonymous { get; } = new(Reserved[0], Scope.Any, null);

    /// <summary>The program itself, such as for the workflow files that it reads.</summary>
    public static Caller Broker { get; } = new(Reserved[1], Scope.Any, null);

    public static Caller CommandLine { get; } = new(Reserved[2], Scope.Any, null);

    /// <summary>
    /// Caller of the present request. It flows with the request, so that engine calls need no parameter for it. It is set only where keys
    /// are required, so a keyless broker pays nothing for it.
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

    /// <summary>Throws if the caller's key is not allowed to create or change this workflow.</summary>
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
