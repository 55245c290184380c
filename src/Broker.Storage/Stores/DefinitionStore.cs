using Broker.Core.Definitions;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class DefinitionStore(IDatabase database, DefinitionCache cache, QueueCatalog queues, IPageReads pages, VersionLimit versions) : IDefinitionStore
{
    public async Task<RegisterOutcome> RegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct)
    {
        // Registered before, the usual case: no transaction, no lock.
        if (!makeLatest && await AllKnownAsync(definitions, ct) is { } known) return new(known, null);

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var stored = await TryRegisterAsync(definitions, makeLatest, ct);
                if (stored is null) continue;
                if (stored.Conflict is not null || stored.Full is not null) return new([], stored.Conflict) { Full = stored.Full };
                var (registered, added) = (new List<WorkflowDefinition>(definitions.Count), new List<WorkflowDefinition>());
                foreach (var (given, row) in definitions.Zip(stored.Rows))
                {
                    if (row.IsNew) cache.Add(row.Id, given);
                    var definition = await cache.GetAsync(row.Id, ct);
                    cache.Checked(definition, row.Id);
                    await queues.EnsureAsync(definition, row.Id, ct);
                    registered.Add(definition);
                    if (row.IsNew) added.Add(definition);
                }

                return new(registered, null) { Added = added };
            }
            catch (DbUpdateException fault) when (database.IsDuplicate(fault) && attempt < 5)
            {
                // Another broker registered the same at the same moment: look again.
            }
        }
    }

    public async ValueTask<int> UseAsync(WorkflowDefinition definition, CancellationToken ct)
    {
        if (cache.TryGetId(definition, out var id)) return id;
        if ((await RegisterAsync([definition], makeLatest: false, ct)).Registered is not [_])
            throw new InvalidOperationException($"The definition {definition.Name} {definition.Version} is no longer stored, and another one has its name.");
        return await cache.IdOfAsync(definition, ct);
    }

    private async ValueTask<List<WorkflowDefinition>?> AllKnownAsync(IReadOnlyList<WorkflowDefinition> definitions, CancellationToken ct)
    {
        var known = new List<WorkflowDefinition>(definitions.Count);
        foreach (var definition in definitions)
        {
            if (!cache.TryGetId(definition, out var id)) return null;
            var stored = await cache.GetAsync(id, ct);
            if (stored.Fingerprint != definition.Fingerprint) return null;
            known.Add(stored);
        }

        return known;
    }

    // Null: what was found is gone again; look once more.
    private async Task<Stored?> TryRegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var rows = new List<(int Id, bool IsNew)>(definitions.Count);
        foreach (var definition in definitions)
        {
            // Without its document, which may be megabytes.
            var known = await db.Definitions.Where(d => d.Name == definition.Name && d.Version == definition.Version)
                .Select(d => new { d.Id, d.Fingerprint, d.SeenAt }).SingleOrDefaultAsync(ct);
            if (known is not null && known.Fingerprint != definition.Fingerprint) return new([], definition, null);
            var order = now + rows.Count;
            if (known is null)
            {
                if (!makeLatest && versions.Most > 0 && await db.Definitions.CountAsync(d => d.Name == definition.Name, ct) >= versions.Most)
                    return new([], null, definition);
                rows.Add((await AddAsync(db, definition, now, order, ct), true));
            }
            else
            {
                if (!await SeenAsync(db, known.Id, known.SeenAt, now, ct)) return null;
                if (makeLatest) await db.Definitions.Where(d => d.Id == known.Id).ExecuteUpdateAsync(set => set.SetProperty(d => d.LatestOrder, order), ct);
                rows.Add((known.Id, false));
            }

            if (makeLatest) await SupersedeAsync(db, definition.Name, rows[^1].Id, now, ct);
            if (known is null || makeLatest) await TriggerStore.FollowAsync(db, definition.Name, definition, now, ct);
        }

        if (!rows.Exists(row => row.IsNew)) await database.ConfirmAsync(db, ct);
        await transaction.CommitAsync(ct);
        return new(rows, null, null);
    }

    private static async Task<int> AddAsync(BrokerDb db, WorkflowDefinition definition, long now, long order, CancellationToken ct)
    {
        var row = new DefinitionRow
        {
            Name = definition.Name,
            Version = definition.Version,
            Fingerprint = definition.Fingerprint,
            Document = definition.Document,
            RegisteredAt = now,
            LatestOrder = order,
            FromFile = definition.Jobs is { FromFile: true },

            // Workflow files and posted workflows stay; workers register theirs again at each start.
            SeenAt = definition.Jobs is null ? now : null,
        };
        db.Definitions.Add(row);
        await db.SaveChangesAsync(ct);
        return row.Id;
    }

    // False when it has expired since it was read.
    private static async Task<bool> SeenAsync(BrokerDb db, int id, long? seenAt, long now, CancellationToken ct) =>
        !(seenAt < now - DefinitionCache.SeenEvery.Ticks / TimeSpan.TicksPerMicrosecond)
        || await db.Definitions.Where(d => d.Id == id).ExecuteUpdateAsync(set => set.SetProperty(d => d.SeenAt, now), ct) > 0;

    // Older editions of a file or of the sample are needed by their runs alone from now on; the edition that is put back stays.
    private static async Task SupersedeAsync(BrokerDb db, string name, int latest, long now, CancellationToken ct)
    {
        await db.Definitions.Where(d => d.Name == name && d.Id != latest && d.SeenAt == null)
            .Where(d => !db.WorkflowFiles.Any(f => f.Name == name && f.Version == d.Version))
            .ExecuteUpdateAsync(set => set.SetProperty(d => d.SeenAt, now), ct);
        await db.Definitions.Where(d => d.Id == latest && d.SeenAt != null).ExecuteUpdateAsync(set => set.SetProperty(d => d.SeenAt, (long?)null), ct);
    }

    /// <summary>The row of a file's definition, new or known; null when the known one has other content.</summary>
    internal static async Task<(int Id, bool IsNew)?> PutFileAsync(BrokerDb db, WorkflowDefinition definition, long now, long order, bool makeLatest, CancellationToken ct)
    {
        var known = await db.Definitions.Where(d => d.Name == definition.Name && d.Version == definition.Version)
            .Select(d => new { d.Id, d.Fingerprint }).SingleOrDefaultAsync(ct);
        if (known is not null && known.Fingerprint != definition.Fingerprint) return null;
        var id = known?.Id ?? await AddAsync(db, definition, now, order, ct);
        if (!makeLatest) return (id, known is null);
        await TriggerStore.FollowAsync(db, definition.Name, definition, now, ct);
        await db.Definitions.Where(d => d.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(d => d.LatestOrder, order).SetProperty(d => d.Withdrawn, false), ct);
        await SupersedeAsync(db, definition.Name, id, now, ct);
        return (id, known is null);
    }

    public async Task<WorkflowDefinition?> LatestAsync(string name, CancellationToken ct, bool evenWithdrawn = false)
    {
        if (!StorableText.Fits(name)) return null;
        await using var db = database.CreateContext();
        var latest = await db.Definitions.Where(d => d.Name == name).OrderByDescending(d => d.LatestOrder)
            .Select(d => new { d.Id, d.Withdrawn }).FirstOrDefaultAsync(ct);
        if (latest is null) return null;
        if (!latest.Withdrawn || evenWithdrawn) return await ReadAsync(latest.Id, ct);

        // A file that is gone leaves the name to what was registered before it; one that is broken keeps it.
        if (await db.WorkflowFiles.AnyAsync(f => f.Name == name && f.Error != null, ct)) return null;
        var before = await db.Definitions.Where(d => d.Name == name && !d.Withdrawn).OrderByDescending(d => d.LatestOrder).Select(d => new { d.Id }).FirstOrDefaultAsync(ct);
        return before is null ? null : await ReadAsync(before.Id, ct);
    }

    // A name whose latest definition is withdrawn has the one before, but none while its file cannot be read.
    private static IQueryable<DefinitionRow> Offered(BrokerDb db) => db.Definitions
        .Where(d => !d.Withdrawn && d.Id == db.Definitions.Where(o => o.Name == d.Name && !o.Withdrawn).OrderByDescending(o => o.LatestOrder).Select(o => o.Id).First())
        .Where(d => !db.WorkflowFiles.Any(f => f.Name == d.Name && f.Error != null)
            || d.Id == db.Definitions.Where(o => o.Name == d.Name).OrderByDescending(o => o.LatestOrder).Select(o => o.Id).First());

    public async Task<IReadOnlyList<DefinitionHead>> HeadsAsync(int after, int limit, CancellationToken ct, bool isBackward = false) => await pages.RunAsync(
        db => Ordered(db.Definitions
            .Where(d => (isBackward ? d.Id < after : d.Id > after) && !db.Definitions.Any(o => o.Name == d.Name && o.Id < d.Id))
            .Join(Offered(db), d => d.Name, o => o.Name, (d, o) => new Head { Id = d.Id, Name = d.Name, LatestId = o.Id }), isBackward)
            .Take(limit)
            .Select(h => new DefinitionHead(h.Id, h.Name, h.LatestId))
            .ToListAsync(ct),
        ct);

    private static IQueryable<Head> Ordered(IQueryable<Head> heads, bool isBackward) => isBackward ? heads.OrderByDescending(h => h.Id) : heads.OrderBy(h => h.Id);

    public async Task<IReadOnlyList<DefinitionHead>> FileHeadsAsync(CancellationToken ct) => await pages.RunAsync(
        db => Offered(db).Where(d => d.FromFile).Select(d => new DefinitionHead(d.Id, d.Name, d.Id)).ToListAsync(ct),
        ct);

    public ValueTask<WorkflowDefinition> GetAsync(DefinitionHead head, CancellationToken ct) => cache.GetAsync(head.LatestId, ct);

    private async Task<WorkflowDefinition> ReadAsync(int id, CancellationToken ct)
    {
        var definition = await cache.GetAsync(id, ct);
        await queues.EnsureAsync(definition, id, ct);
        return definition;
    }

    private sealed class Head
    {
        public int Id { get; init; }
        public required string Name { get; init; }
        public int LatestId { get; init; }
    }

    /// <summary>Outcome of one transaction for its definitions.</summary>
    private sealed record Stored(List<(int Id, bool IsNew)> Rows, WorkflowDefinition? Conflict, WorkflowDefinition? Full);
}

/// <param name="Most">Versions of one name; zero: any number.</param>
internal sealed record VersionLimit(int Most);
