namespace Broker.Operators;

/// <summary>Subscription to events of runs.</summary>
public record Webhook
{
    /// <summary>Id.</summary>
    public required string Id { get; init; }

    /// <summary>Address that events are posted to.</summary>
    public required string Url { get; init; }

    /// <summary>Events that are sent.</summary>
    [WebhookEventWords]
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>Expression that chooses the runs; absent: all.</summary>
    public string? Where { get; init; }

    /// <summary>Events are sent.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Why the broker has disabled it.</summary>
    public string? DisabledBecause { get; init; }

    /// <summary>Attempts that failed since the last one that succeeded.</summary>
    public required int Failures { get; init; }

    /// <summary>The first of them.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Key that made it.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>Creation.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A subscription that was made, with its secret: it is shown this once.</summary>
public sealed record CreatedWebhook : Webhook
{
    /// <summary>Key of the signatures: whsec_ and 32 bytes in base64.</summary>
    public required string Secret { get; init; }
}

/// <summary>A subscription to make.</summary>
public sealed record NewWebhook
{
    /// <summary>Address that events are posted to: http or https, public unless the broker allows others.</summary>
    public string? Url { get; init; }

    /// <summary>Events to send, one or more.</summary>
    [WebhookEventWords]
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>Expression that chooses the runs; null: all.</summary>
    public string? Where { get; init; }
}

/// <summary>Change of a subscription; members without a value stay as they are.</summary>
public sealed record WebhookChange
{
    /// <summary>Another address.</summary>
    public string? Url { get; init; }

    /// <summary>Other events.</summary>
    [WebhookEventWords]
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>Another expression; an empty one chooses all runs.</summary>
    public string? Where { get; init; }

    /// <summary>true sends again, also what waited meanwhile; false stops.</summary>
    public bool? Enabled { get; init; }
}

/// <summary>An event on its way to one subscription, and afterwards the log of it.</summary>
public sealed record WebhookDelivery
{
    /// <summary>Id.</summary>
    public required long Id { get; init; }

    /// <summary>Header webhook-id: the same with each attempt and replay.</summary>
    public required string MessageId { get; init; }

    /// <summary>The event, or webhook.test.</summary>
    public required string Type { get; init; }

    /// <summary>pending, delivered or failed.</summary>
    [DeliveryStatusWords]
    public required string Status { get; init; }

    /// <summary>Attempts so far.</summary>
    public required int Attempts { get; init; }

    /// <summary>Creation.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The next attempt of a pending one; while one is under way, its end at the latest.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>End.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>HTTP status of the last answer.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>Why the last attempt failed.</summary>
    public string? Error { get; init; }

    /// <summary>Milliseconds that the last attempt took.</summary>
    public int? TookMs { get; init; }

    /// <summary>Body of the request.</summary>
    public required RawJson Payload { get; init; }
}

/// <summary>Body of a webhook's request.</summary>
/// <param name="Type">The event.</param>
/// <param name="Timestamp">When it happened, by the store's clock.</param>
/// <param name="Data">The run and its circumstances.</param>
public sealed record WebhookEvent(string Type, DateTimeOffset Timestamp, WebhookData Data);

/// <summary>Run that an event is about, and its circumstances.</summary>
public sealed record WebhookData
{
    /// <summary>Workflow.</summary>
    public string? Workflow { get; init; }

    /// <summary>Instance id.</summary>
    public string? Instance { get; init; }

    /// <summary>Number of the run.</summary>
    public int? Run { get; init; }

    /// <summary>Version of the definition.</summary>
    public string? Version { get; init; }

    /// <summary>The step that waits, that was given up, or that has starved for longest.</summary>
    public string? Step { get; init; }

    /// <summary>run.waiting: type of the event that the step waits for.</summary>
    public string? Event { get; init; }

    /// <summary>Error of the run or the step; its message has at most 300 characters.</summary>
    public RunError? Error { get; init; }

    /// <summary>queue.starved: labels that no worker offers.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>queue.starved: steps that no worker can take, counted up to 10,000.</summary>
    public int? Depth { get; init; }

    /// <summary>queue.starved: milliseconds that the oldest of them has been claimable.</summary>
    public long? OldestMs { get; init; }
}

/// <summary>Choice of deliveries.</summary>
public sealed record DeliveryQuery : PagedQuery
{
    /// <summary>pending, delivered, failed, or null for all.</summary>
    public string? Status { get; init; }
}
