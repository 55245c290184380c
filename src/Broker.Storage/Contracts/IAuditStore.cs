namespace Broker.Storage.Contracts;

/// <summary>The audit trail.</summary>
/// <param name="At">When, by the clock of the broker that took the request; stored by the store's.</param>
/// <param name="Key">Id of the key, or <c>anonymous</c>, <c>broker</c>, <c>command-line</c>.</param>
/// <param name="Action">Word, such as <c>cancel</c>.</param>
/// <param name="Workflow">Name of the workflow that it is about.</param>
/// <param name="InstanceId">Instance that it is about.</param>
/// <param name="Detail">Further identification: a version, a worker, a repository, a key.</param>
public sealed record AuditEntry(DateTimeOffset At, string Key, string Action, string? Workflow = null, string? InstanceId = null, string? Detail = null)
{
    /// <summary>Order of writing; 0 before it is written.</summary>
    public long Id { get; init; }
}

/// <summary>Conditions of a search in the audit trail; null: no condition.</summary>
/// <param name="Action">Exactly this action.</param>
/// <param name="Workflow">Exactly this workflow.</param>
/// <param name="Key">Exactly this key id.</param>
/// <param name="Since">At that instant or later.</param>
/// <param name="BehindId">Behind this entry, in the direction of the read.</param>
public sealed record AuditFilter(string? Action = null, string? Workflow = null, string? Key = null, DateTimeOffset? Since = null, long? BehindId = null);

/// <summary>The audit trail: only ever added to, until its entries are old.</summary>
public interface IAuditStore
{
    /// <summary>Writes all in one transaction. A batch may be given again after a fault, whatever became of its transaction.</summary>
    Task AddAsync(AuditBatch batch, CancellationToken ct);

    /// <summary>Newest first; backward those that are newer than an entry, the nearest first.</summary>
    Task<Page<AuditEntry>> ReadAsync(AuditFilter filter, int limit, CancellationToken ct, bool isBackward = false);

    /// <summary>Removes what is older, at most a batch; returns how many.</summary>
    Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct);
}
