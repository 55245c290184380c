using Broker.Core.Definitions;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>Rows of workflow files, and which versions of definitions they offer.</summary>
internal sealed class WorkflowFileStore(IDatabase database, DefinitionCache cache, QueueCatalog queues) : IWorkflowFileStore
{
    private const int MostAttempts = 5;

    public async Task<FolderOutcome> ApplyAsync(FolderChange change, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var (registered, withdrawn) = await TryApplyAsync(change, ct);
                foreach (var (id, _, definition) in registered)
                {
                    cache.Add(id, definition);
                    await queues.EnsureAsync(definition, id, ct);
                }

                return new([.. registered.Where(r => r.IsNew).Select(r => r.Definition)], withdrawn);
            }
            catch (Exception fault) when (attempt < MostAttempts && (database.IsTransient(fault) || (fault is DbUpdateException update && database.IsDuplicate(update)) || fault is DbUpdateConcurrencyException))
            {
                // Another broker with the same folder wrote the same at the same moment: look again.
            }
        }
    }

    private async Task<(List<(int Id, bool IsNew, WorkflowDefinition Definition)> Registered, List<string> Withdrawn)> TryApplyAsync(FolderChange change, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // A definition is saved by itself. Each save would compare every row of the folder again: 9 s of the write turn for 1,000 files.
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        var stored = await db.WorkflowFiles.Where(f => f.Source == change.Source || (change.IsWhole && change.IsAlone)).ToListAsync(ct);
        var before = stored.Where(f => f.Version is not null).Select(f => (f.Name, Version: f.Version!)).ToHashSet();
        var own = stored.Where(f => f.Source == change.Source).ToDictionary(f => f.Name, StringComparer.Ordinal);
        var named = change.Files.Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        var gone = stored.Where(f => change.Removed.Contains(f.Name) || (change.IsWhole && (f.Source != change.Source || !named.Contains(f.Name)))).ToList();
        db.WorkflowFiles.RemoveRange(gone);

        var registered = new List<(int Id, bool IsNew, WorkflowDefinition Definition)>();
        foreach (var file in change.Files.OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            var row = own.GetValueOrDefault(file.Name);
            if (row is null) db.WorkflowFiles.Add(row = new WorkflowFileRow { Name = file.Name, Source = change.Source, File = file.File });
            var isSame = row.File == file.File && row.Version == file.Definition?.Version && row.Error == file.Error;
            if (!isSame) row.ChangedAt = now;
            (row.File, row.Version, row.Error) = (file.File, file.Definition?.Version, file.Error);
            if (file.Definition is not { } definition) continue;

            // Read at the start, a file is what runs from then on; later, only when it changed.
            if (await DefinitionStore.PutFileAsync(db, definition, now, now + registered.Count, makeLatest: change.IsWhole || !isSame, ct) is not { } put)
                throw new InvalidOperationException($"the version {definition.Version} of workflow {definition.Name} is registered with other content");
            registered.Add((put.Id, put.IsNew, definition));
        }

        db.ChangeTracker.DetectChanges();
        await db.SaveChangesAsync(ct);
        var withdrawn = await WithdrawAsync(db, before, now, ct);
        await transaction.CommitAsync(ct);
        return (registered, withdrawn);
    }

    // A version that no row names any longer, of whatever folder, is not offered. Its runs go on; it expires when they are gone.
    private static async Task<List<string>> WithdrawAsync(BrokerDb db, IReadOnlySet<(string Name, string Version)> before, long now, CancellationToken ct)
    {
        var names = before.Select(b => b.Name).Distinct(StringComparer.Ordinal).ToList();
        var still = await db.WorkflowFiles.Where(f => names.Contains(f.Name) && f.Version != null).Select(f => new { f.Name, f.Version }).ToListAsync(ct);
        var offered = still.Select(f => (f.Name, f.Version!)).ToHashSet();
        var withdrawn = new List<string>();
        foreach (var (name, version) in before.Where(b => !offered.Contains(b)))
        {
            await db.Definitions.Where(d => d.Name == name && d.Version == version).ExecuteUpdateAsync(
                set => set.SetProperty(d => d.Withdrawn, true).SetProperty(d => d.SeenAt, now), ct);
            if (still.Exists(f => f.Name == name)) continue;
            await TriggerStore.FollowAsync(db, name, null, now, ct);
            withdrawn.Add(name);
        }

        return withdrawn;
    }

    public async Task<IReadOnlyList<StoredFile>> PageAsync(StoredFile? after, int take, CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var (name, source) = (after?.Name ?? "", after?.Source ?? "");
        return await db.WorkflowFiles
            .Where(f => string.Compare(f.Name, name) > 0 || (f.Name == name && string.Compare(f.Source, source) > 0))
            .OrderBy(f => f.Name).ThenBy(f => f.Source).Take(take)
            .Select(f => new StoredFile(f.Name, f.Source, f.File, f.Version, f.Error, Instants.FromMicros(f.ChangedAt)))
            .ToListAsync(ct);
    }

    public async Task<string?> ErrorOfAsync(string name, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return null;
        await using var db = database.CreateContext();
        var broken = await db.WorkflowFiles.Where(f => f.Name == name && f.Error != null).OrderBy(f => f.Source).Select(f => new { f.File, f.Error }).FirstOrDefaultAsync(ct);
        return broken is null ? null : $"{broken.File}: {broken.Error}";
    }
}
