using System.Collections.Concurrent;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Definitions never change, so each is read and parsed once.</summary>
internal sealed class DefinitionCache(IEngine engine, QueueRegistry queues)
{
    private readonly ConcurrentDictionary<int, WorkflowDefinition> byId = new();

    /// <summary>Those whose queues are known as well, so that their steps can be written.</summary>
    private readonly ConcurrentDictionary<int, WorkflowDefinition> usable = new();
    private readonly ConcurrentDictionary<(string Name, string Version), int> ids = new();

    public async ValueTask<WorkflowDefinition> GetAsync(int id, CancellationToken ct)
    {
        if (usable.TryGetValue(id, out var known)) return known;
        if (!byId.TryGetValue(id, out var definition))
        {
            await using var db = engine.CreateContext();
            definition = Add(await db.Definitions.AsNoTracking().SingleAsync(d => d.Id == id, ct));
        }

        await queues.LearnAsync(definition, id, ct);
        return usable.GetOrAdd(id, definition);
    }

    /// <summary>For lanes, which have threads of their own to wait on.</summary>
    public WorkflowDefinition Get(int id) =>
        usable.TryGetValue(id, out var known) ? known : GetAsync(id, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <summary>For lanes, which have threads of their own to wait on.</summary>
    public int IdOf(WorkflowDefinition definition) => ids.TryGetValue((definition.Name, definition.Version), out var id)
        ? id
        : IdOfAsync(definition, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <summary>A definition that <see cref="GetAsync"/> has returned before.</summary>
    public WorkflowDefinition Cached(int id) => byId[id];

    public WorkflowDefinition Add(DefinitionRow row)
    {
        if (byId.TryGetValue(row.Id, out var known)) return known;
        using var document = JsonDocument.Parse(row.Document);
        var reading = DefinitionReader.Read(document.RootElement);
        var definition = reading.Definition
            ?? throw new InvalidDataException($"Definition {row.Name} {row.Version} is stored but cannot be read: {string.Join("; ", reading.Problems)}");
        ids[(row.Name, row.Version)] = row.Id;
        return byId.GetOrAdd(row.Id, definition);
    }

    /// <summary>The row id of a registered definition.</summary>
    public async ValueTask<int> IdOfAsync(WorkflowDefinition definition, CancellationToken ct)
    {
        if (ids.TryGetValue((definition.Name, definition.Version), out var id)) return id;
        await using var db = engine.CreateContext();
        var row = await db.Definitions.AsNoTracking().SingleAsync(d => d.Name == definition.Name && d.Version == definition.Version, ct);
        Add(row);
        return row.Id;
    }

    public bool TryGetId(string name, string version, out int id) => ids.TryGetValue((name, version), out id);
}
