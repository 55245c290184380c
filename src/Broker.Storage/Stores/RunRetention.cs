using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>
/// Walks the old end of the index that lists a workflow's runs by creation, one workflow after the other, and remembers where it is. No
/// run ends before it was created, so that is where all candidates are; an index by the instant of the end would cost every run its
/// cheapest kind of update on PostgreSQL. An old run that stays (active, or kept for longer) is passed once in each walk.
/// </summary>
internal sealed class RunRetention(IDatabase database) : IRetention
{
    /// <summary>Runs looked at in a round, at most.</summary>
    private const int Looked = 2000;
    private const int Workflows = 500;

    // Each with thousands of steps perhaps: on SQLite no other transaction writes meanwhile.
    private const int Together = 100;

    // On PostgreSQL they hold up no other transaction, and each exchange with it takes its time.
    private const int TogetherOnPostgres = 250;

    private Position position = Position.Start;

    public async Task<RetentionRound> RemoveEndedAsync(RetentionTimes keep, CancellationToken ct)
    {
        if (!keep.Removes) return new(0, 0, true);
        var limits = new Limits(keep, await database.NowAsync(ct));
        var (at, looked, candidates) = await LookAsync(position, limits, ct);
        var removed = 0;
        foreach (var some in candidates.Chunk(Most())) removed += await RemoveAsync(some, ct);
        position = at;
        StorageMetrics.RunsRemoved.Add(removed);
        return new(looked, removed, at == Position.Start);
    }

    private int Most()
    {
        using var db = database.CreateContext();
        return db.Database.IsNpgsql() ? TogetherOnPostgres : Together;
    }

    private async Task<(Position Reached, int Looked, List<Candidate> Found)> LookAsync(Position from, Limits limits, CancellationToken ct)
    {
        var found = new List<Candidate>();
        var left = Looked;
        await using var db = database.CreateContext();

        // Only those whose oldest run is old, and that asked of all in one statement. With a thousand workflows it was a thousand of them each minute.
        var names = await db.Definitions.Where(d => string.Compare(d.Name, from.Workflow) >= 0)
            .Select(d => d.Name).Distinct()
            .Where(n => db.Runs.Where(r => r.Workflow == n).Min(r => (long?)r.CreatedAt) < limits.Youngest)
            .OrderBy(n => n).Take(Workflows).ToListAsync(ct);
        foreach (var name in names)
        {
            var (created, id) = name == from.Workflow ? (from.CreatedAt, from.Id) : (long.MinValue, 0);

            // Creation twice: the first condition is where the index walk begins, the second where in one instant.
            var page = await db.Runs
                .Where(r => r.Workflow == name && r.CreatedAt >= created && (r.CreatedAt > created || r.Id > id) && r.CreatedAt < limits.Youngest)
                .OrderBy(r => r.CreatedAt).ThenBy(r => r.Id).Take(left)
                .Select(r => new Candidate(r.Id, r.CreatedAt, r.Phase, r.EndedAt, r.IsCurrent)).ToListAsync(ct);
            found.AddRange(page.Where(limits.Passed));
            left -= page.Count;
            if (left == 0) return (new(name, page[^1].CreatedAt, page[^1].Id), Looked, found);
        }

        return (names.Count < Workflows ? Position.Start : new(names[^1], long.MaxValue, 0), Looked - left, found);
    }

    // A further run may be added to the instance at the same moment: the deletes look again, under the row's lock.
    private async Task<int> RemoveAsync(Candidate[] candidates, CancellationToken ct)
    {
        var ids = candidates.Select(c => c.Id).ToArray();
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Runs.Where(r => ids.Contains(r.Id) && !r.IsCurrent).ExecuteDeleteAsync(ct);
        await db.Runs
            .Where(r => ids.Contains(r.Id) && !db.Runs.Any(o => o.Workflow == r.Workflow && o.InstanceId == r.InstanceId && o.Number < r.Number))
            .ExecuteDeleteAsync(ct);
        var kept = await db.Runs.Where(r => ids.Contains(r.Id)).Select(r => r.Id).ToListAsync(ct);
        var gone = ids.Except(kept).ToArray();
        await db.Steps.Where(s => gone.Contains(s.RunId)).ExecuteDeleteAsync(ct);
        await db.Attempts.Where(a => gone.Contains(a.RunId)).ExecuteDeleteAsync(ct);
        await db.Events.Where(e => gone.Contains(e.RunId)).ExecuteDeleteAsync(ct);
        await db.Streams.Where(s => gone.Contains(s.RunId)).ExecuteDeleteAsync(ct);
        await db.Inbox.Where(i => gone.Contains(i.RunId)).ExecuteDeleteAsync(ct);
        await db.Logs.Where(l => l.RunId != null && gone.Contains(l.RunId.Value)).ExecuteDeleteAsync(ct);
        await db.LogSizes.Where(s => gone.Contains(s.RunId)).ExecuteDeleteAsync(ct);
        await db.RunTags.Where(t => gone.Contains(t.RunId)).ExecuteDeleteAsync(ct);
        await transaction.CommitAsync(ct);
        return gone.Length;
    }

    private sealed record Candidate(long Id, long CreatedAt, short Phase, long? EndedAt, bool IsCurrent);

    private readonly record struct Position(string Workflow, long CreatedAt, long Id)
    {
        public static Position Start => new("", long.MinValue, 0);
    }

    /// <summary>Instants before which a run must have ended to go.</summary>
    private sealed class Limits(RetentionTimes keep, DateTimeOffset now)
    {
        private readonly long succeeded = Before(keep.Succeeded, now);
        private readonly long failed = Before(keep.Failed, now);
        private readonly long cancelled = Before(keep.Cancelled, now);

        public long Youngest => Math.Max(succeeded, Math.Max(failed, cancelled));

        public bool Passed(Candidate run) => run.EndedAt < (RunPhase)run.Phase switch
        {
            RunPhase.Succeeded => succeeded,
            RunPhase.Failed => failed,
            RunPhase.Cancelled => cancelled,
            RunPhase.Active or RunPhase.Pausing or RunPhase.Paused => long.MinValue,
        };

        private static long Before(TimeSpan kept, DateTimeOffset now) => kept > TimeSpan.Zero ? (now - kept).ToMicros() : long.MinValue;
    }
}
