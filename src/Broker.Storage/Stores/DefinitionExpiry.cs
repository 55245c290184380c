using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>
/// Removes definitions that workers and dispatches made and that neither has asked for since: stock workers make new ids with every
/// process. One that a run, a schedule or a registered worker refers to stays.
/// </summary>
internal sealed class DefinitionExpiry(IDatabase database, IPageReads pages, DefinitionCache cache, QueueCatalog queues, WorkerStore workers) : IDefinitionExpiry
{
    // A lease is granted for a day at most, and a worker may be silent for all of it.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromHours(25);
    private const int Batch = 100;

    public async Task<int> RemoveAsync(TimeSpan unseenFor, CancellationToken ct)
    {
        var now = await database.NowAsync(ct);
        var silent = now - (unseenFor > LongestSilence ? unseenFor : LongestSilence);
        while (await workers.PruneRegisteredAsync(silent, Batch, ct) == Batch)
        {
            // The next batch.
        }

        var (removed, after, limit) = (0, 0, (now - unseenFor).ToMicros());
        var held = await HeldAsync(ct);
        while (true)
        {
            var from = after;
            var old = await pages.RunAsync(
                db => db.Definitions.Where(d => d.SeenAt < limit && d.Id > from && !db.Schedules.Any(s => s.Workflow == d.Name)).OrderBy(d => d.Id).Take(Batch)
                    .Select(d => new Candidate(d.Id, d.Name, d.Version)).ToListAsync(ct),
                ct);
            if (old.Count == 0) return removed;
            after = old[^1].Id;
            var unused = new List<Candidate>();
            foreach (var candidate in old.Where(d => !held.Contains(d.Id)))
            {
                if (!await HasRunsAsync(candidate, ct)) unused.Add(candidate);
            }

            removed += await RemoveAsync(unused, limit, ct);
        }
    }

    // Definitions that registered workers may claim.
    private async Task<HashSet<int>> HeldAsync(CancellationToken ct)
    {
        var lists = await pages.RunAsync(
            db => db.Workers.Where(w => w.Kind == (short)WorkerKind.Registered).Select(w => w.Definitions).Distinct().ToListAsync(ct), ct);
        return [.. lists.SelectMany(JsonColumn.Read<int[]>)];
    }

    private Task<bool> HasRunsAsync(Candidate candidate, CancellationToken ct) =>
        pages.RunAsync(db => db.Runs.AnyAsync(r => r.Workflow == candidate.Name && r.DefinitionId == candidate.Id, ct), ct);

    // A run that was started since the look above has written down that its definition is used: the delete sees it.
    private async Task<int> RemoveAsync(List<Candidate> unused, long limit, CancellationToken ct)
    {
        if (unused.Count == 0) return 0;
        var gone = new List<Candidate>();
        using (await database.WriteTurnAsync(ct))
        {
            await using var db = database.CreateContext();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            foreach (var candidate in unused)
            {
                if (await db.Definitions.Where(d => d.Id == candidate.Id && d.SeenAt < limit).ExecuteDeleteAsync(ct) > 0) gone.Add(candidate);
            }

            var ids = gone.ConvertAll(g => g.Id);
            await db.Queues.Where(q => q.DefinitionId != null && ids.Contains(q.DefinitionId.Value)).ExecuteDeleteAsync(ct);
            await transaction.CommitAsync(ct);
        }

        foreach (var candidate in gone) cache.Forget(candidate.Id, candidate.Name, candidate.Version);
        queues.Forget(gone.Select(g => g.Id).ToHashSet());
        return gone.Count;
    }

    private sealed record Candidate(int Id, string Name, string Version);
}
