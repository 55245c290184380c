using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>A report under a lease, or (broker dialect) under the name of the worker that should hold the step.</summary>
public sealed record LeaseReport(LeaseId Lease, StepReport Report);

/// <summary>A broker-dialect report: counts only while the step is leased to that worker, and where it names a lease, under that lease only.</summary>
public sealed record NamedReport(string WorkerId, string Workflow, string WorkerInstanceId, string Step, StepReport Report, LeaseId? Lease = null);

/// <summary>Outcome of a batch of reports: one verdict each, and the steps that were claimed with it.</summary>
public sealed record BatchOutcome(IReadOnlyList<ReportVerdict> Verdicts, IReadOnlyList<Assignment> Claimed);

/// <summary>A step that a broker-dialect worker says it holds, under any lease or under the one that it names.</summary>
public readonly record struct NamedStep(string Workflow, string WorkerInstanceId, string Step, LeaseId? Lease = null)
{
    /// <summary>Raw JSON that is kept for the next attempt; null: what was sent before stays.</summary>
    public string? ProgressJson { get; init; }
}

/// <summary>The hot path: claim, heartbeat, report.</summary>
public interface IStepStore
{
    /// <summary>Hands out what is ready, possibly nothing; never waits.</summary>
    Task<IReadOnlyList<Assignment>> ClaimAsync(ClaimRequest claim, CancellationToken ct);

    /// <summary>A claim that may wait.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="gone">The client has disconnected.</param>
    IClaimTicket Open(ClaimRequest claim, CancellationToken gone);

    /// <summary>Applies each report under its fence, with its follow-ups, in one transaction; one verdict each.</summary>
    Task<IReadOnlyList<ReportVerdict>> ReportAsync(IReadOnlyList<LeaseReport> reports, CancellationToken ct);

    Task<ReportVerdict> ReportAsync(NamedReport report, CancellationToken ct);

    /// <summary>The same with the next claim, if there is one: what the reports make ready it may be given in their transaction.</summary>
    Task<BatchOutcome> ReportAsync(IReadOnlyList<LeaseReport> reports, ClaimRequest? next, CancellationToken ct);

    Task<BatchOutcome> ReportAsync(IReadOnlyList<NamedReport> reports, ClaimRequest? next, CancellationToken ct);

    /// <summary>Renews leases for what they were granted for; one verdict each.</summary>
    /// <param name="leases">The leases.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="progress">For each lease raw JSON that is kept for the next attempt, or null: what was sent before stays.</param>
    Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(IReadOnlyList<LeaseId> leases, CancellationToken ct, IReadOnlyList<string?>? progress = null);

    /// <summary>The same for what a worker holds of steps that it knows by name.</summary>
    Task<IReadOnlyList<HeartbeatVerdict>> HeartbeatAsync(string workerId, IReadOnlyList<NamedStep> held, CancellationToken ct);

    /// <summary>Publishes events while the step runs, or lines; false when the lease is not the current one.</summary>
    Task<bool> PublishAsync(LeaseId lease, IReadOnlyList<PublishedEvent> events, CancellationToken ct);
}
