namespace Broker.Storage.Contracts;

/// <summary>State of a delivery. Numbers are stored.</summary>
public enum DeliveryPhase
{
    Pending = 0,
    Delivered = 1,

    /// <summary>Given up after its last attempt.</summary>
    Failed = 2,
}

/// <summary>A notice for one subscription.</summary>
public sealed record NewDelivery(string WebhookId, string MessageId, string Type, string BodyJson);

/// <summary>A notice on its way to one subscription, or the log of it.</summary>
public sealed record StoredDelivery
{
    public required long Id { get; init; }
    public required string WebhookId { get; init; }
    public required string MessageId { get; init; }
    public required string Type { get; init; }
    public required string BodyJson { get; init; }
    public required DeliveryPhase Phase { get; init; }

    /// <summary>All attempts.</summary>
    public required int Attempts { get; init; }

    /// <summary>Attempts since it was queued, or queued again.</summary>
    public required int Tries { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The next attempt, or the end of the lease of the one under way; null: none follows.</summary>
    public DateTimeOffset? Due { get; init; }
    public int? StatusCode { get; init; }
    public string? Error { get; init; }
    public int? TookMs { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>Outcome of an attempt.</summary>
/// <param name="StatusCode">Status of the answer; null: there was none.</param>
/// <param name="Error">Why it failed; null: it succeeded.</param>
/// <param name="TookMs">Its length.</param>
public sealed record AttemptResult(int? StatusCode, string? Error, int TookMs)
{
    /// <summary>Pause before the next attempt of a failed one; null: it was the last.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Why the subscription is disabled at once; null: it goes on.</summary>
    public string? Disable { get; init; }
}

/// <summary>When failures disable a subscription.</summary>
/// <param name="Failures">Attempts that failed in a row, at least.</param>
/// <param name="Since">Age of the first of them, at least.</param>
/// <param name="Reason">The subscription as it is then.</param>
public sealed record DisableRule(int Failures, TimeSpan Since, string Reason);

/// <summary>Notices on their way to subscriptions, and the log of them.</summary>
public interface IDeliveryStore
{
    /// <summary>Queues deliveries. One whose message its subscription has already is left out. Returns the queued ones.</summary>
    Task<IReadOnlyList<StoredDelivery>> QueueAsync(IReadOnlyList<NewDelivery> deliveries, CancellationToken ct);

    /// <summary>Leases deliveries that are due, the longest due first.</summary>
    /// <param name="owner">New for each call.</param>
    /// <param name="room">Subscriptions that may be sent to, each with the most of its deliveries.</param>
    /// <param name="most">At most that many in all.</param>
    /// <param name="lease">Until then no other broker takes them.</param>
    /// <param name="ct">Gives up.</param>
    Task<IReadOnlyList<StoredDelivery>> TakeAsync(string owner, IReadOnlyDictionary<string, int> room, int most, TimeSpan lease, CancellationToken ct);

    /// <summary>Writes the outcome of an attempt and counts it at the subscription; false when the lease is lost.</summary>
    Task<bool> EndAsync(StoredDelivery delivery, string owner, AttemptResult result, DisableRule rule, CancellationToken ct);

    /// <summary>Deliveries of a subscription, newest first, behind an id; backward those that are newer, the nearest first.</summary>
    Task<Page<StoredDelivery>> ListAsync(string webhookId, DeliveryPhase? phase, long? behind, int limit, CancellationToken ct, bool isBackward = false);

    /// <summary>Queues a delivery again, under the id of its message; null when there is none.</summary>
    Task<StoredDelivery?> ReplayAsync(string webhookId, long id, CancellationToken ct);

    /// <summary>Removes deliveries that were queued before, at most a batch; returns how many.</summary>
    Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct);
}
