using Broker.Core.Graphs;
using Broker.Core.Steps;
using Broker.Storage.Dispatch;
using Broker.Storage.Tables;

namespace Broker.Storage.Tests.Model;

/// <summary>Faults in what a transaction reads and writes.</summary>
internal static class TransactionFaults
{
    public static IEnumerable<InjectedFault> All { get; } =
    [
        new("successors are written after the commit, and a crash may come between")
        {
            Transaction = (transaction, _) => new LateSuccessors(transaction),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 0",
        },
        new("a commit that is answered and not made")
        {
            Transaction = (transaction, _) => new LostCommit(transaction),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 0",
        },
        new("runs are read without their lock") { Transaction = (transaction, engine) => new UnlockedRead(transaction, engine), NeedsPeers = true },
        new("what is remembered of a run is believed") { Transaction = (transaction, _) => new Believed(transaction), NeedsPeers = true },
        new("a lost lease is not charged")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, changes => Each(changes, step => step.Losses = 0)),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 ExpireLease 0 0 | 0 Reap 0 0",
        },
        new("work that was put off is charged")
        {
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 4",
            Transaction = (transaction, _) => new Rewritten(transaction, changes => Each(changes, step => step.Attempt += step.Status == (short)StepStatus.Ready && step.Due > step.QueuedAt ? 1 : 0)),
        },
        new("a step that comes back has no limit")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, changes => changes.Steps.ForEach(step => step.Deadline = null)),
            Shown = "limits: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 6 | 0 TimeOutReady 0 0",
        },
        new("a run that has ended keeps its limit")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, KeepLimits),
            Shown = "limits: 0 Start 0 0 | 0 Cancel 0 0 | 0 TimeOutRun 0 0",
        },
        new("a lease granted ahead is charged")
        {
            Transaction = (transaction, _) => new AheadForgotten(transaction),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Unrecord 0 0 | 0 ExpireLease 0 0 | 0 Reap 0 0",
        },
        new("a retry is not counted")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, changes => Each(changes, step => step.Attempt = 0)),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 8",
        },
        new("a pause goes on handing out")
        {
            Shown = "plain: 0 Start 0 0 | 0 Pause 0 0 | 0 Claim 1 0",
            Transaction = (transaction, _) => new Rewritten(transaction, changes => Each(changes, step => step.Status = step.Status == StepRow.Paused ? (short)StepStatus.Ready : step.Status)),
        },
        new("a cancelled run's leases stay live")
        {
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Cancel 0 0",
            Transaction = (transaction, _) => new Rewritten(transaction, changes => Each(changes, step =>
                step.Status = step is { Status: (short)StepStatus.Cancelled, Fence: not null } ? (short)StepStatus.Leased : step.Status)),
        },
        new("a restart leaves the old leases valid")
        {
            Transaction = (transaction, _) => new LeasesLeft(transaction),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Restart 0 0 | 0 Heartbeat 0 0",
        },
        new("an event that was taken stays in the inbox")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, ForgetTaking),
            Shown = "chain: 0 Start 0 0 | 0 Send 0 3",
        },
        new("a limited claim is given steps of any workflow")
        {
            Transaction = (transaction, _) => new Unlimited(transaction),
            Shown = "jobs, cleanup: 0 Start 0 0 | 0 Start 1 0 | 0 Claim 0 0 | 0 Claim 0 0",
        },
        new("a condition is decided without the steps that ended before")
        {
            Transaction = (transaction, _) => new EndedForgotten(transaction),
            Shown = "cleanup: 0 Start 0 0 | 0 Claim 6 0 | 0 Report 0 0 | 0 Claim 6 1 | 0 Report 0 0 | 0 Report 1 0",
        },
        new("a failure leaves the steps of its group open")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, LeaveGroup),
            Shown = "group: 0 Start 0 0 | 0 Claim 1 2 | 0 Report 1 9",
        },
        new("a step of a failed group starts")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, StartGroup),
            Shown = "group: 0 Start 0 0 | 0 Claim 1 2 | 0 Report 1 9 | 0 Report 0 0",
        },
        new("what a join has counted is lost")
        {
            Transaction = (transaction, _) => new Rewritten(transaction, ForgetJoins),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 0 | 0 Claim 1 1 | 0 Report 0 0 | 0 Report 1 0",
        },
    ];

    private static void Each(ChangeSet changes, Action<StepRow> change)
    {
        foreach (var step in changes.NewSteps.Concat(changes.Steps)) change(step);
    }

    private static void KeepLimits(ChangeSet changes)
    {
        for (var i = 0; i < changes.Runs.Count; i++)
        {
            var change = changes.Runs[i];
            if (change.State is { IsTerminal: true, Definition.RunMs: not null })
                changes.Runs[i] = change with { Run = change.Run with { State = change.State with { Deadline = change.State.CreatedAt } } };
        }
    }

    private static void ForgetTaking(ChangeSet changes)
    {
        foreach (var taken in changes.TakenInboxEvents.GroupBy(m => m.RunId))
        {
            var at = changes.Runs.FindIndex(r => r.State.Id == taken.Key);
            var change = changes.Runs[at];
            changes.Runs[at] = change with { Run = change.Run with { State = change.State with { InboxCount = change.State.InboxCount + taken.Count() } } };
        }

        changes.TakenInboxEvents.Clear();
    }

    private static void LeaveGroup(ChangeSet changes)
    {
        var open = OpenRuns(changes);
        changes.Steps.RemoveAll(step => step is { Status: (short)StepStatus.Cancelled, Fence: not null } && open.Contains(step.RunId));
    }

    private static void StartGroup(ChangeSet changes)
    {
        foreach (var step in changes.NewSteps.Where(step => step.Status == (short)StepStatus.Cancelled)) step.Status = (short)StepStatus.Ready;
    }

    private static HashSet<long> OpenRuns(ChangeSet changes) => [.. changes.Runs.Where(run => !run.State.IsTerminal).Select(run => run.State.Id)];

    private static void ForgetJoins(ChangeSet changes)
    {
        for (var i = 0; i < changes.Runs.Count; i++)
            changes.Runs[i] = changes.Runs[i] with { Run = changes.Runs[i].Run with { State = changes.Runs[i].State with { Joins = JoinSet.Empty } } };
    }

    private sealed class Unlimited(IBatchTransaction inner) : FaultyTransaction(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            var open = claims.Select(group => new ClaimGroup { Queues = group.Queues }).ToList();
            for (var i = 0; i < open.Count; i++) open[i].Slots.AddRange(claims[i].Slots);
            return base.Write(changes, open);
        }
    }

    /// <summary>Changes what is written.</summary>
    private sealed class Rewritten(IBatchTransaction inner, Action<ChangeSet> change) : FaultyTransaction(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
            ChangeSet changes, IReadOnlyList<ClaimGroup> claims)
        {
            change(changes);
            return base.Write(changes, claims);
        }
    }

    private sealed class LateSuccessors(IBatchTransaction inner) : FaultyTransaction(inner)
    {
        private const int CrashEvery = 16;
        private readonly ChangeSet late = new();
        private int commits;

        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
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

    private sealed class LostCommit(IBatchTransaction inner) : FaultyTransaction(inner)
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
    private sealed class UnlockedRead(IBatchTransaction inner, FaultyEngine engine) : FaultyTransaction(inner)
    {
        private IBatchTransaction? reader;

        public override Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps)
        {
            Inner.Now();
            reader ??= engine.Open(engine.Definitions!);
            var loaded = reader.Begin(runs, steps, locksSteps: false);
            reader.Rollback();
            return loaded;
        }

        public override Loaded? TryLoadCached(IReadOnlyList<LeaseRef> leases) => null;

        public override void Dispose()
        {
            reader?.Dispose();
            base.Dispose();
        }
    }

    /// <summary>Begins as usual, so that nothing is checked, and decides by what it remembers.</summary>
    private sealed class Believed(IBatchTransaction inner) : FaultyTransaction(inner)
    {
        public override Loaded? TryLoadCached(IReadOnlyList<LeaseRef> leases)
        {
            if (base.TryLoadCached(leases) is not { } remembered) return null;
            Inner.Begin([.. remembered.Runs.Select(r => r.Ref.Id).Order()], [], locksSteps: false);
            return remembered;
        }
    }

    private sealed class AheadForgotten(IBatchTransaction inner) : FaultyTransaction(inner)
    {
        public override Loaded Begin(IReadOnlyList<long> runs, IReadOnlyList<StepKey> steps, bool locksSteps)
        {
            var loaded = base.Begin(runs, steps, locksSteps);
            var seen = loaded.Steps.SelectMany(run => run.Select(step => (RunId: run.Key, Step: step with { Ahead = false })));
            return loaded with { Steps = seen.ToLookup(s => s.RunId, s => s.Step) };
        }
    }

    private sealed class EndedForgotten(IBatchTransaction inner) : FaultyTransaction(inner)
    {
        public override ILookup<long, StepState> AllSteps(IReadOnlyList<long> runs) =>
            base.AllSteps(runs).SelectMany(run => run.Select(step => (RunId: run.Key, Step: step))).Where(s => !s.Step.IsTerminal).ToLookup(s => s.RunId, s => s.Step);
    }

    private sealed class LeasesLeft(IBatchTransaction inner) : FaultyTransaction(inner)
    {
        private ILookup<long, StepState>? found;

        public override ILookup<long, StepState> ActiveSteps(IReadOnlyList<long> runs, int below = int.MaxValue) => found = base.ActiveSteps(runs, below);

        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(
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
