using Broker.Auth;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;

namespace Broker.Engine;

internal sealed partial class BrokerEngine
{
    /// <summary>Longest a claim may wait (seconds).</summary>
    public const int MaxWaitSecs = 60;

    // Orders of other brokers are read as often.
    private static readonly TimeSpan DrainedLook = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Claims; with a wait, until a step is ready, the time is up or the host stops. A registered worker that waits is alive: the engine notes
    /// it three times within the worker timeout.
    /// </summary>
    public async Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, TimeSpan wait, CancellationToken ct)
    {
        claim = Limited(claim);
        var longest = claim.Scope is ClaimScope.ByRegistration ? settings.WorkerTimeout / 3 : wait;
        while (true)
        {
            if (holds.HoldsBack(claim.WorkerId)) wait = await ReleasedAsync(claim.WorkerId, wait, ct);
            if (holds.HoldsBack(claim.WorkerId)) return [];
            var slice = wait < longest ? wait : longest;
            var claimed = await ClaimWithinAsync(claim, slice, ct);
            wait -= slice;
            if (claimed.Count > 0 || wait <= TimeSpan.Zero || slice <= TimeSpan.Zero || Stopping.IsCancellationRequested) return claimed;
            await SeenAsync(claim.WorkerId, ct);
        }
    }

    /// <summary>An operator has ordered that the worker gets no further steps.</summary>
    public bool IsDrained(string workerId) => holds.OfWorker(workerId) is not null;

    // A worker that an order holds back is held like one for which there is no work, and alive as long as it asks. Returns the rest of its wait.
    private async Task<TimeSpan> ReleasedAsync(string workerId, TimeSpan wait, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct, Stopping);
        while (wait > TimeSpan.Zero && holds.HoldsBack(workerId) && !stop.IsCancellationRequested)
        {
            var slice = wait < DrainedLook ? wait : DrainedLook;
            await Task.Delay(slice, clock, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait -= slice;
            if (!ct.IsCancellationRequested) await SeenAsync(workerId, ct);
        }

        return wait;
    }

    private ClaimRequest? NextOf(ClaimRequest? next) => next is null || holds.HoldsBack(next.WorkerId) ? null : Limited(next);

    private async Task<IReadOnlyList<Assignment>> ClaimWithinAsync(ClaimRequest claim, TimeSpan wait, CancellationToken ct)
    {
        var claimed = wait > TimeSpan.Zero ? await steps.Open(claim, ct).TakeAsync(wait, Stopping) : await steps.ClaimAsync(claim, ct);
        return await HandOverAsync(claimed, claim, ct);
    }

    // If the client has disconnected, the steps go back, charged nothing, unless the claim can be sent again under its id. Those of a worker that was
    // drained while it waited, or that maintenance holds back, go back too.
    private async Task<IReadOnlyList<Assignment>> HandOverAsync(IReadOnlyList<Assignment> claimed, ClaimRequest claim, CancellationToken ct)
    {
        LogClaimed(claimed);
        if (claimed.Count == 0 || (!holds.HoldsBack(claim.WorkerId) && (claim.ClaimId is not null || !ct.IsCancellationRequested))) return claimed;
        await ReportAsync([.. claimed.Select(step => new LeaseReport(step.Lease, StepReport.Returned))], CancellationToken.None);
        return [];
    }

    public async Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct) =>
        (await ReportAsync(reports, null, ct)).Verdicts;

    /// <summary>Reports, and claims what comes next, if that is asked for, in the same transaction; never waits.</summary>
    public async Task<BatchOutcome> ReportAsync(IReadOnlyList<LeaseReport> reports, ClaimRequest? next, CancellationToken ct)
    {
        var knows = await KnownLeasesAsync(reports.Select(r => r.Lease), ct);
        var known = knows is null ? reports : [.. reports.Where(r => knows(r.Lease))];
        next = NextOf(next);
        var (verdicts, claimed) = next is null ? new(await steps.ReportAsync(known, ct), []) : await steps.ReportAsync(known, next, ct);
        Note(known, verdicts);
        if (next is not null) claimed = await HandOverAsync(claimed, next, ct);
        return new BatchOutcome(knows is null ? verdicts : ForAll(reports, r => knows(r.Lease), verdicts, ReportVerdict.Stale), claimed);
    }

    private void Note(IReadOnlyList<LeaseReport> reports, IReadOnlyList<ReportVerdict> verdicts)
    {
        for (var i = 0; i < verdicts.Count; i++) LogReported(log, reports[i].Lease.RunId, reports[i].Lease.Step, reports[i].Report.Outcome, verdicts[i]);
    }

    /// <summary>Broker dialect: counts only while the step is leased to that worker; also a sign of life.</summary>
    public async Task<ReportVerdict> ReportAsync(NamedReport report, CancellationToken ct)
    {
        if (!Caller.Current.Knows(report.Workflow)) return ReportVerdict.UnknownRun;
        var verdict = await steps.ReportAsync(report, ct);
        await NoteAsync(report, verdict, ct);
        return verdict;
    }

    /// <summary>The same for many, and what comes next: in one transaction.</summary>
    public async Task<BatchOutcome> ReportAsync(IReadOnlyList<NamedReport> reports, ClaimRequest? next, CancellationToken ct)
    {
        var known = Known(reports, r => r.Workflow);
        next = NextOf(next);
        var (verdicts, claimed) = await steps.ReportAsync(known, next, ct);
        for (var i = 0; i < known.Count; i++) await NoteAsync(known[i], verdicts[i], ct);
        if (next is not null) claimed = await HandOverAsync(claimed, next, ct);
        return new BatchOutcome(ForAll(reports, r => Caller.Current.Knows(r.Workflow), verdicts, ReportVerdict.UnknownRun), claimed);
    }

    private async ValueTask NoteAsync(NamedReport report, ReportVerdict verdict, CancellationToken ct)
    {
        if (verdict is ReportVerdict.Accepted)
        {
            workers.Reported(report.WorkerId, new LastTask(
                report.Workflow, report.WorkerInstanceId, report.Step, report.Report.Outcome is ReportOutcome.Succeeded));
        }
        else
        {
            await workers.SeenAsync(report.WorkerId, ct);
        }

        LogNamedReport(log, report.Workflow, report.WorkerInstanceId, report.Step, report.WorkerId, report.Report.Outcome, verdict);
    }

    /// <summary>Leases of workflows that the caller may not know are gone.</summary>
    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct, IReadOnlyList<string?>? progress = null)
    {
        if (await KnownLeasesAsync(leases, ct) is not { } knows) return await steps.HeartbeatAsync(leases, ct, progress);
        var known = progress?.Where((_, i) => knows(leases[i])).ToList();
        return ForAll(leases, knows, await steps.HeartbeatAsync([.. leases.Where(knows)], ct, known), HeartbeatVerdict.Gone);
    }

    /// <summary>Broker dialect: of workflows that the caller may not know everything is gone.</summary>
    public async Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(string workerId, IReadOnlyList<NamedStep> held, CancellationToken ct)
    {
        var renewed = await steps.HeartbeatAsync(workerId, Known(held, h => h.Workflow), ct);
        return ForAll(held, h => Caller.Current.Knows(h.Workflow), renewed, HeartbeatVerdict.Gone);
    }

    public async Task<bool> PublishAsync(LeaseId lease, IReadOnlyList<PublishedEvent> published, CancellationToken ct) =>
        !(await KnownLeasesAsync([lease], ct) is { } knows && !knows(lease)) && await steps.PublishAsync(lease, published, ct);

    public Task<LeaseId?> FindLeaseAsync(string workerId, string workflow, string workerInstanceId, string step, CancellationToken ct) =>
        Caller.Current.Knows(workflow) ? leases.FindLeaseAsync(workerId, workflow, workerInstanceId, step, ct) : Task.FromResult<LeaseId?>(null);

    /// <summary>Statuses of steps of runs that the caller has claimed from.</summary>
    public Task<IReadOnlyDictionary<(long Run, int Step), StepStatus>> StatusesAsync(IReadOnlyList<(long Run, int Step)> places, CancellationToken ct) => leases.StatusesAsync(places, ct);

    /// <summary>Why these leases do not count: what the caller may not know never existed.</summary>
    public async Task<IReadOnlyList<LeaseLoss>> LossesAsync(IReadOnlyList<LeaseId> lost, CancellationToken ct)
    {
        if (await KnownLeasesAsync(lost, ct) is not { } knows) return await leases.LossesAsync(lost, ct);
        return ForAll(lost, knows, await leases.LossesAsync([.. lost.Where(knows)], ct), LeaseLoss.UnknownLease);
    }

    /// <summary>The same for steps that a worker knows by name.</summary>
    public async Task<IReadOnlyList<LeaseLoss>> LossesAsync(IReadOnlyList<NamedStep> lost, CancellationToken ct) =>
        ForAll(lost, step => Caller.Current.Knows(step.Workflow), await leases.LossesAsync(Known(lost, step => step.Workflow), ct), LeaseLoss.UnknownInstance);

    private void LogClaimed(IReadOnlyList<Assignment> claimed)
    {
        foreach (var step in claimed) LogClaim(log, step.Run.Workflow, step.Run.WorkerInstanceId, step.Step.Name, step.WorkerId, step.Attempt);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Leased {Workflow}/{Instance}/{Step} to {Worker}, attempt {Attempt}")]
    private static partial void LogClaim(ILogger logger, string workflow, string instance, string step, string worker, int attempt);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Report on run {Run} step {Step}: {Outcome}, {Verdict}")]
    private static partial void LogReported(ILogger logger, long run, int step, ReportOutcome outcome, ReportVerdict verdict);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Report on {Workflow}/{Instance}/{Step} by {Worker}: {Outcome}, {Verdict}")]
    private static partial void LogNamedReport(
        ILogger logger, string workflow, string instance, string step, string worker, ReportOutcome outcome, ReportVerdict verdict);
}
