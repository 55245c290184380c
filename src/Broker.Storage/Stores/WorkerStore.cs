using System.Collections.Concurrent;
using System.Security.Cryptography;
using Broker.Core.Definitions;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>The workers. Signs of life come with every request of every worker, so they are gathered and written once a second.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "The semaphore has no wait handle, and the last flush may come after the container is gone.")]
internal sealed class WorkerStore(
    IDatabase database, DefinitionCache definitions, IDefinitionStore definitionStore, ClaimScopes scopes, StoreEpoch epoch, IPageReads pages,
    TimeProvider clock) : IWorkerStore
{
    // The bound is against forged ids; a worker that is forgotten here is looked up again.
    private const int MostKnown = 100_000;
    private readonly ConcurrentDictionary<string, byte> known = new(StringComparer.Ordinal);
    // How long an unknown id is not looked up again; another broker may register it meanwhile.
    private static readonly TimeSpan StrangerFor = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, long> strangers = new(StringComparer.Ordinal);

    // Labels of each worker's last claim: they are written when they change.
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> offered = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly SemaphoreSlim flushing = new(1);
    private Dictionary<string, Sign> pending = new(StringComparer.Ordinal);

    public async Task<bool> RegisterAsync(string id, IReadOnlyList<string> labels, CancellationToken ct, WorkerLimit? limit = null)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        if (limit is not null) await FlushAsync(ct);
        while (true)
        {
            var entry = limit is null ? null : await EntryAsync(id, ct);
            if (entry is not null && !MayReplace(entry, limit!, now)) return false;

            // Else the same id was registered at the same moment: now there is an entry to replace.
            if (!await TryRegisterAsync(id, JsonColumn.Write(labels), limit, entry, now, ct)) continue;
            Remember(id);
            return true;
        }
    }

    private async Task<WorkerRow?> EntryAsync(string id, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        return await db.Workers.AsNoTracking().SingleOrDefaultAsync(w => w.Id == id, ct);
    }

    // An entry of before the worker had a limited key is replaced once that worker has gone.
    private static bool MayReplace(WorkerRow entry, WorkerLimit limit, long now) =>
        entry.Kind == (short)WorkerKind.Labelled
        && (entry.SeenAt <= now - (long)limit.Offline.TotalMicroseconds || (LimitOf(entry.Workflows) is { } before && before.All(limit.Workflows.Contains)));

    private static string[]? LimitOf(string? workflows) => workflows is null ? null : JsonColumn.Read<string[]>(workflows);

    private async Task<bool> TryRegisterAsync(string id, string labels, WorkerLimit? limit, WorkerRow? entry, long now, CancellationToken ct)
    {
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var (workflows, before, registeredAt) = (limit is null ? null : JsonColumn.Write(limit.Workflows), entry?.Workflows, entry?.RegisteredAt);

        // Kind and definitions stay: a worker with an id from us keeps its claims, also when another worker registers under its id.
        var replaced = await db.Workers
            .Where(w => w.Id == id && (workflows == null || (w.Workflows == before && w.RegisteredAt == registeredAt)))
            .ExecuteUpdateAsync(
            set => set
                .SetProperty(w => w.Labels, labels)
                .SetProperty(w => w.Workflows, workflows)
                .SetProperty(w => w.RegisteredAt, now)
                .SetProperty(w => w.SeenAt, now)
                .SetProperty(w => w.LastTask, (string?)null),
            ct);
        return replaced > 0 || (entry is null && await TryAddAsync(db, RowOf(id, WorkerKind.Labelled, labels, "[]", now, workflows), ct));
    }

    public async Task<(string? Id, WorkflowDefinition? Conflict)> RegisterAsync(IReadOnlyList<WorkflowDefinition> registered, CancellationToken ct)
    {
        var seen = epoch.Number;
        var outcome = await definitionStore.RegisterAsync(registered, makeLatest: false, ct);
        if (outcome.Conflict is not null) return (null, outcome.Conflict);

        var ids = new SortedSet<int>();
        foreach (var definition in outcome.Registered) ids.Add(await definitions.IdOfAsync(definition, ct));
        var id = "w-" + RandomNumberGenerator.GetHexString(12, lowercase: true);
        var now = (await database.NowAsync(ct)).ToMicros();
        using (await database.WriteTurnAsync(ct))
        {
            // The ids of its definitions may be cached ones.
            await using var db = database.CreateContext();
            await db.Database.OpenConnectionAsync(ct);
            epoch.Require(seen);
            db.Workers.Add(RowOf(id, WorkerKind.Registered, "[]", JsonColumn.Write(ids), now));
            await db.SaveChangesAsync(ct);
        }

        scopes.Remember(id, [.. ids]);
        Remember(id);
        return (id, null);
    }

    private static WorkerRow RowOf(string id, WorkerKind kind, string labels, string definitions, long now, string? workflows = null) => new()
    {
        Id = id,
        Kind = (short)kind,
        Labels = labels,
        Definitions = definitions,
        Workflows = workflows,
        RegisteredAt = now,
        SeenAt = now,
    };

    private async Task<bool> TryAddAsync(BrokerDb db, WorkerRow row, CancellationToken ct)
    {
        db.Workers.Add(row);
        try
        {
            await db.SaveChangesAsync(ct);
            return true;
        }
        catch (DbUpdateException fault) when (database.IsDuplicate(fault))
        {
            return false;
        }
    }

    private void Remember(string id)
    {
        if (known.Count >= MostKnown) known.Clear();
        known[id] = 0;
        strangers.TryRemove(id, out _);
    }

    /// <summary>The database has another history: workers are looked up again.</summary>
    public void Forget()
    {
        known.Clear();
        strangers.Clear();
        offered.Clear();
    }

    public Task<bool> SeenAsync(string id, CancellationToken ct) => SeenAsync(id, null, ct);

    public async Task<bool> SeenAsync(string id, IReadOnlyList<string>? labels, CancellationToken ct)
    {
        if (!known.ContainsKey(id))
        {
            if (!StorableText.Fits(id) || IsKnownStranger(id)) return false;
            await using var db = database.CreateContext();
            if (!await db.Workers.AnyAsync(w => w.Id == id, ct))
            {
                RememberStranger(id);
                return false;
            }

            Remember(id);
        }

        Note(id, null, labels is not null && AreNew(id, labels) ? labels : null);
        return true;
    }

    private bool AreNew(string id, IReadOnlyList<string> labels)
    {
        if (offered.TryGetValue(id, out var before) ? before.SequenceEqual(labels) : labels.Count == 0) return false;
        if (offered.Count >= MostKnown) offered.Clear();
        offered[id] = labels;
        return true;
    }

    public void Seen(string id)
    {
        if (known.ContainsKey(id) || (StorableText.Fits(id) && !IsKnownStranger(id))) Note(id, null);
    }

    // Workers of the jobs dialect may claim without registering: asking the database at each of their claims cost more than the claim.
    private bool IsKnownStranger(string id)
    {
        if (!strangers.TryGetValue(id, out var asked)) return false;
        if (clock.GetElapsedTime(asked) < StrangerFor) return true;
        strangers.TryRemove(id, out _);
        return false;
    }

    public ValueTask<IReadOnlyList<string>> WorkflowsOfAsync(string id, CancellationToken ct) => scopes.WorkflowsOfAsync(id, ct);

    public async Task<IReadOnlyList<string>?> LimitOfAsync(string id, CancellationToken ct)
    {
        if (!StorableText.Fits(id)) return null;
        await using var db = database.CreateContext();
        return LimitOf(await db.Workers.Where(w => w.Id == id && w.Kind == (short)WorkerKind.Labelled).Select(w => w.Workflows).SingleOrDefaultAsync(ct));
    }

    public void Reported(string id, LastTask task)
    {
        if (StorableText.Fits(id)) Note(id, task);
    }

    private void RememberStranger(string id)
    {
        known.TryRemove(id, out _);
        if (strangers.Count >= MostKnown) strangers.Clear();
        strangers[id] = clock.GetTimestamp();
    }

    private void Note(string id, LastTask? task, IReadOnlyList<string>? labels = null)
    {
        var now = clock.GetUtcNow();
        lock (gate)
        {
            var before = pending.GetValueOrDefault(id);
            pending[id] = new(now, task ?? before.Task, labels ?? before.Labels);
        }
    }

    /// <summary>Writes the signs of life gathered so far. When that fails they are kept for the next time.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        await flushing.WaitAsync(ct);
        try
        {
            Dictionary<string, Sign> signs;
            lock (gate) (signs, pending) = (pending, new(StringComparer.Ordinal));
            if (signs.Count == 0) return;
            try
            {
                await WriteAsync(signs, ct);
            }
            catch
            {
                PutBack(signs);
                throw;
            }
        }
        finally
        {
            flushing.Release();
        }
    }

    private void PutBack(Dictionary<string, Sign> signs)
    {
        lock (gate)
        {
            foreach (var (id, sign) in signs)
                pending[id] = pending.TryGetValue(id, out var newer) ? newer with { Task = newer.Task ?? sign.Task, Labels = newer.Labels ?? sign.Labels } : sign;
        }
    }

    private async Task WriteAsync(Dictionary<string, Sign> signs, CancellationToken ct)
    {
        // Signs are timed by this broker's clock and stored by the store's: how long ago is the same on both.
        var (now, here) = (await database.NowAsync(ct), clock.GetUtcNow());
        long SeenAt(Sign sign) => (sign.At < here ? now - (here - sign.At) : now).ToMicros();

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                // One statement for all signs of life of the same second: they are exact to less than a second.
                foreach (var second in signs.Where(s => s.Value.IsOnlyLife).GroupBy(s => SeenAt(s.Value) / 1_000_000))
                {
                    foreach (var ids in second.Select(s => s.Key).Order(StringComparer.Ordinal).Chunk(1000))
                        await WriteSeenAsync(ids, second.Max(s => SeenAt(s.Value)), ct);
                }

                foreach (var some in signs.Where(s => !s.Value.IsOnlyLife).OrderBy(s => s.Key, StringComparer.Ordinal).Chunk(1000))
                    await WriteSignsAsync(some.ToDictionary(s => s.Key, s => (SeenAt(s.Value), s.Value)), ct);
                return;
            }
            catch (Exception fault) when (attempt < 4 && (database.IsTransient(fault) || fault is DbUpdateConcurrencyException))
            {
                // Another broker wrote or removed some of the same rows at the same moment; writing them again does no harm.
            }
        }
    }

    private async Task WriteSeenAsync(string[] ids, long at, CancellationToken ct)
    {
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var written = await db.Workers
            .Where(w => ids.Contains(w.Id))
            .ExecuteUpdateAsync(set => set.SetProperty(w => w.SeenAt, w => w.SeenAt > at ? w.SeenAt : at), ct);
        IReadOnlyList<string> there = written == ids.Length ? ids : await db.Workers.Where(w => ids.Contains(w.Id)).Select(w => w.Id).ToListAsync(ct);
        foreach (var id in ids.Except(there)) RememberStranger(id);
        foreach (var id in there)
        {
            if (!known.ContainsKey(id)) Remember(id);
        }
    }

    private async Task WriteSignsAsync(Dictionary<string, (long SeenAt, Sign Sign)> news, CancellationToken ct)
    {
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var ids = news.Keys.ToArray();
        var rows = await db.Workers.Where(w => ids.Contains(w.Id)).ToListAsync(ct);
        foreach (var row in rows)
        {
            var (at, sign) = news[row.Id];
            row.SeenAt = Math.Max(row.SeenAt, at);
            if (sign.Task is not null) row.LastTask = JsonColumn.Write(sign.Task);

            // A worker of the jobs dialect has those that it registered.
            if (sign.Labels is not null && row.Kind == (short)WorkerKind.Registered) row.Labels = JsonColumn.Write(sign.Labels);
        }

        await db.SaveChangesAsync(ct);
        Forget(ids.Except(rows.Select(r => r.Id)));
    }

    private void Forget(IEnumerable<string> ids)
    {
        foreach (var id in ids) known.TryRemove(id, out _);
    }

    public async Task<IReadOnlyList<WorkerView>> ListAsync(WorkerKind kind, DateTimeOffset? seenSince, WorkerView? after, int limit, CancellationToken ct)
    {
        if (after is null) await FlushAsync(ct);
        var (stored, since) = ((short)kind, seenSince?.ToMicros() ?? long.MinValue);
        var (at, last) = (after?.RegisteredAt.ToMicros() ?? long.MinValue, after?.Id ?? "");
        var (rows, leases) = await pages.RunAsync(
            async db =>
            {
                var found = await db.Workers.AsNoTracking()
                    .Where(w => w.Kind == stored && w.SeenAt >= since && (w.RegisteredAt > at || (w.RegisteredAt == at && string.Compare(w.Id, last) > 0)))
                    .OrderBy(w => w.RegisteredAt).ThenBy(w => w.Id).Take(limit).ToListAsync(ct);
                var ids = found.Select(w => w.Id).ToArray();

                // The status as a literal, so that the small index of leased steps serves.
                var leased = await db.Steps
                    .Where(s => s.Status == (short)StepStatus.Leased && ids.Contains(s.Worker!))
                    .Join(db.Runs, s => s.RunId, r => r.Id, (s, r) => new LeasedStep(s.Worker!, s.Idx, s.GrantedAt, r.DefinitionId))
                    .ToListAsync(ct);
                return (found, leased);
            },
            ct);
        var held = new Dictionary<string, LeasedStep>(StringComparer.Ordinal);
        foreach (var lease in leases.OrderBy(l => l.GrantedAt)) held[lease.Worker] = lease;

        var views = new List<WorkerView>(rows.Count);
        foreach (var row in rows)
        {
            var current = held.TryGetValue(row.Id, out var lease) ? (await definitions.GetAsync(lease.DefinitionId, ct)).NameOf(lease.Step) : null;
            views.Add(new(
                row.Id, JsonColumn.Read<string[]>(row.Labels), Instants.FromMicros(row.RegisteredAt), Instants.FromMicros(row.SeenAt),
                row.LastTask is null ? null : JsonColumn.Read<LastTask>(row.LastTask), current)
            {
                Workflows = LimitOf(row.Workflows),
            });
        }

        return views;
    }

    private sealed record LeasedStep(string Worker, int Step, long? GrantedAt, int DefinitionId);

    public Task<int> PruneAsync(DateTimeOffset silentSince, int batch, CancellationToken ct) => PruneAsync(WorkerKind.Labelled, silentSince, batch, ct);

    /// <summary>The same for registered ones, which may come back under their ids.</summary>
    public Task<int> PruneRegisteredAsync(DateTimeOffset silentSince, int batch, CancellationToken ct) =>
        PruneAsync(WorkerKind.Registered, silentSince, batch, ct);

    private async Task<int> PruneAsync(WorkerKind kind, DateTimeOffset silentSince, int batch, CancellationToken ct)
    {
        await FlushAsync(ct);
        var (since, stored) = (silentSince.ToMicros(), (short)kind);
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        var silent = await db.Workers
            .Where(w => w.Kind == stored && w.SeenAt < since)
            .OrderBy(w => w.SeenAt).Select(w => w.Id).Take(batch)
            .ToListAsync(ct);
        if (silent.Count == 0) return 0;
        var removed = await db.Workers.Where(w => silent.Contains(w.Id) && w.SeenAt < since).ExecuteDeleteAsync(ct);
        Forget(silent);
        return removed;
    }

    /// <summary>A sign of life, by this broker's clock.</summary>
    private readonly record struct Sign(DateTimeOffset At, LastTask? Task, IReadOnlyList<string>? Labels)
    {
        public bool IsOnlyLife => Task is null && Labels is null;
    }
}
