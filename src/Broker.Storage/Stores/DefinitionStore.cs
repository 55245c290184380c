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
        if (!makeLatest && await AllKnownAsync(definitions, ct) is { } known) return new(known, null);

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var rows = await TryRegisterAsync(definitions, makeLatest, ct);
                if (rows.Conflict is not null) return new([], rows.Conflict);
                var registered = new List<WorkflowDefinition>(rows.Rows.Count);
                var added = new List<WorkflowDefinition>();
                for (var i = 0; i < definitions.Count; i++)
                {
                    var row = rows.Rows[i];
                    if (row.IsNew) cache.Add(row.Id, definitions[i]);
                    var definition = await cache.GetAsync(row.Id, ct);
                    await queues.EnsureAsync(definition, row.Id, ct);
                    registered.Add(definition);
                    if (row.IsNew) added.Add(definition);
                }

                return new(registered, null) { Added = added };
            }
            catch (DbUpdateException fault) when (engine.IsDuplicate(fault) && attempt < 5)
            {
                // Another broker registered the same at the same moment: look again.
            }
        }
    }

    private async ValueTask<List<WorkflowDefinition>?> AllKnownAsync(IReadOnlyList<WorkflowDefinition> definitions, CancellationToken ct)
    {
        var known = new List<WorkflowDefinition>(definitions.Count);
        foreach (var definition in definitions)
        {
            if (!cache.TryGetId(definition.Name, definition.Version, out var id)) return null;
            var stored = await cache.GetAsync(id, ct);
            if (stored.Fingerprint != definition.Fingerprint) return null;
            known.Add(stored);
        }

        return known;
    }

    private async Task<(List<(int Id, bool IsNew)> Rows, WorkflowDefinition? Conflict)> TryRegisterAsync(
        IReadOnlyList<WorkflowDefinition> definitions, bool makeLatest, CancellationToken ct)
    {
        var now = (await engine.NowAsync(ct)).ToMicros();
        using var turn = await engine.WriteTurnAsync(ct);
        await using var db = engine.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var rows = new List<(int Id, bool IsNew)>(definitions.Count);
        foreach (var definition in definitions)
        {
            // Without its document, which may be megabytes.
            var known = await db.Definitions.Where(d => d.Name == definition.Name && d.Version == definition.Version)
                .Select(d => new { d.Id, d.Fingerprint }).SingleOrDefaultAsync(ct);
            if (known is not null && known.Fingerprint != definition.Fingerprint) return ([], definition);
            var order = now + rows.Count;
            if (known is not null)
            {
                if (makeLatest) await db.Definitions.Where(d => d.Id == known.Id).ExecuteUpdateAsync(set => set.SetProperty(d => d.LatestOrder, order), ct);
                rows.Add((known.Id, false));
                continue;
            }

            var row = new DefinitionRow
            {
                Name = definition.Name,
                Version = definition.Version,
                Fingerprint = definition.Fingerprint,
                Document = definition.Document,
                RegisteredAt = now,
                LatestOrder = order,
            };
            db.Definitions.Add(row);
            await db.SaveChangesAsync(ct);
            rows.Add((row.Id, true));
        }

        await transaction.CommitAsync(ct);
        return (rows, null);
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
