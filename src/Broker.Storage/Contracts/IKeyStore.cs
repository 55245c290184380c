namespace Broker.Storage.Contracts;

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
    /// <summary>Adds a key, with its line in the audit trail, in one transaction.</summary>
    /// <param name="key">Its instants are set here.</param>
    /// <param name="by">Name of its creator in the trail.</param>
    /// <param name="ct">Gives up.</param>
    Task AddAsync(StoredKey key, string by, CancellationToken ct);

    /// <summary>Revokes it for good, and says so in the audit trail; false when there is no such key, or it is revoked already.</summary>
    Task<bool> RevokeAsync(string id, string by, CancellationToken ct);

    /// <summary>All keys, revoked ones too, oldest first.</summary>
    Task<IReadOnlyList<StoredKey>> ListAsync(CancellationToken ct);

    /// <summary>Notes when keys were last used; an instant never moves back.</summary>
    Task UsedAsync(IReadOnlyDictionary<string, DateTimeOffset> lastUsed, CancellationToken ct);
}
