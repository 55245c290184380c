using System.Diagnostics;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class StepStore(IEngine engine, LaneSet lanes, ClaimScopes scopes, DefinitionCache definitions, ILogStore logs, ClaimKeys keys) : IStepStore
{
    public async Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, CancellationToken ct)
    {
        var (_, queues) = await scopes.QueuesOfAsync(claim, ct);
        if (queues.Count == 0) return [];
        return await MeasureAsync(claim.ClaimId is null
            ? lanes.RunAsync(new ClaimWork(claim, queues) { Cancelled = ct }, ct)
            : ClaimAgainAsync(claim, queues, ct));
    }

    public Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, IClaimTurn turn, CancellationToken ct) =>
        turn.TakeOffer() is { } offered ? MeasureAsync(offered) : ClaimAsync(claim, ct);

    private static async Task<IReadOnlyList<Assignment>> MeasureAsync(Task<IReadOnlyList<Assignment>> claiming)
    {
        var began = Stopwatch.GetTimestamp();
        var claimed = await claiming;
        StorageMetrics.ClaimDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
        if (claimed.Count == 0) return claimed;
        StorageMetrics.StepsClaimed.Add(claimed.Count);
        foreach (var step in claimed) StorageMetrics.ClaimLag.Record((step.GrantedAt - step.Due).TotalSeconds);
        return claimed;
    }

    private async Task<IReadOnlyList<Assignment>> ClaimAgainAsync(ClaimRequest claim, IReadOnlyList<QueueRow> queues, CancellationToken ct)
    {
        var fences = ClaimKeys.FencesOf(claim);
        var before = await keys.FindAsync(claim, fences, ct);
        return before.Count > 0 ? before : await lanes.RunAsync(new ClaimWork(claim, queues) { Cancelled = ct, Fences = fences }, ct);
    }

    public async Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct)
    {
        var works = new ReportWork[reports.Count];
        for (var i = 0; i < works.Length; i++)
        {
            var (lease, report) = reports[i];
            works[i] = new ReportWork(lease.RunId, null, lease.Step, null, null, lease.Fence, report);
        }

        if (works.Length == 1) return [await ReportAsync(works[0], ct)];
        var began = Stopwatch.GetTimestamp();
        var verdicts = await lanes.RunAsync(works, ct);
        foreach (var work in works) Measure(work, began);
        foreach (var work in works) await KeepLinesAsync(work, ct);
        return verdicts;
    }

    public Task<ReportVerdict> ReportAsync(NamedReport report, CancellationToken ct)
    {
        var (instanceId, number) = RunRef.Split(report.WorkerInstanceId);
        return ReportAsync(new ReportWork(0, new(report.Workflow, instanceId, number), null, report.Step, report.WorkerId, -1, report.Report), ct);
    }

    private async Task<ReportVerdict> ReportAsync(ReportWork work, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var verdict = await lanes.RunAsync(work, ct);
        Measure(work, began);
        await KeepLinesAsync(work, ct);
        return verdict;
    }

    private static void Measure(ReportWork work, long began)
    {
        StorageMetrics.ReportDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
        if (work.Retried) StorageMetrics.Retries.Add(1);
        if (StorageMetrics.StepsReported.Enabled) StorageMetrics.StepsReported.Add(1, new KeyValuePair<string, object?>("verdict", Word(work.Outcome)));
    }

    private static string Word(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted => "accepted",
        ReportVerdict.Stale => "stale",
        ReportVerdict.StepCancelled => "step_cancelled",
        ReportVerdict.UnknownRun => "unknown_run",
        ReportVerdict.UnknownStep => "unknown_step",
    };

    private async ValueTask KeepLinesAsync(ReportWork work, CancellationToken ct)
    {
        if (work.Lines.Count == 0 || work.Run is not { } run || work.StepIndex is not { } index) return;
        var definition = await DefinitionOfAsync(run.Id, ct);
        if (definition is not null) await logs.PushLinesAsync(run, definition.Steps[index].Name, work.Attempt, work.Lines, ct);
    }

    private async Task<Core.Definitions.WorkflowDefinition?> DefinitionOfAsync(long runId, CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        var id = await db.Runs.Where(r => r.Id == runId).Select(r => (int?)r.DefinitionId).SingleOrDefaultAsync(ct);
        return id is { } found ? await definitions.GetAsync(found, ct) : null;
    }

    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct) =>
        await lanes.RunAsync(leases.Select(l => new HeartbeatWork(l)).ToList(), ct);

    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(string workerId, IReadOnlyList<NamedStep> held, CancellationToken ct) =>
        await lanes.RunAsync(held.Select(h => new HeartbeatWork(NameOf(h), h.Step, workerId)).ToList(), ct);

    private static RunName NameOf(NamedStep step)
    {
        var (instanceId, number) = RunRef.Split(step.WorkerInstanceId);
        return new(step.Workflow, instanceId, number);
    }

    public Task<bool> PublishAsync(LeaseId lease, IReadOnlyList<PublishedEvent> events, CancellationToken ct) =>
        lanes.RunAsync(new PublishWork(lease, events), ct);

    public async Task<LeaseId?> FindLeaseAsync(string workerId, string workflow, string workerInstanceId, string step, CancellationToken ct)
    {
        var (instanceId, number) = RunRef.Split(workerInstanceId);
        if (!StoredText.Fits(workflow) || !StoredText.Fits(instanceId)) return null;
        await using var db = engine.CreateContext();
        var run = await db.Runs.Where(r => r.Workflow == workflow && r.InstanceId == instanceId && r.Number == number)
            .Select(r => new { r.Id, r.DefinitionId }).SingleOrDefaultAsync(ct);
        if (run is null || (await definitions.GetAsync(run.DefinitionId, ct)).Find(step) is not { } definition) return null;
        var held = await db.Steps.Where(s => s.RunId == run.Id && s.Idx == definition.Index && s.Fence != null)
            .Select(s => new { s.Fence, s.Worker }).SingleOrDefaultAsync(ct);
        return held is { Fence: { } fence } && held.Worker == workerId ? LeaseId.Create(run.Id, definition.Index, fence) : null;
    }
}
