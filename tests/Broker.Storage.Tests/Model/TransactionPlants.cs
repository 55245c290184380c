using Broker.Core.Graphs;
using Broker.Core.Steps;
using Broker.Storage.Lanes;
using Broker.Storage.Model;

namespace Broker.Storage.Tests.Model;

/// <summary>Faults in what a transaction reads and writes.</summary>
internal static class TransactionPlants
{
    public static IEnumerable<Plant> All { get; } =
    [
        new("successors are written after the commit, and a crash may come between") { Unit = (unit, _) => new LateSuccessors(unit) },
        new("a commit that is answered and not made") { Unit = (unit, _) => new LostCommit(unit) },
        new("runs are read without their lock") { Unit = (unit, engine) => new UnlockedRead(unit, engine), NeedsPeers = true },
        new("a lost lease is not charged") { Unit = (unit, _) => new Rewritten(unit, changes => Each(changes, step => step.Losses = 0)) },
        new("a retry is not counted") { Unit = (unit, _) => new Rewritten(unit, changes => Each(changes, step => step.Attempt = 0)) },
        new("a pause goes on handing out")
        {
            Unit = (unit, _) => new Rewritten(unit, changes => Each(changes, step => step.Status = step.Status == StepRow.Held ? (short)StepStatus.Ready : step.Status)),
        },
        new("a cancelled run's leases stay live")
        {
            Unit = (unit, _) => new Rewritten(unit, changes => Each(changes, step =>
                step.Status = step is { Status: (short)StepStatus.Cancelled, Fence: not null } ? (short)StepStatus.Leased : step.Status)),
        },
        new("a restart leaves the old leases valid") { Unit = (unit, _) => new LeasesLeft(unit) },
        new("an event that was taken stays in the inbox") { Unit = (unit, _) => new Rewritten(unit, ForgetTaking) },
        new("what a join has counted is lost") { Unit = (unit, _) => new Rewritten(unit, ForgetJoins) },
    ];

    private static void Each(ChangeSet changes, Action<StepRow> change)
    {
        foreach (var step in changes.NewSteps.Concat(changes.Steps)) change(step);
    }

    private static void ForgetTaking(ChangeSet changes)
    {
        foreach (var taken in changes.Mail.GroupBy(m => m.RunId))
        {
            var at = changes.Runs.FindIndex(r => r.State.Id == taken.Key);
            var change = changes.Runs[at];
            changes.Runs[at] = change with { State = change.State with { Mail = change.State.Mail + taken.Count() } };
        }

        changes.Mail.Clear();
    }

    private static void ForgetJoins(ChangeSet changes)
    {
        for (var i = 0; i < changes.Runs.Count; i++)
            changes.Runs[i] = changes.Runs[i] with { State = changes.Runs[i].State with { Joins = JoinSet.Empty } };
    }

    /// <summary>Changes what is written.</summary>
    private sealed class Rewritten(IUnit inner, Action<ChangeSet> change) : PlantedUnit(inner)
    {
        public override Task<(IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats)> WriteAsync(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims, CancellationToken ct)
        {
            change(changes);
            return base.WriteAsync(changes, claims, ct);
        }
    }

    private sealed class LateSuccessors(IUnit inner) : PlantedUnit(inner)
    {
        private const int CrashEvery = 16;
        private readonly ChangeSet late = new();
        private int commits;

        public override Task<(IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats)> WriteAsync(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims, CancellationToken ct)
        {
            var roots = changes.NewRuns.Select(r => r.Id).ToHashSet();
            late.NewSteps.Clear();
            late.NewSteps.AddRange(changes.NewSteps.Where(s => !roots.Contains(s.RunId)));
            changes.NewSteps.RemoveAll(s => !roots.Contains(s.RunId));
            return base.WriteAsync(changes, claims, ct);
        }

        public override async Task<IReadOnlyList<(StepKey Step, string? Result)>> CommitAsync(IReadOnlyList<StepKey> upstream, CancellationToken ct)
        {
            var results = await base.CommitAsync(upstream, ct);
            if (late.NewSteps.Count == 0 || ++commits % CrashEvery == 0) return results;
            await Inner.WriteAsync(late, [], ct);
            await Inner.CommitAsync([], ct);
            return results;
        }
    }

    private sealed class LostCommit(IUnit inner) : PlantedUnit(inner)
    {
        private const int LostEvery = 50;
        private int commits;

        public override async Task<IReadOnlyList<(StepKey Step, string? Result)>> CommitAsync(IReadOnlyList<StepKey> upstream, CancellationToken ct)
        {
            if (++commits % LostEvery != 0) return await base.CommitAsync(upstream, ct);
            await Inner.RollbackAsync();
            return [];
        }
    }

    /// <summary>Reads on a second connection, whose locks are gone when the transaction decides.</summary>
    private sealed class UnlockedRead(IUnit inner, PlantedEngine engine) : PlantedUnit(inner)
    {
        private IUnit? reader;

        public override async Task<Loaded> BeginAsync(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, CancellationToken ct)
        {
            await Inner.NowAsync(ct);
            reader ??= await engine.OpenAsync(engine.Definitions!, ct);
            var loaded = await reader.BeginAsync(runs, steps, ct);
            await reader.RollbackAsync();
            return loaded;
        }

        public override async ValueTask DisposeAsync()
        {
            if (reader is not null) await reader.DisposeAsync();
            await base.DisposeAsync();
        }
    }

    private sealed class LeasesLeft(IUnit inner) : PlantedUnit(inner)
    {
        private ILookup<long, StepState>? found;

        public override async Task<ILookup<long, StepState>> ActiveStepsAsync(IReadOnlyList<long> runs, CancellationToken ct) => found = await base.ActiveStepsAsync(runs, ct);

        public override Task<(IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats)> WriteAsync(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims, CancellationToken ct)
        {
            foreach (var row in changes.Steps.Where(s => changes.Superseded.Contains(s.RunId)))
            {
                if (found?[row.RunId].FirstOrDefault(s => s.Index == row.Idx) is { Fence: not null } before)
                    (row.Fence, row.ExpiresAt) = (before.Fence, before.ExpiresAt.ToMicros());
            }

            return base.WriteAsync(changes, claims, ct);
        }
    }
}
