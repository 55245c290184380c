using System.Security.Cryptography;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Tests.Model;

/// <summary>Faults in what the stores do with what they are asked.</summary>
internal static class StoreFaults
{
    public static IEnumerable<InjectedFault> All { get; } =
    [
        new("a report is taken whatever its fence")
        {
            Steps = (steps, cluster) => new UnfencedReport(steps, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 6 | 1 Claim 1 0 | 0 Report 0 0",
        },
        new("a claim looks first and takes later, without locks") { Steps = (steps, cluster) => new UnlockedClaim(steps, cluster) },
        new("a heartbeat renews whatever lease the step has")
        {
            Steps = (steps, cluster) => new UnfencedHeartbeat(steps, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 6 | 1 Claim 1 0 | 0 Heartbeat 0 0",
        },
        new("a heartbeat carries a lease over the limit of its attempt")
        {
            Steps = (steps, cluster) => new EndlessHeartbeat(steps, cluster),
            Shown = "limits: 0 Start 0 0 | 0 Claim 1 0 | 0 TimeOut 0 0 | 0 Heartbeat 0 0",
        },
        new("a report after a cancellation is applied")
        {
            Steps = (steps, cluster) => new ReportAfterCancel(steps, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Cancel 0 0 | 0 Report 0 0",
        },
        new("the reaper goes by id alone")
        {
            Runs = (runs, cluster) => new ReaperById(runs, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 ExpireLease 0 0 | 0 Reap 0 0 | 0 Claim 1 0 | 0 Reap 0 0",
        },
        new("the reaper collects live leases")
        {
            Runs = (runs, cluster) => new HastyReaper(runs, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Reap 0 0 | 0 Reap 0 0 | 0 Reap 0 0 | 0 Reap 0 0 | 0 Reap 0 0",
        },
        new("a second start of an instance is answered as the first")
        {
            Runs = (runs, cluster) => new DoubleStart(runs, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Start 0 0",
        },
        new("a step that is released by hand stays with its worker")
        {
            Runs = (runs, cluster) => new KeptLease(runs, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Hand 0 8",
        },
        new("an order by hand changes a step that has ended")
        {
            Runs = (runs, cluster) => new LateOrder(runs, cluster),
            Shown = "plain: 0 Start 0 0 | 0 Claim 1 0 | 0 Report 0 0 | 0 Hand 0 0",
        },
    ];

    private sealed class UnfencedReport(IStepStore inner, BrokerCluster cluster) : FaultyStepStore(inner, cluster)
    {
        public override async Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct)
        {
            var verdicts = (await base.ReportAsync(reports, ct)).ToList();
            for (var i = 0; i < verdicts.Count; i++)
            {
                if (verdicts[i] is not ReportVerdict.Stale || await FenceAsync(BrokerCluster, reports[i].Lease, ct) is not { } fence) continue;
                var (run, step) = (reports[i].Lease.RunId, reports[i].Lease.Step);
                verdicts[i] = (await base.ReportAsync([reports[i] with { Lease = LeaseId.Create(run, step, fence) }], ct))[0];
            }

            return verdicts;
        }
    }

    private static async Task<long?> FenceAsync(BrokerCluster cluster, LeaseId lease, CancellationToken ct)
    {
        await using var db = cluster.Read();
        var (run, step) = (lease.RunId, lease.Step);
        return await db.Steps.Where(s => s.RunId == run && s.Idx == step).Select(s => s.Fence).SingleOrDefaultAsync(ct);
    }

    /// <summary>Two claims that have seen the same step both write their lease into it; the later one stays.</summary>
    private sealed class UnlockedClaim(IStepStore inner, BrokerCluster cluster) : FaultyStepStore(inner, cluster)
    {
        public override async Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, CancellationToken ct)
        {
            var seen = await ReadyAsync(ct);
            var got = (await base.ClaimAsync(claim, ct)).ToList();
            foreach (var key in seen.Where(key => !got.Exists(g => g.Run.Id == key.RunId && g.Step.Index == key.Index)))
            {
                if (got.Count < claim.Count && await OverwriteAsync(claim, key, ct) is { } also) got.Add(also);
            }

            return got;
        }

        private async Task<List<StepKey>> ReadyAsync(CancellationToken ct)
        {
            await using var db = BrokerCluster.Read();
            return await db.Steps.Where(s => s.Status == (short)StepStatus.Ready && s.Due <= s.QueuedAt).Select(s => new StepKey(s.RunId, s.Idx)).ToListAsync(ct);
        }

        private async Task<Assignment?> OverwriteAsync(ClaimRequest claim, StepKey key, CancellationToken ct)
        {
            await using var db = BrokerCluster.Read();
            var run = await db.Runs.AsNoTracking().SingleOrDefaultAsync(r => r.Id == key.RunId, ct);
            var rows = await db.Steps.AsNoTracking().Where(s => s.RunId == key.RunId).ToListAsync(ct);
            if (run is null || rows.Find(r => r.Idx == key.Index) is not { Status: (short)StepStatus.Leased } row) return null;
            var graph = ModelGraph.All.Select((g, i) => (Graph: g, At: i)).Single(g => g.Graph.Name == run.Workflow);
            if (!graph.Graph.Offers(key.Index, claim.Scope is ClaimScope.ByLabels, claim.Labels.Contains("gpu"))) return null;
            var fence = RandomNumberGenerator.GetInt32(int.MaxValue);
            if (await BrokerCluster.ChangeAsync(key.RunId, $"UPDATE step SET fence = {fence}, worker = '{claim.WorkerId}' WHERE run_id = {key.RunId} AND idx = {key.Index} AND status = 2", ct) == 0) return null;
            var definition = BrokerCluster.Definition(graph.At);
            var finished = rows.Where(r => r.Status is (short)StepStatus.Succeeded or (short)StepStatus.Skipped).ToDictionary(r => r.Idx, r => r.Result);
            return new Assignment
            {
                Lease = LeaseId.Create(key.RunId, key.Index, fence),
                Run = new RunRef(run.Id, run.Workflow, run.InstanceId, run.Number),
                Definition = definition,
                Step = definition.Steps[key.Index],
                WorkerId = claim.WorkerId,
                Attempt = row.Attempt,
                QueuedAt = Instants.FromMicros(row.QueuedAt),
                Due = Instants.FromMicros(row.Due),
                GrantedAt = Instants.FromMicros(row.GrantedAt!.Value),
                ExpiresAt = Instants.FromMicros(row.ExpiresAt!.Value),
                LeaseSecs = row.LeaseSecs,
                InputsJson = run.Inputs,
                Upstream = Upstream.For(definition, definition.Steps[key.Index], finished),
            };
        }
    }

    private sealed class UnfencedHeartbeat(IStepStore inner, BrokerCluster cluster) : FaultyStepStore(inner, cluster)
    {
        public override async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct, IReadOnlyList<string?>? progress = null)
        {
            var verdicts = (await base.HeartbeatAsync(leases, ct, progress)).ToList();
            for (var i = 0; i < verdicts.Count; i++)
            {
                if (verdicts[i] is not HeartbeatVerdict.Gone || await FenceAsync(BrokerCluster, leases[i], ct) is not { } fence) continue;
                verdicts[i] = (await base.HeartbeatAsync([LeaseId.Create(leases[i].RunId, leases[i].Step, fence)], ct))[0];
            }

            return verdicts;
        }
    }

    private sealed class ReportAfterCancel(IStepStore inner, BrokerCluster cluster) : FaultyStepStore(inner, cluster)
    {
        public override async Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct)
        {
            var verdicts = (await base.ReportAsync(reports, ct)).ToList();
            for (var i = 0; i < verdicts.Count; i++)
            {
                if (verdicts[i] is not ReportVerdict.StepCancelled) continue;
                var (run, step) = (reports[i].Lease.RunId, reports[i].Lease.Step);
                await BrokerCluster.ChangeAsync(run, $"UPDATE step SET status = 4, result = '7' WHERE run_id = {run} AND idx = {step} AND status = 7", ct);
                verdicts[i] = ReportVerdict.Accepted;
            }

            return verdicts;
        }
    }

    /// <summary>Between reading an expired lease and collecting it, others may have done so and handed the step out again.</summary>
    private sealed class ReaperById(IRunStore inner, BrokerCluster cluster) : FaultyRunStore(inner, cluster)
    {
        private List<StepKey> seen = [];

        public override async Task<int> ExpireLeasesAsync(int batch, CancellationToken ct)
        {
            foreach (var step in seen) await BrokerCluster.ChangeAsync(step.RunId, $"UPDATE step SET expires_at = 1 WHERE run_id = {step.RunId} AND idx = {step.Index} AND status = 2", ct);
            await using var db = BrokerCluster.Read();
            seen = await db.Steps.Where(s => s.Status == (short)StepStatus.Leased && s.ExpiresAt == 1).Select(s => new StepKey(s.RunId, s.Idx)).ToListAsync(ct);
            return await base.ExpireLeasesAsync(batch, ct);
        }
    }

    private sealed class EndlessHeartbeat(IStepStore inner, BrokerCluster cluster) : FaultyStepStore(inner, cluster)
    {
        public override async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct, IReadOnlyList<string?>? progress = null)
        {
            foreach (var lease in leases)
            {
                await BrokerCluster.ChangeAsync(
                    lease.RunId, $"UPDATE step SET deadline = 4000000000000000 WHERE run_id = {lease.RunId} AND idx = {lease.Step} AND fence = {lease.Fence} AND status = 2 AND deadline = 1", ct);
            }

            return await base.HeartbeatAsync(leases, ct, progress);
        }
    }

    private sealed class HastyReaper(IRunStore inner, BrokerCluster cluster) : FaultyRunStore(inner, cluster)
    {
        private const int HastyEvery = 5;
        private int rounds;

        public override async Task<int> ExpireLeasesAsync(int batch, CancellationToken ct)
        {
            await using var db = BrokerCluster.Read();
            var live = ++rounds % HastyEvery == 0 ? await db.Steps.Where(s => s.Status == (short)StepStatus.Leased).Select(s => new { s.RunId, s.Idx }).ToListAsync(ct) : [];
            foreach (var step in live) await BrokerCluster.ChangeAsync(step.RunId, $"UPDATE step SET expires_at = 1 WHERE run_id = {step.RunId} AND idx = {step.Idx} AND status = 2", ct);
            return await base.ExpireLeasesAsync(batch, ct);
        }
    }

    private sealed class DoubleStart(IRunStore inner, BrokerCluster cluster) : FaultyRunStore(inner, cluster)
    {
        public override async Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct) =>
            [.. (await base.StartAsync(starts, ct)).Select(o => o.Verdict is StartVerdict.AlreadyExists ? o with { Verdict = StartVerdict.Started } : o)];
    }

    private sealed class KeptLease(IRunStore inner, BrokerCluster cluster) : FaultyRunStore(inner, cluster)
    {
        public override async Task<HandVerdict> ByHandAsync(
            RunRef run, string step, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order, CancellationToken ct)
        {
            await using var db = BrokerCluster.Read();
            var leased = await db.Steps.AsNoTracking().Where(s => s.RunId == run.Id && s.Status == (short)StepStatus.Leased).ToListAsync(ct);
            var verdict = await base.ByHandAsync(run, step, order, ct);
            foreach (var before in leased)
            {
                await BrokerCluster.ChangeAsync(run.Id, $"""
                    UPDATE step SET status = 2, fence = {before.Fence}, worker = '{before.Worker}', expires_at = {before.ExpiresAt}
                    WHERE run_id = {run.Id} AND idx = {before.Idx} AND status = 1 AND fence IS NULL AND attempt = {before.Attempt}
                    """, ct);
            }

            return verdict;
        }
    }

    private sealed class LateOrder(IRunStore inner, BrokerCluster cluster) : FaultyRunStore(inner, cluster)
    {
        public override async Task<HandVerdict> ByHandAsync(
            RunRef run, string step, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order, CancellationToken ct)
        {
            var verdict = await base.ByHandAsync(run, step, order, ct);
            if (verdict is not HandVerdict.NotActive) return verdict;
            var definition = ModelGraph.All.Select((graph, at) => (graph.Name, at)).Single(graph => graph.Name == run.Workflow).at;
            var index = BrokerCluster.Definition(definition).Find(step)!.Index;
            var changed = await BrokerCluster.ChangeAsync(run.Id, $"UPDATE step SET status = 6 WHERE run_id = {run.Id} AND idx = {index} AND status IN (4, 5)", ct);
            return changed > 0 ? HandVerdict.Done : verdict;
        }
    }
}
