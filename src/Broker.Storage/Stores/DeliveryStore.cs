using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class DeliveryStore(IDatabase database, IPageReads pages) : IDeliveryStore
{
    // A subscription with many due ones must not hide the others': so many are looked at for each that is wanted.
    private const int Looked = 4;

    public async Task<IReadOnlyList<StoredDelivery>> QueueAsync(IReadOnlyList<NewDelivery> deliveries, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var messages = deliveries.Select(d => d.MessageId).Distinct().ToArray();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var known = await db.Deliveries.Where(d => messages.Contains(d.MessageId)).Select(d => new { d.WebhookId, d.MessageId }).ToListAsync(ct);
        var before = known.Select(d => (d.WebhookId, d.MessageId)).ToHashSet();
        var rows = deliveries.Where(d => before.Add((d.WebhookId, d.MessageId))).Select(d => new WebhookDeliveryRow
        {
            WebhookId = d.WebhookId,
            MessageId = d.MessageId,
            Type = d.Type,
            Body = d.BodyJson,
            CreatedAt = now,
            Due = now,
        }).ToList();
        db.Deliveries.AddRange(rows);
        await db.SaveChangesAsync(ct);
        return rows.ConvertAll(DeliveryOf);
    }

    public async Task<IReadOnlyList<StoredDelivery>> TakeAsync(
        string owner, IReadOnlyDictionary<string, int> room, int most, TimeSpan lease, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var webhooks = room.Keys.ToArray();
        await using var db = database.CreateContext();
        var due = await Due(db, now, webhooks, most * Looked).Select(d => new { d.Id, d.WebhookId }).ToListAsync(ct);
        var left = new Dictionary<string, int>(room, StringComparer.Ordinal);
        var chosen = due.Where(d => left[d.WebhookId]-- > 0).Take(most).Select(d => d.Id).ToList();
        if (chosen.Count == 0) return [];

        // A second broker waits for the first one's rows and then finds them leased.
        var until = now + (lease.Ticks / TimeSpan.TicksPerMicrosecond);
        using (await database.WriteTurnAsync(ct))
        {
            await db.Deliveries.Where(d => chosen.Contains(d.Id) && d.Phase == (short)DeliveryPhase.Pending && d.Due <= now).ExecuteUpdateAsync(
                set => set.SetProperty(d => d.Owner, owner).SetProperty(d => d.Due, until), ct);
        }

        var rows = await db.Deliveries.AsNoTracking().Where(d => chosen.Contains(d.Id) && d.Owner == owner).OrderBy(d => d.Id).ToListAsync(ct);
        return rows.ConvertAll(DeliveryOf);
    }

    /// <summary>Deliveries that are due, the longest due first.</summary>
    internal static IQueryable<WebhookDeliveryRow> Due(BrokerDb db, long now, string[] webhooks, int most) =>
        db.Deliveries.Where(d => d.Phase == (short)DeliveryPhase.Pending && d.Due <= now && webhooks.Contains(d.WebhookId)).OrderBy(d => d.Due).Take(most);

    public async Task<bool> EndAsync(StoredDelivery delivery, string owner, AttemptResult result, DisableRule rule, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var phase = result.Error is null ? DeliveryPhase.Delivered : result.RetryAfter is null ? DeliveryPhase.Failed : DeliveryPhase.Pending;
        var (due, ended) = (now + ((result.RetryAfter ?? default).Ticks / TimeSpan.TicksPerMicrosecond), phase is DeliveryPhase.Pending ? (long?)null : now);
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var written = await db.Deliveries.Where(d => d.Id == delivery.Id && d.Owner == owner).ExecuteUpdateAsync(
            set => set
                .SetProperty(d => d.Phase, (short)phase)
                .SetProperty(d => d.Attempts, d => d.Attempts + 1)
                .SetProperty(d => d.Tries, d => d.Tries + 1)
                .SetProperty(d => d.Due, due)
                .SetProperty(d => d.Owner, (string?)null)
                .SetProperty(d => d.StatusCode, result.StatusCode)
                .SetProperty(d => d.Error, result.Error)
                .SetProperty(d => d.TookMs, result.TookMs)
                .SetProperty(d => d.EndedAt, ended),
            ct);
        if (written == 0) return false;
        await CountAsync(db.Webhooks.Where(w => w.Id == delivery.WebhookId), result, rule, now, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private static async Task CountAsync(IQueryable<WebhookRow> webhook, AttemptResult result, DisableRule rule, long now, CancellationToken ct)
    {
        if (result.Error is null)
        {
            await webhook.Where(w => w.Failures > 0).ExecuteUpdateAsync(set => set.SetProperty(w => w.Failures, 0).SetProperty(w => w.FailingSince, (long?)null), ct);
            return;
        }

        await webhook.ExecuteUpdateAsync(set => set.SetProperty(w => w.Failures, w => w.Failures + 1).SetProperty(w => w.FailingSince, w => w.FailingSince ?? now), ct);
        var since = now - (rule.Since.Ticks / TimeSpan.TicksPerMicrosecond);
        var isNow = result.Disable is not null;
        var reason = result.Disable ?? rule.Reason;
        await webhook.Where(w => w.IsEnabled && (isNow || (w.Failures >= rule.Failures && w.FailingSince <= since))).ExecuteUpdateAsync(
            set => set.SetProperty(w => w.IsEnabled, false).SetProperty(w => w.DisabledBecause, reason).SetProperty(w => w.UpdatedAt, now), ct);
    }

    public async Task<Page<StoredDelivery>> ListAsync(string webhookId, DeliveryPhase? phase, long? behind, int limit, CancellationToken ct, bool isBackward = false)
    {
        var rows = await pages.RunAsync(
            db =>
            {
                var of = db.Deliveries.AsNoTracking().Where(d => d.WebhookId == webhookId);
                if (behind is { } id) of = isBackward ? of.Where(d => d.Id > id) : of.Where(d => d.Id < id);
                if (phase is { } only)
                {
                    var number = (short)only;
                    of = of.Where(d => d.Phase == number);
                }

                return (isBackward ? of.OrderBy(d => d.Id) : of.OrderByDescending(d => d.Id)).Take(limit + 1).ToListAsync(ct);
            },
            ct);
        return new([.. rows.Take(limit).Select(DeliveryOf)], rows.Count > limit);
    }

    public async Task<StoredDelivery?> ReplayAsync(string webhookId, long id, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await db.Deliveries.Where(d => d.Id == id && d.WebhookId == webhookId && d.Owner == null).ExecuteUpdateAsync(
            set => set
                .SetProperty(d => d.Phase, (short)DeliveryPhase.Pending)
                .SetProperty(d => d.Tries, 0)
                .SetProperty(d => d.Due, now)
                .SetProperty(d => d.EndedAt, (long?)null),
            ct);
        return await db.Deliveries.AsNoTracking().SingleOrDefaultAsync(d => d.Id == id && d.WebhookId == webhookId, ct) is { } row ? DeliveryOf(row) : null;
    }

    public async Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct)
    {
        var limit = before.ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        return await db.Deliveries.Where(d => d.CreatedAt < limit).OrderBy(d => d.Id).Take(batch).ExecuteDeleteAsync(ct);
    }

    private static StoredDelivery DeliveryOf(WebhookDeliveryRow row) => new()
    {
        Id = row.Id,
        WebhookId = row.WebhookId,
        MessageId = row.MessageId,
        Type = row.Type,
        BodyJson = row.Body,
        Phase = (DeliveryPhase)row.Phase,
        Attempts = row.Attempts,
        Tries = row.Tries,
        CreatedAt = Instants.FromMicros(row.CreatedAt),
        Due = row.Phase == (short)DeliveryPhase.Pending ? Instants.FromMicros(row.Due) : null,
        StatusCode = row.StatusCode,
        Error = row.Error,
        TookMs = row.TookMs,
        EndedAt = Instants.FromMicros(row.EndedAt),
    };
}
