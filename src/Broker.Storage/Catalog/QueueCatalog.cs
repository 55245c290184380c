using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Storage.Caching;
using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Catalog;

/// <summary>
/// The queues: one for each combination of definition, labels and priority. There are few, every broker knows them all, and a claim
/// turns into a short list of them; equal claims get the same list object, by which batches and waiting claims are grouped.
/// </summary>
internal sealed class QueueCatalog(IDatabase database, StoreEpoch epoch)
{
    private volatile Known known = new();
    private int version;

    /// <summary>Grows when queues were added or forgotten: lists taken before may lack some.</summary>
    public int Version => Volatile.Read(ref version);

    /// <summary>Whether those of the database have been read: not before the first time, nor after they were forgotten.</summary>
    public bool IsRead => known.IsRead;

    /// <summary>The database has another history, and queues may have other ids there.</summary>
    public void Forget()
    {
        known = new();
        Interlocked.Increment(ref version);
    }

    /// <summary>Drops the queues of definitions that are gone; other brokers keep theirs, in which nothing is ready any more.</summary>
    public void Forget(IReadOnlySet<int> definitions)
    {
        var at = known;
        foreach (var queue in at.ById.Values.Where(q => q.DefinitionId is { } id && definitions.Contains(id)))
        {
            at.ById.TryRemove(queue.Id, out _);
            at.ByKey.TryRemove(queue.Key, out _);
        }

        at.ByStep.RemoveAll(key => definitions.Contains(key.Definition));
        foreach (var id in definitions) at.AllowsAhead.TryRemove(id, out _);

        at.Lists = new(StringComparer.Ordinal);
    }

    /// <summary>Whether a list is not of queues that were forgotten.</summary>
    public bool IsCurrent(IReadOnlyList<QueueRow> list) => list is not Listing listing || ReferenceEquals(listing.Of, known);

    /// <summary>The queue of a step; its definition has gone through <see cref="EnsureAsync"/> or <see cref="LearnAsync"/>.</summary>
    /// <param name="step">The step.</param>
    /// <param name="definitionId">Its definition.</param>
    /// <param name="runPriority">The priority of its run. Another broker may have started it, so that queues of that priority are read here first.</param>
    public QueueRow Of(StepDefinition step, int definitionId, int runPriority)
    {
        if (Find(known, step, definitionId, runPriority) is { } queue) return queue;

        // For batch loops, which block a thread of their own.
        if (runPriority != 0) RefreshAsync(CancellationToken.None).GetAwaiter().GetResult();
        return Find(known, step, definitionId, runPriority) ?? throw new StaleEpochException();
    }

    /// <summary>
    /// Whether all steps of these queues may be leased ahead of a request. Label queues hold jobs, so never; of a claim that may have others too,
    /// the order would suffer.
    /// </summary>
    public bool AllowAhead(IReadOnlyList<QueueRow> queues)
    {
        var at = known;
        return queues.All(q => q.DefinitionId is { } id && at.AllowsAhead.GetValueOrDefault(id));
    }

    /// <summary>Makes sure that all queues of a definition, for runs of that priority, exist and are known here.</summary>
    public async Task EnsureAsync(WorkflowDefinition definition, int definitionId, CancellationToken ct, int runPriority = 0)
    {
        var (seen, at) = (epoch.Number, known);
        at.AllowsAhead[definitionId] = definition.AllowsAhead;
        if (Knows(at, definition, definitionId, runPriority)) return;
        var missing = Kinds(definition)
            .Select(s => (Step: s, Key: KeyOf(s, definitionId, runPriority)))
            .Where(s => !at.ByKey.ContainsKey(s.Key))
            .DistinctBy(s => s.Key)
            .Select(s => new QueueRow
            {
                DefinitionId = s.Step.IsClaimedByLabels ? null : definitionId,
                Labels = JsonSerializer.Serialize(s.Step.RequiredLabels),
                Priority = s.Step.PriorityIn(runPriority),
                Key = s.Key,
            })
            .ToList();
        await RefreshAsync(at, ct);
        foreach (var queue in missing.Where(q => !at.ByKey.ContainsKey(q.Key)))
        {
            // The definition's id may be a cached one.
            using var turn = await database.WriteTurnAsync(ct);
            await using var db = database.CreateContext();
            await db.Database.OpenConnectionAsync(ct);
            epoch.Require(seen);
            db.Queues.Add(queue);
            try
            {
                await db.SaveChangesAsync(ct);
                Add(at, queue);
            }
            catch (DbUpdateException fault) when (database.IsDuplicate(fault))
            {
                // Another broker was first; the refresh below reads its row.
            }
        }

        await RefreshAsync(at, ct);
        Knows(at, definition, definitionId, runPriority);
    }

    /// <summary>For the definition of a run that exists: whichever broker started it has ensured its queues, so they only need to be read.</summary>
    public async Task LearnAsync(WorkflowDefinition definition, int definitionId, CancellationToken ct)
    {
        var at = known;
        if (Knows(at, definition, definitionId, 0)) return;
        await RefreshAsync(at, ct);
        Knows(at, definition, definitionId, 0);
    }

    /// <summary>Reads queues that other brokers have added.</summary>
    public Task RefreshAsync(CancellationToken ct) => RefreshAsync(known, ct);

    private async Task RefreshAsync(Known at, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var last = at.ById.Keys.DefaultIfEmpty().Max();

        // Ids may become visible out of order, so the last few are read again.
        foreach (var queue in await db.Queues.AsNoTracking().Where(q => q.Id > last - 64).ToListAsync(ct)) Add(at, queue);
        at.IsRead = true;
    }

    private static QueueRow? Find(Known at, StepDefinition step, int definitionId, int runPriority)
    {
        if (at.ByStep.TryGet((definitionId, runPriority), out var rows)) return rows.Length == 1 ? rows[0] : rows[PlaceOf(step, rows.Length)];
        return at.ByKey.GetValueOrDefault(KeyOf(step, definitionId, runPriority));
    }

    // Whether the queues of all steps are known; remembers them then.
    private static bool Knows(Known at, WorkflowDefinition definition, int definitionId, int runPriority)
    {
        if (at.ByStep.TryGet((definitionId, runPriority), out _)) return true;
        var rows = new QueueRow[definition.Steps.Length + definition.Maps.Length];
        StepDefinition? before = null;
        foreach (var step in definition.Steps.Concat(definition.Maps.Select(map => map.Item)))
        {
            var place = PlaceOf(step, rows.Length);
            if (before is not null && IsLike(step, before)) rows[place] = rows[PlaceOf(before, rows.Length)];
            else if (at.ByKey.TryGetValue(KeyOf(step, definitionId, runPriority), out var queue)) rows[place] = queue;
            else return false;
            before = step;
        }

        if (rows.Length > 0 && Array.TrueForAll(rows, row => row == rows[0])) rows = [rows[0]];
        at.ByStep.Set((definitionId, runPriority), rows, 128 + (8 * rows.Length));
        return true;
    }

    // Items of maps come behind the steps, those of the first map last.
    private static int PlaceOf(StepDefinition step, int length) => step.Index < StepDefinition.FirstDynamic ? step.Index : length - 1 - MapDefinition.OrdinalOf(step.Index);

    // The first step of each stretch of steps that share a queue: 20,000 equal steps make one key.
    private static IEnumerable<StepDefinition> Kinds(WorkflowDefinition definition) =>
        definition.Steps.Where(s => s.Index == 0 || !IsLike(s, definition.Steps[s.Index - 1])).Concat(definition.Maps.Select(map => map.Item));

    private static bool IsLike(StepDefinition step, StepDefinition other) =>
        step.IsClaimedByLabels == other.IsClaimedByLabels && step.Priority == other.Priority && step.RequiredLabels.SequenceEqual(other.RequiredLabels);

    private void Add(Known at, QueueRow queue)
    {
        if (!at.ById.TryAdd(queue.Id, queue)) return;
        at.ByKey[queue.Key] = queue;
        at.Lists = new(StringComparer.Ordinal);
        Interlocked.Increment(ref version);
    }

    /// <summary>Queues without a definition whose labels are all among the given ones, highest priority first. The key says the same.</summary>
    public IReadOnlyList<QueueRow> ForLabels(string key, IReadOnlyList<string> labels) =>
        List(known, key, labels, definitions: null);

    /// <summary>Queues of these definitions, highest priority first. The key says the same.</summary>
    public IReadOnlyList<QueueRow> ForDefinitions(string key, IReadOnlyList<int> definitions, IReadOnlyList<string> labels) =>
        List(known, key, labels, definitions);

    private static IReadOnlyList<QueueRow> List(Known at, string key, IReadOnlyList<string> labels, IReadOnlyList<int>? definitions)
    {
        var current = at.Lists;
        if (current.TryGetValue(key, out var made)) return made;
        var open = definitions?.ToFrozenSet();
        var offered = labels.ToHashSet(StringComparer.Ordinal);
        var list = at.ById.Values
            .Where(q => open is null ? q.DefinitionId is null : q.DefinitionId is { } id && open.Contains(id))
            .Where(q => JsonSerializer.Deserialize<string[]>(q.Labels)!.All(offered.Contains))
            .OrderByDescending(q => q.Priority).ThenBy(q => q.Id);

        // Claims choose their labels, so the cache is bounded.
        if (current.Count > 10_000) current.Clear();
        return current.GetOrAdd(key, new Listing(at, list));
    }

    private static string KeyOf(StepDefinition step, int definitionId, int runPriority) =>
        $"{(step.IsClaimedByLabels ? 0 : definitionId)}|{step.PriorityIn(runPriority)}|{(step.RequiredLabels.IsEmpty ? "" : JsonSerializer.Serialize(step.RequiredLabels))}";

    /// <summary>All queues of one history of the database.</summary>
    private sealed class Known
    {
        private const long StepBytes = 16 << 20;

        private volatile bool isRead;

        public bool IsRead
        {
            get => isRead;
            set => isRead = value;
        }

        public ConcurrentDictionary<string, QueueRow> ByKey { get; } = new(StringComparer.Ordinal);

        public ConcurrentDictionary<int, QueueRow> ById { get; } = new();

        // By definition and priority of the run; one row stands for all steps of it where they share a queue. Measured: to make the key anew for each step that is
        // written was 2 % of the broker's processor time.
        public WeightedCache<(int Definition, int RunPriority), QueueRow[]> ByStep { get; } = new(StepBytes);

        public ConcurrentDictionary<int, bool> AllowsAhead { get; } = new();

        public ConcurrentDictionary<string, IReadOnlyList<QueueRow>> Lists { get; set; } = new(StringComparer.Ordinal);
    }

    private sealed class Listing(Known of, IEnumerable<QueueRow> queues) : List<QueueRow>(queues)
    {
        public Known Of => of;
    }
}
