using Broker.Core.Definitions;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class DefinitionStore(IEngine engine, DefinitionCache cache, QueueRegistry queues) : IDefinitionStore
{
    public async Task<RegisterOutcome> RegisterAsync(IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct)
    {
        // Registered before, the usual case: no transaction, no lock.
        if (!makeLatest && AllKnown(definitions) is { } known) return new(known, null);

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var rows = await TryRegisterAsync(definitions, makeLatest, ct);
                if (rows.Conflict is not null) return new([], rows.Conflict);
                var registered = new List<WorkflowDefinition>(rows.Rows.Count);
                foreach (var row in rows.Rows)
                {
                    var definition = cache.Add(row);
                    await queues.EnsureAsync(definition, row.Id, ct);
                    registered.Add(definition);
                }

                return new(registered, null) { Added = [.. rows.Added.Select(cache.Add)] };
            }
            catch (DbUpdateException fault) when (engine.IsDuplicate(fault) && attempt < 5)
            {
                // Another broker registered the same at the same moment: look again.
            }
        }
    }

    private List<WorkflowDefinition>? AllKnown(IReadOnlyList<WorkflowDefinition> definitions)
    {
        var known = new List<WorkflowDefinition>(definitions.Count);
        foreach (var definition in definitions)
        {
            if (!cache.TryGetId(definition.Name, definition.Version, out var id) || cache.Cached(id).Fingerprint != definition.Fingerprint) return null;
            known.Add(cache.Cached(id));
        }

        return known;
    }

    private async Task<(List<DefinitionRow> Rows, List<DefinitionRow> Added, WorkflowDefinition? Conflict)> TryRegisterAsync(
        IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct)
    {
        var now = (await engine.NowAsync(ct)).ToMicros();
        using var turn = await engine.WriteTurnAsync(ct);
        await using var db = engine.CreateContext();
        var rows = new List<DefinitionRow>(definitions.Count);
        var added = new List<DefinitionRow>();
        foreach (var definition in definitions)
        {
            var row = rows.Find(r => r.Name == definition.Name && r.Version == definition.Version)
                ?? await db.Definitions.SingleOrDefaultAsync(d => d.Name == definition.Name && d.Version == definition.Version, ct);
            if (row is not null && row.Fingerprint != definition.Fingerprint) return ([], [], definition);
            if (row is null)
            {
                row = new DefinitionRow
                {
                    Name = definition.Name,
                    Version = definition.Version,
                    Fingerprint = definition.Fingerprint,
                    Document = definition.Document,
                    RegisteredAt = now,
                    LatestOrder = now + rows.Count,
                };
                db.Definitions.Add(row);
                added.Add(row);
            }
            else if (makeLatest)
            {
                row.LatestOrder = now + rows.Count;
            }

            rows.Add(row);
        }

        await db.SaveChangesAsync(ct);
        return (rows, added, null);
    }

    public async Task<WorkflowDefinition?> LatestAsync(string name, CancellationToken ct)
    {
        if (!StoredText.Fits(name)) return null;
        await using var db = engine.CreateContext();
        var latest = await db.Definitions.Where(d => d.Name == name).OrderByDescending(d => d.LatestOrder).Select(d => new { d.Id }).FirstOrDefaultAsync(ct);
        return latest is null ? null : await ReadAsync(latest.Id, ct);
    }

    public async Task<IReadOnlyList<WorkflowDefinition>> ListAsync(CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        var heads = await db.Definitions.Select(d => new { d.Id, d.Name, d.LatestOrder }).ToListAsync(ct);
        var list = new List<WorkflowDefinition>();
        foreach (var versions in heads.GroupBy(d => d.Name).OrderBy(g => g.Min(d => d.Id))) list.Add(await ReadAsync(versions.MaxBy(d => d.LatestOrder)!.Id, ct));
        return list;
    }

    private async Task<WorkflowDefinition> ReadAsync(int id, CancellationToken ct)
    {
        var definition = await cache.GetAsync(id, ct);
        await queues.EnsureAsync(definition, id, ct);
        return definition;
    }
}
