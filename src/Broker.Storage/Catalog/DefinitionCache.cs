using System.Collections.Concurrent;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Storage.Caching;
using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Catalog;

/// <summary>
/// Definitions by id, bounded by weight. They never change, so an evicted one is read again when it is asked for. One that a request
/// or a cached run still holds is found again instead: there is at most one copy of each.
/// </summary>
internal sealed class DefinitionCache(IDatabase database, QueueCatalog queues, StoreEpoch epoch, TimeProvider clock) : IDisposable
{
    /// <summary>
    /// How long a broker takes a definition for stored after it has found it in the database. The use of a definition is written as often. One that any
    /// broker takes for stored was used at most twice that long ago, and does not expire.
    /// </summary>
    public static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of definitions that are kept.</summary>
    private const long Limit = 64 << 20;

    /// <summary>Ids by name and version that are kept, in each half.</summary>
    private const int Names = 16_384;

    private readonly WeightedCache<int, WorkflowDefinition> byId = new(Limit);
    private volatile ConcurrentLru<(string Name, string Version), int> ids = new(Names);
    private volatile ConcurrentLru<(string Name, string Version), long> checkedAt = new(Names);
    private readonly ConcurrentDictionary<int, Lazy<Task<WorkflowDefinition>>> loading = new();
    private volatile LiveTable<int, WorkflowDefinition> live = new();

    // Reading one of 20,000 steps takes 100 ms and some 50 MB of garbage.
    private readonly SemaphoreSlim loads = new(Math.Max(2, Environment.ProcessorCount));

    public async ValueTask<WorkflowDefinition> GetAsync(int id, CancellationToken ct)
    {
        if (byId.TryGet(id, out var known)) return known;
        await loads.WaitAsync(ct);
        try
        {
            return await LoadAsync(id);
        }
        finally
        {
            loads.Release();
        }
    }

    /// <summary>For batch loops, which block a thread of their own and do not queue behind lists that are being read.</summary>
    public WorkflowDefinition Get(int id) => byId.TryGet(id, out var known) ? known : LoadAsync(id).GetAwaiter().GetResult();

    /// <summary>For batch loops, which block a thread of their own.</summary>
    public int IdOf(WorkflowDefinition definition)
    {
        if (ids.TryGet((definition.Name, definition.Version), out var known)) return known;
        var id = IdOfAsync(definition, CancellationToken.None).AsTask().GetAwaiter().GetResult();

        // So that its steps can be written.
        Get(id);
        return id;
    }

    /// <summary>The row id of a registered definition.</summary>
    public async ValueTask<int> IdOfAsync(WorkflowDefinition definition, CancellationToken ct)
    {
        if (ids.TryGet((definition.Name, definition.Version), out var id)) return id;
        var seen = epoch.Number;
        await using var db = database.CreateContext();
        var stored = await db.Definitions.Where(d => d.Name == definition.Name && d.Version == definition.Version)
            .Select(d => new { d.Id, d.Fingerprint }).SingleOrDefaultAsync(ct);

        // A registered one goes only with the history that it was registered in.
        if (stored is null || stored.Fingerprint != definition.Fingerprint) throw new StaleEpochException();
        ids.Set((definition.Name, definition.Version), stored.Id);
        epoch.Require(seen);
        return stored.Id;
    }

    /// <summary>A definition that has just been stored from the document of that very object.</summary>
    public void Add(int id, WorkflowDefinition stored) => Keep(id, stored);

    /// <summary>The id of a definition that was found in the database so shortly ago that it cannot have expired since.</summary>
    public bool TryGetId(WorkflowDefinition definition, out int id)
    {
        var key = (definition.Name, definition.Version);
        id = 0;
        return checkedAt.TryGet(key, out var at) && clock.GetElapsedTime(at) < SeenEvery && ids.TryGet(key, out id);
    }

    /// <summary>The definition has just been found in the database, or stored there.</summary>
    public void Checked(WorkflowDefinition definition, int id)
    {
        var key = (definition.Name, definition.Version);
        ids.Set(key, id);
        checkedAt.Set(key, clock.GetTimestamp());
    }

    /// <summary>It is in the database no longer.</summary>
    public void Forget(int id, string name, string version)
    {
        ids.Remove((name, version));
        checkedAt.Remove((name, version));
        byId.Remove(id);
    }

    /// <summary>The database has another history, and definitions may have other ids there.</summary>
    public void Forget()
    {
        (ids, checkedAt) = (new(Names), new(Names));
        live = new();
        loading.Clear();
        byId.Clear();
    }

    public void Dispose() => loads.Dispose();

    // Requests for the same definition share one load.
    private async Task<WorkflowDefinition> LoadAsync(int id)
    {
        if (byId.TryGet(id, out var known)) return known;
        var load = loading.GetOrAdd(id, wanted => new Lazy<Task<WorkflowDefinition>>(() => ReadAsync(wanted)));
        try
        {
            return await load.Value;
        }
        finally
        {
            loading.TryRemove(new(id, load));
        }
    }

    private async Task<WorkflowDefinition> ReadAsync(int id)
    {
        var seen = epoch.Number;
        if (!live.TryGet(id, out var definition))
        {
            await using var db = database.CreateContext();
            definition = Read(await db.Definitions.AsNoTracking().SingleOrDefaultAsync(d => d.Id == id) ?? throw new StaleEpochException());
        }

        // So that its steps can be written.
        await queues.LearnAsync(definition, id, CancellationToken.None);
        ids.Set((definition.Name, definition.Version), id);
        var kept = Keep(id, definition);
        epoch.Require(seen);
        return kept;
    }

    private WorkflowDefinition Keep(int id, WorkflowDefinition definition)
    {
        var one = live.GetOrAdd(id, definition);
        byId.Set(id, one, WeightOf(one));
        return one;
    }

    private static WorkflowDefinition Read(DefinitionRow row)
    {
        using var document = JsonDocument.Parse(row.Document);
        var reading = DefinitionReader.Read(document.RootElement, isStored: true);
        return reading.Definition
            ?? throw new InvalidDataException($"Definition {row.Name} {row.Version} is stored but cannot be read: {string.Join("; ", reading.Problems)}");
    }

    // Measured: a step without anything takes 400 bytes beside the document, which is two bytes a character.
    private static long WeightOf(WorkflowDefinition definition) => 4096 + (2L * definition.Document.Length) + (500L * definition.Steps.Length);
}
