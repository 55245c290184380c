using System.Diagnostics;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;

namespace Broker.Storage.Matching;

/// <summary>The entrance of claims, reports and heartbeats: turns each into a command for the batcher.</summary>
internal sealed class StepDispatcher(
    Batcher batcher, ClaimScopes scopes, ClaimReplay replay, WaitingClaims waiting, EagerDispatch eager, EagerDispatchReclaimer reclaimer, HandOverRecorder handOvers,
    TimeProvider clock)
    : IStepStore
{
    /// <summary>
    /// Transactions in a row that a limited claim gets to find a step of its workflows behind those of others. Together they read 65,536 steps (see
    /// <see cref="LimitedClaimScan.MostRows"/>); the next claim under that limit goes on where they ended.
    /// </summary>
    private const int MostLooks = 16;

    public IClaimTicket Open(ClaimRequest claim, CancellationToken gone) => new ClaimTicket(this, scopes, waiting, clock, claim, gone);

    public async Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, CancellationToken ct) => await ClaimAsync(claim, await scopes.QueuesOfAsync(claim, ct), ct);

    /// <summary>Leases steps that are ready in these queues; never waits.</summary>
    public async Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, ClaimQueues queues, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        if (eager.Take(claim, queues) is { } step)
        {
            handOvers.Add(step.Lease);
            return Measured([step], began);
        }

        return CommandFor(claim, queues, ct) is { } command ? await RunAsync(command, ct) : [];
    }

    /// <summary>Whether a look is known to find nothing. A claim that was sent again or granted eagerly has to look: it may have been served already.</summary>
    public bool WouldFindNothing(ClaimRequest claim, ClaimQueues queues) => claim.ClaimId is null && waiting.IsQuiet(queues) && !eager.IsHoldingFor(claim.WorkerId);

    // Null: no queue is open to it. A claim with an id runs all the same: another broker may know its queue and have granted steps to it.
    private static ClaimCommand? CommandFor(ClaimRequest claim, ClaimQueues queues, CancellationToken ct) =>
        queues.List.Count == 0 && claim.ClaimId is null
            ? null
            : new(claim, queues.List) { Cancelled = ct, Fences = claim.ClaimId is null ? null : ClaimReplay.FencesOf(claim) };

    private async Task<IReadOnlyList<Assignment>> RunAsync(ClaimCommand command, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        return await FinishAsync(command, Measured(await batcher.RunAsync(command, ct), began), ct);
    }

    // The steps of a claim that was sent before are read again. Before it answers "empty", a claim looks once more, at steps reserved for other workers.
    private async Task<IReadOnlyList<Assignment>> FinishAsync(ClaimCommand claim, IReadOnlyList<Assignment> claimed, CancellationToken ct)
    {
        if (claim.IsRepeated)
        {
            // Leases that were reported or lost since the batch found them: then it is a new claim.
            var granted = await replay.FindAsync(claim, ct);
            return granted.Count > 0 ? granted : await RunAsync(claim.Again(), ct);
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

    /// <summary>The answer of a claim that another transaction serves, with its metrics.</summary>
    public static Task<IReadOnlyList<Assignment>> MeasureAsync(Task<IReadOnlyList<Assignment>> claiming) => MeasureAsync(claiming, Stopwatch.GetTimestamp());

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
        var claim = next is null ? null : CommandFor(next, await scopes.QueuesOfAsync(next, ct), ct);
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

    // A claim that was tried apart from its failed reports may have been granted steps, and the client gets an error.
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

    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct, IReadOnlyList<string?>? progress = null) =>
        await batcher.RunAsync(leases.Select((lease, i) => new HeartbeatCommand(lease) { Progress = progress?[i] }).ToList(), ct);

    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(string workerId, IReadOnlyList<NamedStep> held, CancellationToken ct) =>
        await batcher.RunAsync(held.Select(h => new HeartbeatCommand(NameOf(h), h.Step, workerId, h.Lease) { Progress = h.ProgressJson }).ToList(), ct);

    private static RunName NameOf(NamedStep step)
    {
        var (instanceId, number) = RunRef.Split(step.WorkerInstanceId);
        return new(step.Workflow, instanceId, number);
    }

    public Task<bool> PublishAsync(LeaseId lease, IReadOnlyList<PublishedEvent> events, CancellationToken ct) =>
        batcher.RunAsync(new PublishCommand(lease, events), ct);
}
