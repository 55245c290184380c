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
        new("what is remembered of a run is believed") { Unit = (unit, _) => new Believed(unit), NeedsPeers = true },
        new("a lost lease is not charged") { Unit = (unit, _) => new Rewritten(unit, changes => Each(changes, step => step.Losses = 0)) },
        new("a lease granted ahead is charged") { Unit = (unit, _) => new AheadForgotten(unit) },
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
        new("a limited claim is given steps of any workflow") { Unit = (unit, _) => new Unlimited(unit) },
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
            changes.Runs[at] = change with { Run = change.Run with { State = change.State with { Mail = change.State.Mail + taken.Count() } } };
        }

        changes.Mail.Clear();
    }

    private static void ForgetJoins(ChangeSet changes)
    {
        for (var i = 0; i < changes.Runs.Count; i++)
            changes.Runs[i] = changes.Runs[i] with { Run = changes.Runs[i].Run with { State = changes.Runs[i].State with { Joins = JoinSet.Empty } } };
    }

    private sealed class Unlimited(IUnit inner) : PlantedUnit(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats) Write(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            var open = claims.Select(group => new ClaimGroup { Queues = group.Queues }).ToList();
            for (var i = 0; i < open.Count; i++) open[i].Slots.AddRange(claims[i].Slots);
            return base.Write(changes, open);
        }
    }

    /// <summary>Changes what is written.</summary>
    private sealed class Rewritten(IUnit inner, Action<ChangeSet> change) : PlantedUnit(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats) Write(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            change(changes);
            return base.Write(changes, claims);
        }
    }

    private sealed class LateSuccessors(IUnit inner) : PlantedUnit(inner)
    {
        private const int CrashEvery = 16;
        private readonly ChangeSet late = new();
        private int commits;

        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats) Write(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            var roots = changes.NewRuns.Select(r => r.Id).ToHashSet();
            late.NewSteps.Clear();
            late.NewSteps.AddRange(changes.NewSteps.Where(s => !roots.Contains(s.RunId)));
            changes.NewSteps.RemoveAll(s => !roots.Contains(s.RunId));
            return base.Write(changes, claims);
        }

        public override IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines)
        {
            var results = base.Commit(upstream, lines);
            if (late.NewSteps.Count == 0 || ++commits % CrashEvery == 0) return results;
            Inner.Write(late, []);
            Inner.Commit([], []);
            return results;
        }
    }

    private sealed class LostCommit(IUnit inner) : PlantedUnit(inner)
    {
        private const int LostEvery = 50;
        private int commits;

        public override IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines)
        {
            if (++commits % LostEvery != 0) return base.Commit(upstream, lines);
            Inner.Rollback();
            return [];
        }
    }

    /// <summary>Reads on a second connection, whose locks are gone when the transaction decides.</summary>
    private sealed class UnlockedRead(IUnit inner, PlantedEngine engine) : PlantedUnit(inner)
    {
        private IUnit? reader;

        public override Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps)
        {
            Inner.Now();
            reader ??= engine.Open(engine.Definitions!);
            var loaded = reader.Begin(runs, steps, locksSteps: false);
            reader.Rollback();
            return loaded;
        }

        public override Loaded? Recall(IReadOnlyList<HeldLease> leases) => null;

        public override void Dispose()
        {
            reader?.Dispose();
            base.Dispose();
        }
    }

    /// <summary>Begins as usual, so that nothing is checked, and decides by what it remembers.</summary>
    private sealed class Believed(IUnit inner) : PlantedUnit(inner)
    {
        public override Loaded? Recall(IReadOnlyList<HeldLease> leases)
        {
            if (base.Recall(leases) is not { } remembered) return null;
            Inner.Begin([.. remembered.Runs.Select(r => r.Ref.Id).Order()], [], locksSteps: false);
            return remembered;
        }
    }

    private sealed class AheadForgotten(IUnit inner) : PlantedUnit(inner)
    {
        public override Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps)
        {
            var loaded = base.Begin(runs, steps, locksSteps);
            var seen = loaded.Steps.SelectMany(run => run.Select(step => (RunId: run.Key, Step: step with { Ahead = false })));
            return loaded with { Steps = seen.ToLookup(s => s.RunId, s => s.Step) };
        }
    }

    private sealed class LeasesLeft(IUnit inner) : PlantedUnit(inner)
    {
        private ILookup<long, StepState>? found;

        public override ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs) => found = base.ActiveSteps(runs);

        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<StepStatus?> Heartbeats) Write(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            foreach (var row in changes.Steps.Where(s => changes.Superseded.Contains(s.RunId)))
            {
                if (found?[row.RunId].FirstOrDefault(s => s.Index == row.Idx) is { Fence: not null } before)
                    (row.Fence, row.ExpiresAt) = (before.Fence, before.ExpiresAt.ToMicros());
            }

            return base.Write(changes, claims);
        }
    }
}
