namespace Broker.Settings;

/// <summary>Keys <c>Broker:Webhooks:…</c>.</summary>
internal sealed record WebhookSettings
{
    /// <summary>Webhooks may be sent to loopback, private and link-local addresses.</summary>
    public bool AllowPrivate { get; init; }
}
