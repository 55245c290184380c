using Broker.Operators;
using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>Makes deliveries of notices: one for each subscription that asks for the event and whose expression chooses the run.</summary>
internal sealed class NoticeHandler(WebhookSubscriptions subscriptions, IDeliveryStore deliveries, IRunSearch search, IChanges changes, TimeProvider clock) : IOutboxHandler
{
    public OutboxKind Kind => OutboxKind.Notice;

    public async Task HandleAsync(IReadOnlyList<OutboxEntry> entries, CancellationToken ct)
    {
        // The broker that wrote them may know of a subscription that this one does not know yet.
        await subscriptions.RefreshAsync(ct);
        var notices = entries.Select(entry => (entry.RunId, Notice: RunNotice.Read(entry))).ToList();
        await QueueAsync([.. notices.Select(one => new Message(one.RunId, one.Notice.Kind, one.Notice.Id, WebhookMessage.Of(one.Notice)))], ct);
    }

    /// <summary>Queues messages for the subscriptions that they fit.</summary>
    public async Task QueueAsync(IReadOnlyList<Message> messages, CancellationToken ct)
    {
        var queued = new List<NewDelivery>();
        foreach (var subscription in subscriptions.All.Where(one => one.Webhook.IsEnabled))
        {
            var wanted = messages.Where(message => subscription.Webhook.Events.HasFlag(message.Kind)).ToList();
            if (wanted.Count == 0) continue;
            var fitting = await FittingAsync(subscription, wanted, ct);
            queued.AddRange(wanted.Where(message => fitting?.Contains(message.RunId) is not false)
                .Select(message => new NewDelivery(subscription.Webhook.Id, message.Id, WebhookEvents.WordOf(message.Kind), message.BodyJson)));
        }

        if (queued.Count == 0 || (await deliveries.QueueAsync(queued, ct)).Count == 0) return;
        changes.Signal(Topics.Deliveries);
    }

    // Null: all. A run that was deleted meanwhile fits no condition.
    private async Task<HashSet<long>?> FittingAsync(Subscription subscription, List<Message> messages, CancellationToken ct)
    {
        if (subscription.Where.Terms.Count == 0) return null;
        var filter = RunFilterReader.Of(subscription.Where, clock.GetUtcNow(), limit: null);
        var found = await search.FitAsync(filter, [.. messages.Select(message => message.RunId).Distinct()], ct);
        return [.. found.Select(run => run.Ref.Id)];
    }
}

/// <summary>An event about a run.</summary>
internal sealed record Message(long RunId, NoticeKinds Kind, string Id, string BodyJson);
