using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>
/// The queues: one for each combination of who may claim, labels and priority. There are few, every broker knows them all, and a claim
/// turns into a short list of them; equal claims get the same list object, by which batches and waiting claims are grouped.
/// </summary>
internal sealed class QueueRegistry(IEngine engine)
{
    private const long StepBytes = 16 << 20;

    private readonly ConcurrentDictionary<string, QueueRow> byKey = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, QueueRow> byId = new();

    // By definition; one row stands for all steps of it where they share a queue. Measured: to make the key anew for each step that is
    // written was 2 % of the broker's processor time.
    private readonly WeightedCache<int, QueueRow[]> byStep = new(StepBytes);
    private readonly ConcurrentDictionary<int, bool> allowsAhead = new();
    private ConcurrentDictionary<string, IReadOnlyList<QueueRow>> lists = new(StringComparer.Ordinal);

    /// <summary>Grows when queues were added: lists taken before may lack some.</summary>
    public int Version => byId.Count;

    /// <summary>The queue of a step; its definition has gone through <see cref="EnsureAsync"/> or <see cref="LearnAsync"/>.</summary>
    public QueueRow Of(StepDefinition step, int definitionId) =>
        Find(step, definitionId) ?? throw new InvalidOperationException($"The queue of step {step.Name} of definition {definitionId} is not known.");

    /// <summary>
    /// Whether all steps of these queues may be leased ahead of a request. Label queues hold jobs, so never; of a claim that may have others too,
    /// the order would suffer.
    /// </summary>
    public bool AllowAhead(IReadOnlyList<QueueRow> queues) => queues.All(q => q.DefinitionId is { } id && allowsAhead.GetValueOrDefault(id));

    /// <summary>Makes sure that all queues of a definition exist and are known here.</summary>
    public async Task EnsureAsync(WorkflowDefinition definition, int definitionId, CancellationToken ct)
    {
        allowsAhead[definitionId] = definition.AllowsAhead;
        if (Knows(definition, definitionId)) return;
        var missing = Kinds(definition)
            .Select(s => (Step: s, Key: KeyOf(s, definitionId)))
            .Where(s => !byKey.ContainsKey(s.Key))
            .DistinctBy(s => s.Key)
            .Select(s => new QueueRow
            {
                DefinitionId = s.Step.Command is null ? definitionId : null,
                Labels = JsonSerializer.Serialize(s.Step.RequiredLabels),
                Priority = s.Step.Priority,
                Key = s.Key,
            })
            .ToList();
        await RefreshAsync(ct);
        foreach (var queue in missing.Where(q => !byKey.ContainsKey(q.Key)))
        {
            using var turn = await engine.WriteTurnAsync(ct);
            await using var db = engine.CreateContext();
            db.Queues.Add(queue);
            try
            {
                await db.SaveChangesAsync(ct);
                Add(queue);
            }
            catch (DbUpdateException fault) when (engine.IsDuplicate(fault))
            {
                // Another broker was first; the refresh below reads its row.
            }
        }

        await RefreshAsync(ct);
        Knows(definition, definitionId);
    }

    /// <summary>For the definition of a run that exists: whichever broker started it has ensured its queues, so they only need to be read.</summary>
    public async Task LearnAsync(WorkflowDefinition definition, int definitionId, CancellationToken ct)
    {
        if (Knows(definition, definitionId)) return;
        await RefreshAsync(ct);
        Knows(definition, definitionId);
    }

    /// <summary>Reads queues that other brokers have added.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        var known = byId.IsEmpty ? 0 : byId.Keys.Max();

        // Ids may become visible out of order, so the last few are read again.
        foreach (var queue in await db.Queues.AsNoTracking().Where(q => q.Id > known - 64).ToListAsync(ct)) Add(queue);
    }

    private QueueRow? Find(StepDefinition step, int definitionId)
    {
        if (byStep.TryGet(definitionId, out var rows)) return rows.Length == 1 ? rows[0] : rows[step.Index];
        return byKey.GetValueOrDefault(KeyOf(step, definitionId));
    }

    // Whether the queues of all steps are known; remembers them then.
    private bool Knows(WorkflowDefinition definition, int definitionId)
    {
        if (byStep.TryGet(definitionId, out _)) return true;
        var rows = new QueueRow[definition.Steps.Length];
        StepDefinition? before = null;
        foreach (var step in definition.Steps)
        {
            if (before is not null && IsLike(step, before)) rows[step.Index] = rows[before.Index];
            else if (byKey.TryGetValue(KeyOf(step, definitionId), out var queue)) rows[step.Index] = queue;
            else return false;
            before = step;
        }

        if (rows.Length > 0 && Array.TrueForAll(rows, row => row == rows[0])) rows = [rows[0]];
        byStep.Set(definitionId, rows, 128 + (8 * rows.Length));
        return true;
    }

    // The first step of each stretch of steps that share a queue: 20,000 equal steps make one key.
    private static IEnumerable<StepDefinition> Kinds(WorkflowDefinition definition) =>
        definition.Steps.Where(s => s.Index == 0 || !IsLike(s, definition.Steps[s.Index - 1]));

    private static bool IsLike(StepDefinition step, StepDefinition other) =>
        step.Command is null == other.Command is null && step.Priority == other.Priority && step.RequiredLabels.SequenceEqual(other.RequiredLabels);

    private void Add(QueueRow queue)
    {
        if (!byId.TryAdd(queue.Id, queue)) return;
        byKey[queue.Key] = queue;
        lists = new(StringComparer.Ordinal);
    }

    /// <summary>Queues without a definition whose labels are all among the given ones, highest priority first. The key says the same.</summary>
    public IReadOnlyList<QueueRow> ForLabels(string key, IReadOnlyList<string> labels) =>
        lists.TryGetValue(key, out var known) ? known : List(key, labels, definitions: null);

    /// <summary>Queues of these definitions, highest priority first. The key says the same.</summary>
    public IReadOnlyList<QueueRow> ForDefinitions(string key, IReadOnlyList<int> definitions, IReadOnlyList<string> labels) =>
        lists.TryGetValue(key, out var known) ? known : List(key, labels, definitions.ToFrozenSet());

    private IReadOnlyList<QueueRow> List(string key, IReadOnlyList<string> labels, FrozenSet<int>? definitions)
    {
        var current = lists;
        var offered = labels.ToHashSet(StringComparer.Ordinal);
        var list = byId.Values
            .Where(q => definitions is null ? q.DefinitionId is null : q.DefinitionId is { } id && definitions.Contains(id))
            .Where(q => JsonSerializer.Deserialize<string[]>(q.Labels)!.All(offered.Contains))
            .OrderByDescending(q => q.Priority).ThenBy(q => q.Id)
            .ToList();

        // Claims choose their labels, so the cache is bounded.
        if (current.Count > 10_000) current.Clear();
        return current.GetOrAdd(key, list);
    }

    private static string KeyOf(StepDefinition step, int definitionId) =>
        $"{(step.Command is null ? definitionId : 0)}|{step.Priority}|{(step.RequiredLabels.IsEmpty ? "" : JsonSerializer.Serialize(step.RequiredLabels))}";
}
