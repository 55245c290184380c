using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Lanes;

internal sealed class ReportWork(long runId, RunName? name, int? step, string? stepName, string? worker, long fence, StepReport report)
    : Work<ReportVerdict>, IRunWork
{
    public ReportWork(LeaseId lease, StepReport report)
        : this(lease.RunId, null, lease.Step, null, null, lease.Fence, report)
    {
    }

    public long RunId { get; set; } = runId;

    public RunName? Name { get; } = name;

    public int? StepIndex { get; private set; } = step;

    public Needs Needs => Needs.Nothing;

    /// <summary>What it reports on; null: no step that is known by now.</summary>
    public HeldLease? Lease => RunId != 0 && StepIndex is { } index ? new(new StepKey(RunId, index), worker is null ? fence : null, worker) : null;

    /// <summary>Name of the step, when the worker knows no lease.</summary>
    public string? StepName { get; } = stepName;

    public void Locate(WorkflowDefinition definition) => StepIndex ??= StepName is null ? null : definition.Find(StepName)?.Index;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        EndedBy = null;
        if (run is null || session is null)
        {
            Outcome = Name is null ? ReportVerdict.Stale : ReportVerdict.UnknownRun;
            return;
        }

        if (StepIndex is not { } index)
        {
            Outcome = ReportVerdict.UnknownStep;
            return;
        }

        var step = session.Find(index);
        var attempt = step?.Attempt;
        var held = worker is null ? fence : step?.Worker == worker ? step.Fence ?? -1 : -1;
        Outcome = session.Report(index, held, report, now);
        if (Outcome is ReportVerdict.Accepted && report.Outcome is not ReportOutcome.Returned) EndedBy = step?.Worker;
        Retried = Outcome is ReportVerdict.Accepted && session.Find(index)!.Attempt != attempt;

        // Lines are kept also from a lost lease: they tell what happened and change no state.
        Lines = report.Logs;
        Run = run.Ref;
        Attempt = attempt;
    }

    /// <summary>The step failed and is tried again.</summary>
    public bool Retried { get; private set; }

    public IReadOnlyList<LogLine> Lines { get; private set; } = [];

    /// <summary>The worker whose attempt it has ended; null: it has ended none.</summary>
    public string? EndedBy { get; private set; }

    public RunRef? Run { get; private set; }

    public int? Attempt { get; private set; }
}
