using Broker.Background;
using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>
/// Sends due deliveries, 8 side by side and 2 of one subscription. A receiver that hangs holds its own share for 10 s at a time. Each attempt
/// is leased, so a broker that is killed leaves it to another one.
/// </summary>
internal sealed partial class WebhookSender(
    WebhookSubscriptions subscriptions, IDeliveryStore deliveries, WebhookCaller caller, IChanges changes, TimeProvider clock, ILogger<WebhookSender> log)
    : SignalledService(Topics.Deliveries, TimeSpan.FromSeconds(1), changes, clock, log)
{
    private const int Together = 8;
    private const int OfOne = 2;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    /// <summary>A row of failures disables a subscription when it has lasted, so a short outage with many deliveries does not.</summary>
    public static DisableRule Rule { get; } = new(20, TimeSpan.FromHours(1), "20 attempts or more failed in a row, for an hour or longer.");

    private readonly Dictionary<string, int> busy = new(StringComparer.Ordinal);
    private readonly HashSet<Task> sending = [];
    private readonly IChanges changes = changes;
    private readonly ILogger<WebhookSender> log = log;

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var began = 0;
        while (true)
        {
            sending.RemoveWhere(attempt => attempt.IsCompleted);
            var some = await SomeAsync(ct);
            began += some;
            if (some == 0) return began;
        }
    }

    /// <summary>Completes when no attempt is under way.</summary>
    internal Task QuietAsync() => Task.WhenAll(sending);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await QuietAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<int> SomeAsync(CancellationToken ct)
    {
        var all = subscriptions.All.Where(one => one.Webhook.IsEnabled).ToDictionary(one => one.Webhook.Id, one => one.Webhook, StringComparer.Ordinal);
        Dictionary<string, int> room;
        lock (busy) room = all.Keys.Select(id => (Id: id, Free: OfOne - busy.GetValueOrDefault(id))).Where(one => one.Free > 0).ToDictionary(one => one.Id, one => one.Free, StringComparer.Ordinal);
        var free = Together - sending.Count;
        if (room.Count == 0 || free <= 0) return 0;
        var owner = Guid.NewGuid().ToString("N");
        var due = await deliveries.TakeAsync(owner, room, free, Lease, ct);
        foreach (var delivery in due)
        {
            lock (busy) busy[delivery.WebhookId] = busy.GetValueOrDefault(delivery.WebhookId) + 1;
            sending.Add(SendAsync(all[delivery.WebhookId], delivery, owner, ct));
        }

        return due.Count;
    }

    private async Task SendAsync(StoredWebhook webhook, StoredDelivery delivery, string owner, CancellationToken ct)
    {
        await Task.Yield();
        try
        {
            var result = await caller.SendAsync(webhook, delivery, ct);
            if (result.Error is not null) result = result with { RetryAfter = result.Disable is null ? WebhookBackoff.After(delivery.Tries + 1, Random.Shared.NextDouble()) : null };
            await deliveries.EndAsync(delivery, owner, result, Rule, CancellationToken.None);
            if (result.Error is { } error) LogFailed(log, delivery.MessageId, webhook.Id, delivery.Attempts + 1, error);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            // Its lease expires, and the attempt is made again.
            LogLost(log, fault, delivery.MessageId, webhook.Id);
        }
        catch (OperationCanceledException)
        {
            // The same, when the broker stops.
        }
        finally
        {
            lock (busy) busy[delivery.WebhookId]--;
            changes.Signal(Topics.Deliveries);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Message {Message} to webhook {Webhook}: attempt {Attempt} failed: {Error}")]
    private static partial void LogFailed(ILogger logger, string message, string webhook, int attempt, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outcome of message {Message} to webhook {Webhook} could not be written; it is sent again")]
    private static partial void LogLost(ILogger logger, Exception fault, string message, string webhook);
}
