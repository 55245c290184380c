namespace Broker.Operators;

/// <summary>An order that holds until it is taken back.</summary>
/// <param name="Name">Name of the workflow, id of the worker, or <c>broker</c>.</param>
/// <param name="At">When it was given.</param>
/// <param name="By">Key that gave it.</param>
/// <param name="Reason">Why.</param>
public sealed record HoldInfo(string Name, DateTimeOffset At, string By, string? Reason);

/// <summary>An order about a worker or about starts.</summary>
public sealed record HoldCommand
{
    /// <summary>Why: for the audit trail and for those who are refused, at most 500 characters.</summary>
    public string? Reason { get; init; }
}

/// <summary>Starts of a workflow after an order.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="StartsPaused">The order; absent while its runs start.</param>
public sealed record WorkflowStarts(string Workflow, HoldInfo? StartsPaused);

/// <summary>A worker after an order.</summary>
/// <param name="Worker">Id of the worker.</param>
/// <param name="Drained">The order; absent while the worker gets steps.</param>
/// <param name="Released">Leases that were taken from it; their steps are ready for others, charged nothing.</param>
public sealed record WorkerOrder(string Worker, HoldInfo? Drained, int Released);

/// <summary>Maintenance of the broker after an order.</summary>
/// <param name="Maintenance">The order; absent while workers get steps.</param>
public sealed record MaintenanceState(HoldInfo? Maintenance);

/// <summary>An API key, without its text.</summary>
/// <param name="Id">Id.</param>
/// <param name="Name">Name, for people.</param>
/// <param name="Scopes">Scopes.</param>
/// <param name="Workflows">The only workflows that the key reaches; absent: all.</param>
/// <param name="CreatedAt">Creation; absent for a key of the configuration.</param>
/// <param name="LastUsedAt">Last use, to within seconds.</param>
/// <param name="RevokedAt">Revocation.</param>
public sealed record KeyInfo(
    string Id, string Name, [property: KeyScopeWords] IReadOnlyList<string> Scopes, IReadOnlyList<string>? Workflows, DateTimeOffset? CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);

/// <summary>A browser that signed in to the console with a key.</summary>
/// <param name="Id">Id, which is no secret: the browser alone has the token.</param>
/// <param name="Key">Id of the key that it stands for.</param>
/// <param name="Agent">Browser, as it names itself.</param>
/// <param name="CreatedAt">Sign-in.</param>
/// <param name="SeenAt">Last use, to the minute. After 12 hours without use a session ends.</param>
/// <param name="ExpiresAt">End at the latest.</param>
public sealed record SessionInfo(string Id, string Key, string Agent, DateTimeOffset CreatedAt, DateTimeOffset SeenAt, DateTimeOffset ExpiresAt);

/// <summary>An API key to make.</summary>
public sealed record NewKey
{
    /// <summary>Name, for people: 1 to 100 characters.</summary>
    public string? Name { get; init; }

    /// <summary>Scopes, one at least.</summary>
    [KeyScopeWords]
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>The only workflows that the key reaches; left out: all.</summary>
    public IReadOnlyList<string>? Workflows { get; init; }
}

/// <summary>A key that was made. Its text is shown this once: the broker keeps a hash of it.</summary>
/// <param name="Key">The key, for <c>Authorization: Bearer</c>.</param>
/// <param name="Info">The key without its text.</param>
public sealed record CreatedKey(string Key, KeyInfo Info);
