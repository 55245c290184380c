namespace Broker.Storage.Contracts;

/// <summary>A subscription.</summary>
public sealed record StoredWebhook
{
    public required string Id { get; init; }
    public required string Url { get; init; }
    public required NoticeKinds Events { get; init; }

    /// <summary>Expression that chooses the runs; null: all.</summary>
    public string? Where { get; init; }

    /// <summary>Encrypted by the host.</summary>
    public required string Secret { get; init; }
    public bool IsEnabled { get; init; } = true;
    public string? DisabledBecause { get; init; }
    public int Failures { get; init; }
    public DateTimeOffset? FailingSince { get; init; }
    public required string KeyId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>Subscriptions. They are few: each broker keeps them all in memory.</summary>
public interface IWebhookStore
{
    Task<IReadOnlyList<StoredWebhook>> ListAsync(CancellationToken ct);

    Task<StoredWebhook?> FindAsync(string id, CancellationToken ct);

    /// <summary>Adds a subscription; null when there are <paramref name="most"/> already.</summary>
    Task<StoredWebhook?> AddAsync(StoredWebhook webhook, int most, CancellationToken ct);

    /// <summary>Replaces address, events, choice and switch, and forgets the failures; null when there is none.</summary>
    Task<StoredWebhook?> ChangeAsync(StoredWebhook webhook, CancellationToken ct);

    /// <summary>Deletes a subscription; false when there is none. Its deliveries go with it.</summary>
    Task<bool> DeleteAsync(string id, CancellationToken ct);
}
