using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>A report: under a lease, by the names that a worker knows, or under a lease that must be the one of these names.</summary>
internal sealed class ReportCommand : RunCommand<ReportVerdict>
{
    private readonly LeaseId? lease;
    private readonly string? worker;
    private readonly string? stepName;
    private readonly StepReport report;

    public ReportCommand(LeaseId lease, StepReport report) => (RunId, StepIndex, this.lease, this.report) = (lease.RunId, lease.Step, lease, report);

    public ReportCommand(RunName name, string step, string worker, LeaseId? lease, StepReport report) =>
        (Name, stepName, this.worker, this.lease, this.report) = (name, step, worker, lease, report);

    /// <summary>The lease that it reports under; null: the step is not known.</summary>
    public LeaseRef? Lease => RunId != 0 && StepIndex is { } index ? LeaseRef.Of(new StepKey(RunId, index), lease, worker) : null;

    public override void Locate(WorkflowDefinition definition) => StepIndex ??= stepName is null ? null : definition.IndexOfName(stepName);

    protected override void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        EndedBy = null;
        if (run is null || session is null)
        {
            Outcome = Name is null ? ReportVerdict.Stale : ReportVerdict.UnknownRun;
            return;
        }

        if (StepIndex is not { } index || Lease is not { } claimed)
        {
            Outcome = ReportVerdict.UnknownStep;
            return;
        }

        var step = session.Find(index);
        var attempt = step?.Attempt;
        Outcome = session.Report(index, claimed.FenceAt(step), report, now);
        if (Outcome is ReportVerdict.Accepted && report.Outcome is not ReportOutcome.Returned) EndedBy = step?.Worker;
        Retried = Outcome is ReportVerdict.Accepted && session.Find(index)!.Attempt != attempt;

        // Lines of a lost lease are stored too: they record what happened and change no state.
        if (report.Logs.Count > 0) changes.Lines.AddRange(LogLines.Of(run.Ref, run.State.Definition.NameOf(index), attempt, report.Logs, now));
    }

    /// <summary>The step failed and is tried again.</summary>
    public bool Retried { get; private set; }

    /// <summary>The worker whose attempt it has ended; null: it has ended none.</summary>
    public string? EndedBy { get; private set; }
}
