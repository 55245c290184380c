using Broker.Background;
using Broker.Operators.Where;
using Broker.Storage.Contracts;

namespace Broker.Webhooks;

/// <summary>A subscription with its expression read.</summary>
internal sealed record Subscription(StoredWebhook Webhook, WhereExpression Where);

/// <summary>The subscriptions in memory, and what they make transactions write. Other brokers' changes arrive with a signal, at the latest after 2 s.</summary>
internal sealed class WebhookSubscriptions(IWebhookStore store, INoticeWishes wishes, IChanges changes, TimeProvider clock, ILogger<WebhookSubscriptions> log)
    : SignalledService(Topics.Webhooks, TimeSpan.FromSeconds(2), changes, clock, log)
{
    private volatile IReadOnlyList<Subscription> all = [];

    public IReadOnlyList<Subscription> All => all;

    /// <summary>Reads them anew.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        var stored = await store.ListAsync(ct);
        if (stored.SequenceEqual(all.Select(known => known.Webhook))) return;
        all = [.. stored.Select(webhook => new Subscription(webhook, Read(webhook.Where)))];
        wishes.All = [.. all.Where(one => one.Webhook.IsEnabled).Select(one => new NoticeWish(one.Webhook.Events, WorkflowsOf(one.Where)))];
    }

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await RefreshAsync(ct);
        return 0;
    }

    private static WhereExpression Read(string? text) => WhereExpression.TryParse(text, out var where, out _) ? where : WhereExpression.All;

    // The first condition on the workflow's name, which a transaction can check by itself.
    private static HashSet<string>? WorkflowsOf(WhereExpression where) =>
        where.Terms.FirstOrDefault(term => term is { Field: "workflow", Operator: WhereOperator.Equal }) is { } term ? term.Values.Select(value => value.Text).ToHashSet(StringComparer.Ordinal) : null;
}
