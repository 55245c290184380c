using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class WebhookStore(IDatabase database) : IWebhookStore
{
    private const string AddTurn = "webhook";
    private const int DeletedTogether = 1_000;

    public async Task<IReadOnlyList<StoredWebhook>> ListAsync(CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var rows = await db.Webhooks.AsNoTracking().OrderBy(w => w.CreatedAt).ThenBy(w => w.Id).ToListAsync(ct);
        return rows.ConvertAll(WebhookOf);
    }

    public async Task<StoredWebhook?> FindAsync(string id, CancellationToken ct)
    {
        if (!StorableText.Fits(id)) return null;
        await using var db = database.CreateContext();
        return await db.Webhooks.AsNoTracking().SingleOrDefaultAsync(w => w.Id == id, ct) is { } row ? WebhookOf(row) : null;
    }

    public async Task<StoredWebhook?> AddAsync(StoredWebhook webhook, int most, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await database.LockAsync(db, [AddTurn], ct);
        if (await db.Webhooks.CountAsync(ct) >= most) return null;
        var row = new WebhookRow
        {
            Id = webhook.Id,
            Url = webhook.Url,
            Events = (int)webhook.Events,
            Choice = webhook.Where,
            Secret = webhook.Secret,
            IsEnabled = webhook.IsEnabled,
            KeyId = webhook.KeyId,
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.Webhooks.Add(row);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return WebhookOf(row);
    }

    public async Task<StoredWebhook?> ChangeAsync(StoredWebhook webhook, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using (await database.WriteTurnAsync(ct))
        {
            await using var db = database.CreateContext();
            await db.Webhooks.Where(w => w.Id == webhook.Id).ExecuteUpdateAsync(
                set => set
                    .SetProperty(w => w.Url, webhook.Url)
                    .SetProperty(w => w.Events, (int)webhook.Events)
                    .SetProperty(w => w.Choice, webhook.Where)
                    .SetProperty(w => w.IsEnabled, webhook.IsEnabled)
                    .SetProperty(w => w.DisabledBecause, webhook.DisabledBecause)
                    .SetProperty(w => w.Failures, 0)
                    .SetProperty(w => w.FailingSince, (long?)null)
                    .SetProperty(w => w.UpdatedAt, now),
                ct);
        }

        return await FindAsync(webhook.Id, ct);
    }

    public async Task<bool> DeleteAsync(string id, CancellationToken ct)
    {
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        if (await db.Webhooks.Where(w => w.Id == id).ExecuteDeleteAsync(ct) == 0) return false;
        while (await db.Deliveries.Where(d => d.WebhookId == id).OrderBy(d => d.Id).Take(DeletedTogether).ExecuteDeleteAsync(ct) == DeletedTogether)
        {
            // In bounded parts.
        }

        return true;
    }

    private static StoredWebhook WebhookOf(WebhookRow row) => new()
    {
        Id = row.Id,
        Url = row.Url,
        Events = (NoticeKinds)row.Events,
        Where = row.Choice,
        Secret = row.Secret,
        IsEnabled = row.IsEnabled,
        DisabledBecause = row.DisabledBecause,
        Failures = row.Failures,
        FailingSince = Instants.FromMicros(row.FailingSince),
        KeyId = row.KeyId,
        CreatedAt = Instants.FromMicros(row.CreatedAt),
        UpdatedAt = Instants.FromMicros(row.UpdatedAt),
    };
}
