namespace Broker.Operators;

/// <summary>Claimable steps that ask the same of a worker.</summary>
/// <param name="Id">Id of the queue.</param>
/// <param name="Workflow">Workflow whose workers take the steps; absent for queues of labels.</param>
/// <param name="Version">Version of that workflow.</param>
/// <param name="Labels">Labels that a worker must offer.</param>
/// <param name="Priority">Higher is served first.</param>
/// <param name="Depth">Steps that a worker could take now.</param>
/// <param name="OldestMs">Milliseconds that the oldest of them has been claimable.</param>
/// <param name="Leased">Steps of the queue that workers hold.</param>
/// <param name="WorkersAble">Workers seen lately that could serve it; 0: its steps starve.</param>
public sealed record WorkQueue(
    int Id, string? Workflow, string? Version, IReadOnlyList<string> Labels, int Priority, Capped Depth, long? OldestMs, int Leased, int WorkersAble);

/// <summary>A count with a bound.</summary>
/// <param name="Count">The number, at most the bound.</param>
/// <param name="IsCapped">There are more.</param>
public sealed record Capped(int Count, [property: System.Text.Json.Serialization.JsonPropertyName("capped")] bool IsCapped);

/// <summary>A worker.</summary>
public record WorkerInfo
{
    /// <summary>Id.</summary>
    public required string Id { get; init; }

    /// <summary>labelled: claims by labels. registered: claims steps of the definitions that it registered.</summary>
    [Words("labelled", "registered")]
    public required string Kind { get; init; }

    /// <summary>fresh, or silent: no sign of life for longer than the worker timeout.</summary>
    [Words("fresh", "silent")]
    public required string Status { get; init; }

    /// <summary>Labels that it offers.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>The only workflows that it serves; empty: any that its labels fit.</summary>
    public required IReadOnlyList<string> Workflows { get; init; }

    /// <summary>Registration.</summary>
    public required DateTimeOffset RegisteredAt { get; init; }

    /// <summary>Last sign of life.</summary>
    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>The order that gives it no further steps; absent while it gets steps.</summary>
    public HoldInfo? Drained { get; init; }

    /// <summary>Number of leases that it holds.</summary>
    public required int Leases { get; init; }

    /// <summary>The latest of them: 5 in lists, 200 for one worker.</summary>
    public required IReadOnlyList<HeldLease> Holds { get; init; }

    /// <summary>The last step that it reported.</summary>
    public LastStep? Last { get; init; }
}

/// <summary>Lease that a worker holds.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="Step">Name of the step.</param>
/// <param name="Attempt">Retries used before this attempt.</param>
/// <param name="Lease">Lease id.</param>
/// <param name="GrantedAt">Grant.</param>
/// <param name="ExpiresAt">End, unless it is renewed.</param>
public sealed record HeldLease(string Workflow, string Instance, int Run, string Step, int Attempt, string Lease, DateTimeOffset? GrantedAt, DateTimeOffset? ExpiresAt);

/// <summary>A step that a worker reported.</summary>
/// <param name="Workflow">Workflow.</param>
/// <param name="Instance">Instance id, as the worker knows it.</param>
/// <param name="Step">Name of the step.</param>
/// <param name="Succeeded">It succeeded.</param>
public sealed record LastStep(string Workflow, string Instance, string Step, bool Succeeded);

/// <summary>Choice of workers.</summary>
public sealed record WorkerQuery : PagedQuery
{
    /// <summary>fresh, silent, or null for both.</summary>
    public string? Status { get; init; }

    /// <summary>Only workers that offer all of these labels.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Only workers that serve this workflow by name; null: all.</summary>
    public string? Workflow { get; init; }

    /// <summary>Only workers that hold a lease.</summary>
    public bool Busy { get; init; }
}

/// <summary>Entry of the audit trail.</summary>
/// <param name="Id">Order of writing.</param>
/// <param name="At">When, by the store's clock.</param>
/// <param name="Key">Id of an API key, or anonymous, broker or command-line.</param>
/// <param name="Action">The action, such as cancel.</param>
/// <param name="Workflow">Workflow that it is about.</param>
/// <param name="Instance">Instance that it is about.</param>
/// <param name="Detail">A version, a worker, a repository or a key.</param>
public sealed record AuditRecord(long Id, DateTimeOffset At, string Key, string Action, string? Workflow, string? Instance, string? Detail);

/// <summary>Choice of entries; null: no condition.</summary>
public sealed record AuditQuery : PagedQuery
{
    /// <summary>Exactly this action.</summary>
    public string? Action { get; init; }

    /// <summary>Exactly this workflow.</summary>
    public string? Workflow { get; init; }

    /// <summary>Exactly this key.</summary>
    public string? Key { get; init; }

    /// <summary>At that instant or later.</summary>
    public DateTimeOffset? Since { get; init; }
}
