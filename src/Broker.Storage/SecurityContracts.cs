namespace Broker.Storage;

/// <summary>An API key as it is kept: its hash, never the key.</summary>
/// <param name="Id">Public part of the key.</param>
/// <param name="Name">For people.</param>
/// <param name="Hash">SHA-256 of the whole key, 64 hexadecimal digits.</param>
/// <param name="Scopes">Words.</param>
/// <param name="Workflows">The only workflows it is for; null: all.</param>
/// <param name="CreatedAt">By the store's clock.</param>
/// <param name="LastUsedAt">To within seconds; null: never.</param>
/// <param name="RevokedAt">Null while it is valid.</param>
public sealed record StoredKey(
    string Id, string Name, string Hash, IReadOnlyList<string> Scopes, IReadOnlyList<string>? Workflows,
    DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);

/// <summary>API keys. They are few and kept for good, also revoked ones: the audit trail names them.</summary>
public interface IKeyStore
{
    /// <summary>Adds a key, with the line of the audit trail that tells of it, in one transaction.</summary>
    /// <param name="key">Its instants are set here.</param>
    /// <param name="by">Who creates it.</param>
    /// <param name="ct">Gives up.</param>
    Task AddAsync(StoredKey key, string by, CancellationToken ct);

    /// <summary>Revokes it for good, and says so in the audit trail; false when there is no such key, or it is revoked already.</summary>
    Task<bool> RevokeAsync(string id, string by, CancellationToken ct);

    /// <summary>All keys, revoked ones too, oldest first.</summary>
    Task<IReadOnlyList<StoredKey>> ListAsync(CancellationToken ct);

    /// <summary>Notes when keys were last used; an instant never moves back.</summary>
    Task UsedAsync(IReadOnlyDictionary<string, DateTimeOffset> lastUsed, CancellationToken ct);
}

/// <summary>Who did what.</summary>
/// <param name="At">When, by the clock of the broker that took the request; stored by the store's.</param>
/// <param name="Key">Id of the key, or <c>anonymous</c>, <c>broker</c>, <c>command-line</c>.</param>
/// <param name="Action">Word, such as <c>cancel</c>.</param>
/// <param name="Workflow">Name of the workflow that it is about.</param>
/// <param name="InstanceId">Instance that it is about.</param>
/// <param name="Detail">What else identifies the thing: a version, a worker, a repository, a key.</param>
public sealed record AuditEntry(DateTimeOffset At, string Key, string Action, string? Workflow = null, string? InstanceId = null, string? Detail = null)
{
    /// <summary>Order of writing; 0 before it is written.</summary>
    public long Id { get; init; }
}

/// <summary>What to look for in the audit trail; null: no condition.</summary>
/// <param name="Action">Exactly this action.</param>
/// <param name="Workflow">Exactly this workflow.</param>
/// <param name="Key">Exactly this key id.</param>
/// <param name="Since">At that instant or later.</param>
/// <param name="BeforeId">Older than this entry: the last one of the page before.</param>
public sealed record AuditFilter(string? Action = null, string? Workflow = null, string? Key = null, DateTimeOffset? Since = null, long? BeforeId = null);

/// <summary>The audit trail: only ever added to, until its entries are old.</summary>
public interface IAuditStore
{
    /// <summary>Writes all in one transaction.</summary>
    Task AddAsync(IReadOnlyList<AuditEntry> entries, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<Page<AuditEntry>> ReadAsync(AuditFilter filter, int limit, CancellationToken ct);

    /// <summary>Removes what is older, at most a batch; returns how many.</summary>
    Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct);
}
