using System.Diagnostics;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Matching;

internal sealed class StepDispatcher(
    IDatabaseEngine engine, Batcher batcher, ClaimScopes scopes, DefinitionCache definitions, ClaimReplay keys, EagerDispatch eager, EagerDispatchReclaimer reclaimer,
    HandOverRecorder handOvers)
    : IStepStore
{
    /// <summary>
    /// Transactions that a limited claim gets, one after the other, to find a step of its workflows behind those of others. Together they read 65,536
    /// steps (see <see cref="LimitedClaimScan.MostRows"/>); the next claim under that limit goes on where they ended.
    /// </summary>
    private const int MostLooks = 16;

    public async Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var (kind, queues) = await scopes.QueuesOfAsync(claim, ct);
        if (eager.Take(claim, kind, queues) is { } step)
        {
            handOvers.Add(step.Lease);
            return Measured([step], began);
        }

        return CommandFor(claim, queues, ct) is { } command ? await ClaimAsync(command, ct) : [];
    }

    // Null: no queue is open to it. What a claim was granted before is found all the same: another broker may know the queue.
    private static ClaimCommand? CommandFor(ClaimRequest claim, IReadOnlyList<QueueRow> queues, CancellationToken ct) =>
        queues.Count == 0 && claim.ClaimId is null
            ? null
            : new(claim, queues) { Cancelled = ct, Fences = claim.ClaimId is null ? null : ClaimReplay.FencesOf(claim) };

    private async Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimCommand command, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        return await FinishAsync(command, Measured(await batcher.RunAsync(command, ct), began), ct);
    }

    // What was handed to the same claim before is read again, and a claim that got nothing looks once more: none is answered "empty" while
    // steps are held for other workers.
    private async Task<IReadOnlyList<Assignment>> FinishAsync(ClaimCommand claim, IReadOnlyList<Assignment> claimed, CancellationToken ct)
    {
        if (claim.IsRepeated)
        {
            // Reported or lost since the lane has found them: it is a new claim then.
            var granted = await keys.FindAsync(claim, ct);
            return granted.Count > 0 ? granted : await ClaimAsync(claim.Again(), ct);
        }

        for (var looks = 1; claim.IsCut && claimed.Count == 0 && looks < MostLooks && !ct.IsCancellationRequested; looks++)
        {
            claim = claim.Again();
            claimed = Measured(await batcher.RunAsync(claim, ct), Stopwatch.GetTimestamp());
            if (claim.IsRepeated) return await FinishAsync(claim, [], ct);
        }

        if (claimed.Count > 0 || ct.IsCancellationRequested || !await reclaimer.MakeRoomAsync(claim)) return claimed;
        var (began, again) = (Stopwatch.GetTimestamp(), claim.Again());
        claimed = Measured(await batcher.RunAsync(again, ct), began);
        return again.IsRepeated ? await FinishAsync(again, [], ct) : claimed;
    }

    public Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, IWaitingClaim turn, CancellationToken ct) =>
        turn.TakeOffer() is { } offered ? MeasureAsync(offered, Stopwatch.GetTimestamp()) : ClaimAsync(claim, ct);

    private static async Task<IReadOnlyList<Assignment>> MeasureAsync(Task<IReadOnlyList<Assignment>> claiming, long began) => Measured(await claiming, began);

    private static IReadOnlyList<Assignment> Measured(IReadOnlyList<Assignment> claimed, long began)
    {
        StorageMetrics.ClaimDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
        if (claimed.Count == 0) return claimed;
        StorageMetrics.StepsClaimed.Add(claimed.Count);
        foreach (var step in claimed) StorageMetrics.ClaimLag.Record((step.GrantedAt - step.Due).TotalSeconds);
        return claimed;
    }

    public async Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct) =>
        reports.Count == 1 ? [await ReportAsync(new ReportCommand(reports[0].Lease, reports[0].Report), ct)] : (await ReportAsync(reports, null, ct)).Verdicts;

    public Task<BatchOutcome> ReportAsync(IReadOnlyList<LeaseReport> reports, ClaimRequest? next, CancellationToken ct) =>
        ReportAsync([.. reports.Select(r => new ReportCommand(r.Lease, r.Report))], next, ct);

    public Task<BatchOutcome> ReportAsync(IReadOnlyList<NamedReport> reports, ClaimRequest? next, CancellationToken ct) =>
        ReportAsync([.. reports.Select(CommandFor)], next, ct);

    private async Task<BatchOutcome> ReportAsync(ReportCommand[] reports, ClaimRequest? next, CancellationToken ct)
    {
        var claim = next is null ? null : CommandFor(next, (await scopes.QueuesOfAsync(next, ct)).Queues, ct);
        var began = Stopwatch.GetTimestamp();
        await batcher.AddAsync(claim is null ? reports : [.. reports, claim], ct);
        try
        {
            var verdicts = await Task.WhenAll(reports.Select(r => r.Done));
            var claimed = claim is null ? [] : await MeasureAsync(claim.Done, began);
            foreach (var command in reports) Measure(command, began);
            return new BatchOutcome(verdicts, claim is null ? [] : await FinishAsync(claim, claimed, ct));
        }
        catch when (claim is { Request.ClaimId: null })
        {
            await GiveBackAsync(claim);
            throw;
        }
    }

    // Tried apart from its reports, it may have got something that nobody hears of now.
    private async Task GiveBackAsync(ClaimCommand claim)
    {
        await ((Task)claim.Done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (claim.Done.IsCompletedSuccessfully) await reclaimer.ReturnAsync(claim.Done.Result);
    }

    private static ReportCommand CommandFor(NamedReport report)
    {
        var (instanceId, number) = RunRef.Split(report.WorkerInstanceId);
        return new(new(report.Workflow, instanceId, number), report.Step, report.WorkerId, report.Lease, report.Report);
    }

    public Task<ReportVerdict> ReportAsync(NamedReport report, CancellationToken ct) => ReportAsync(CommandFor(report), ct);

    private async Task<ReportVerdict> ReportAsync(ReportCommand command, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var verdict = await batcher.RunAsync(command, ct);
        Measure(command, began);
        return verdict;
    }

    private static void Measure(ReportCommand command, long began)
    {
        StorageMetrics.ReportDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
        if (command.Retried) StorageMetrics.Retries.Add(1);
        if (StorageMetrics.StepsReported.Enabled) StorageMetrics.StepsReported.Add(1, new KeyValuePair<string, object?>("verdict", Word(command.Outcome)));
    }

    private static string Word(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted => "accepted",
        ReportVerdict.Stale => "stale",
        ReportVerdict.StepCancelled => "step_cancelled",
        ReportVerdict.UnknownRun => "unknown_run",
        ReportVerdict.UnknownStep => "unknown_step",
    };

    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct) =>
        await batcher.RunAsync(leases.Select(l => new HeartbeatCommand(l)).ToList(), ct);

    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(string workerId, IReadOnlyList<NamedStep> held, CancellationToken ct) =>
        await batcher.RunAsync(held.Select(h => new HeartbeatCommand(NameOf(h), h.Step, workerId, h.Lease)).ToList(), ct);

    private static RunName NameOf(NamedStep step)
    {
        var (instanceId, number) = RunRef.Split(step.WorkerInstanceId);
        return new(step.Workflow, instanceId, number);
    }

    public Task<bool> PublishAsync(LeaseId lease, IReadOnlyList<PublishedEvent> events, CancellationToken ct) =>
        batcher.RunAsync(new PublishCommand(lease, events), ct);

    public async Task<IReadOnlyDictionary<long, string>> WorkflowsOfAsync(IReadOnlyList<long> runs, CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        return await db.Runs.Where(r => runs.Contains(r.Id)).Select(r => new { r.Id, r.Workflow }).ToDictionaryAsync(r => r.Id, r => r.Workflow, ct);
    }

    public async Task<LeaseId?> FindLeaseAsync(string workerId, string workflow, string workerInstanceId, string step, CancellationToken ct)
    {
        var (instanceId, number) = RunRef.Split(workerInstanceId);
        if (!StorableText.Fits(workflow) || !StorableText.Fits(instanceId)) return null;
        await using var db = engine.CreateContext();
        var run = await db.Runs.Where(r => r.Workflow == workflow && r.InstanceId == instanceId && r.Number == number)
            .Select(r => new { r.Id, r.DefinitionId }).SingleOrDefaultAsync(ct);
        if (run is null || (await definitions.GetAsync(run.DefinitionId, ct)).Find(step) is not { } definition) return null;
        var held = await db.Steps.Where(s => s.RunId == run.Id && s.Idx == definition.Index && s.Fence != null)
            .Select(s => new { s.Fence, s.Worker }).SingleOrDefaultAsync(ct);
        return held is { Fence: { } fence } && held.Worker == workerId ? LeaseId.Create(run.Id, definition.Index, fence) : null;
    }
}
