using System.Security.Cryptography;
using Broker.Auth;
using Broker.Core.Json;
using Broker.Operators.Where;
using Broker.Storage.Contracts;
using Broker.Webhooks;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int MostWebhooks = 100;
    private const int WebhookIdLength = 12;

    private static readonly string[] DeliveryWords = ["pending", "delivered", "failed"];

    public async Task<Listing<Webhook>> ListWebhooksAsync(CancellationToken ct) => new([.. (await webhooks.ListAsync(ct)).Select(WebhookOf)], null, engine.Now);

    public async Task<CreatedWebhook> CreateWebhookAsync(NewWebhook webhook, CancellationToken ct)
    {
        CheckUrl(webhook.Url);
        var secret = WebhookSignature.NewSecret();
        var stored = new StoredWebhook
        {
            Id = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", WebhookIdLength),
            Url = webhook.Url!,
            Events = EventsOf(webhook.Events),
            Where = WhereOf(webhook.Where),
            Secret = cipher.Encrypt(secret),
            KeyId = Caller.Current.Id,
        };
        var added = await webhooks.AddAsync(stored, MostWebhooks, ct)
            ?? throw new OperatorException(StatusCodes.Status409Conflict, "conflict", $"There are {MostWebhooks} webhooks already: delete one.");
        await ChangedAsync("create_webhook", added);
        return new CreatedWebhook
        {
            Id = added.Id,
            Url = added.Url,
            Events = WebhookEvents.WordsOf(added.Events),
            Where = added.Where,
            Enabled = added.IsEnabled,
            Failures = added.Failures,
            CreatedBy = added.KeyId,
            CreatedAt = added.CreatedAt,
            UpdatedAt = added.UpdatedAt,
            Secret = secret,
        };
    }

    public async Task<Webhook> GetWebhookAsync(string id, CancellationToken ct) => WebhookOf(await FindWebhookAsync(id, ct));

    public async Task<Webhook> ChangeWebhookAsync(string id, WebhookChange change, CancellationToken ct)
    {
        var before = await FindWebhookAsync(id, ct);
        if (change.Url is not null) CheckUrl(change.Url);
        var enabled = change.Enabled ?? before.IsEnabled;
        var changed = await webhooks.ChangeAsync(
            before with
            {
                Url = change.Url ?? before.Url,
                Events = change.Events is null ? before.Events : EventsOf(change.Events),
                Where = change.Where is null ? before.Where : WhereOf(change.Where),
                IsEnabled = enabled,
                DisabledBecause = enabled || before.IsEnabled ? null : before.DisabledBecause,
            },
            ct) ?? throw NoWebhook(id);
        await ChangedAsync("change_webhook", changed);
        return WebhookOf(changed);
    }

    public async Task<Webhook> DeleteWebhookAsync(string id, CancellationToken ct)
    {
        var before = await FindWebhookAsync(id, ct);
        if (!await webhooks.DeleteAsync(id, ct)) throw NoWebhook(id);
        await ChangedAsync("delete_webhook", before);
        return WebhookOf(before);
    }

    public async Task<Listing<WebhookDelivery>> ListDeliveriesAsync(string id, DeliveryQuery query, CancellationToken ct)
    {
        await FindWebhookAsync(id, ct);
        var list = ListPage.Read(query.Cursor, $"deliveries {id} {query.Status}", 1);
        var phase = query.Status is null ? (DeliveryPhase?)null : (DeliveryPhase)Array.IndexOf(DeliveryWords, query.Status);
        var page = await deliveries.ListAsync(id, phase, list.Place?.Numbers[0], query.Limit, ct, list.IsBackward);
        return list.Of(page.Rows, delivery => new(delivery.Id), DeliveryOf, page.HasMore, engine.Now);
    }

    public async Task<WebhookDelivery> ReplayDeliveryAsync(string id, long delivery, CancellationToken ct)
    {
        await FindEnabledAsync(id, ct);
        var replayed = await deliveries.ReplayAsync(id, delivery, ct) ?? throw OperatorException.NotFound($"There is no delivery {delivery} of webhook '{id}'.");
        await trail.RecordAsync("replay_delivery", detail: $"{id} {replayed.MessageId}");
        changes.Signal(Topics.Deliveries);
        return DeliveryOf(replayed);
    }

    public async Task<WebhookDelivery> TestWebhookAsync(string id, CancellationToken ct)
    {
        await FindEnabledAsync(id, ct);
        var queued = await deliveries.QueueAsync([new(id, $"msg_{Guid.NewGuid():N}", WebhookEvents.Test, WebhookMessage.Test(engine.Now))], ct);
        await trail.RecordAsync("test_webhook", detail: id);
        changes.Signal(Topics.Deliveries);
        return DeliveryOf(queued[0]);
    }

    // Written before the answer; this broker and the others take the change in at once.
    private async Task ChangedAsync(string action, StoredWebhook webhook)
    {
        await trail.RecordAsync(action, detail: $"{webhook.Id} {webhook.Url}");
        await subscriptions.RefreshAsync(CancellationToken.None);
        changes.Signal(Topics.Webhooks);
        changes.Signal(Topics.Deliveries);
    }

    private async Task<StoredWebhook> FindWebhookAsync(string id, CancellationToken ct) => await webhooks.FindAsync(id, ct) ?? throw NoWebhook(id);

    private async Task FindEnabledAsync(string id, CancellationToken ct)
    {
        if (!(await FindWebhookAsync(id, ct)).IsEnabled) throw new OperatorException(StatusCodes.Status409Conflict, "conflict", "The webhook is disabled: enable it first.");
    }

    private static OperatorException NoWebhook(string id) => OperatorException.NotFound($"There is no webhook '{id}'.");

    private void CheckUrl(string? url)
    {
        if (url is not null && !StorableText.Fits(url)) throw BadMember("url", StorableText.Message);
        if (AddressRule.Refusal(url, engine.Settings.Webhooks.AllowPrivate) is { } refusal) throw BadMember("url", refusal);
    }

    private static NoticeKinds EventsOf(IReadOnlyList<string>? events) => WebhookEvents.Read(events) ?? throw BadMember("events", WebhookEvents.Expected);

    private static string? WhereOf(string? where)
    {
        if (where is not null && !StorableText.Fits(where)) throw BadMember("where", StorableText.Message);
        return WhereExpression.TryParse(where, out var read, out var error) ? (read.Terms.Count == 0 ? null : read.ToString()) : throw BadMember("where", error!.ToString());
    }

    private static Webhook WebhookOf(StoredWebhook webhook) => new()
    {
        Id = webhook.Id,
        Url = webhook.Url,
        Events = WebhookEvents.WordsOf(webhook.Events),
        Where = webhook.Where,
        Enabled = webhook.IsEnabled,
        DisabledBecause = webhook.DisabledBecause,
        Failures = webhook.Failures,
        FailingSince = webhook.FailingSince,
        CreatedBy = webhook.KeyId,
        CreatedAt = webhook.CreatedAt,
        UpdatedAt = webhook.UpdatedAt,
    };

    private static WebhookDelivery DeliveryOf(StoredDelivery delivery) => new()
    {
        Id = delivery.Id,
        MessageId = delivery.MessageId,
        Type = delivery.Type,
        Status = DeliveryWords[(int)delivery.Phase],
        Attempts = delivery.Attempts,
        CreatedAt = delivery.CreatedAt,
        NextAt = delivery.Due,
        EndedAt = delivery.EndedAt,
        HttpStatus = delivery.StatusCode,
        Error = delivery.Error,
        TookMs = delivery.TookMs,
        Payload = new(delivery.BodyJson),
    };
}
