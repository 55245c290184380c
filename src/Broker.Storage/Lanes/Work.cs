using System.Diagnostics;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Model;

namespace Broker.Storage.Lanes;

/// <summary>What of a run must be loaded before a piece of work may look at it.</summary>
[Flags]
internal enum Needs
{
    Nothing = 0,

    /// <summary>All active steps, and those that hold a lease, locked.</summary>
    ActiveSteps = 1,

    /// <summary>Undelivered events.</summary>
    Mail = 2,
}

/// <summary>One caller's wish, waiting to share a transaction with others.</summary>
internal abstract class Work
{
    /// <summary>The caller has gone: nothing is done for it any more.</summary>
    public CancellationToken Cancelled { get; init; }

    /// <summary>The request that it comes from, if somebody listens to traces.</summary>
    public Activity? Caller { get; } = StorageTracing.Caller;

    public abstract void Fail(Exception fault);

    public abstract void Complete();

    /// <summary>Forgets what a transaction that did not commit has decided.</summary>
    public virtual void Reset()
    {
    }
}

internal abstract class Work<T> : Work
{
    private readonly TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Done => done.Task;

    /// <summary>Set by the batch; becomes the caller's answer when the transaction has committed.</summary>
    public T? Outcome { get; set; }

    public override void Fail(Exception fault) => done.TrySetException(fault);

    public override void Complete() => done.TrySetResult(Outcome!);

    public override void Reset() => Outcome = default;
}

/// <summary>Work on a run that the caller may know by name only.</summary>
internal interface INamedWork
{
    /// <summary>The run, if its id is known.</summary>
    long RunId { get; set; }

    /// <summary>Its name, if only that is known.</summary>
    RunName? Name { get; }

    /// <summary>The definition is known now: work that names its step by name finds the index.</summary>
    void Locate(WorkflowDefinition definition)
    {
    }
}

/// <summary>Work on one run that exists: for it the run is loaded, and locked.</summary>
internal interface IRunWork : INamedWork
{
    /// <summary>The step that must be loaded.</summary>
    int? StepIndex { get; }

    Needs Needs { get; }

    /// <summary>Applies itself; null session: there is no such run.</summary>
    void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now);
}

internal sealed class ClaimWork(ClaimRequest request, IReadOnlyList<QueueRow> queues) : Work<List<Assignment>>
{
    public ClaimRequest Request { get; } = request;

    public IReadOnlyList<QueueRow> Queues { get; } = queues;

    /// <summary>Fences to use, where the claim can be sent again; else they are made at random.</summary>
    public IReadOnlyList<long>? Fences { get; init; }
}

internal sealed class ReportWork(long runId, RunName? name, int? step, string? stepName, string? worker, long fence, StepReport report)
    : Work<ReportVerdict>, IRunWork
{
    public long RunId { get; set; } = runId;

    public RunName? Name { get; } = name;

    public int? StepIndex { get; private set; } = step;

    public Needs Needs => Needs.Nothing;

    /// <summary>Name of the step, when the worker knows no lease.</summary>
    public string? StepName { get; } = stepName;

    public void Locate(WorkflowDefinition definition) => StepIndex ??= StepName is null ? null : definition.Find(StepName)?.Index;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
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
        Retried = Outcome is ReportVerdict.Accepted && session.Find(index)!.Attempt != attempt;

        // Lines are kept also from a lost lease: they tell what happened and change no state.
        Lines = report.Logs;
        Run = run.Ref;
        Attempt = attempt;
    }

    /// <summary>The step failed and is tried again.</summary>
    public bool Retried { get; private set; }

    public IReadOnlyList<LogLine> Lines { get; private set; } = [];

    public RunRef? Run { get; private set; }

    public int? Attempt { get; private set; }
}

/// <summary>Renews a lease: known by its id, or as what a worker holds of a step that it knows by name.</summary>
internal sealed class HeartbeatWork : Work<HeartbeatVerdict>, INamedWork
{
    private readonly string? stepName;
    private readonly string? worker;
    private readonly long? fence;
    private int? step;

    public HeartbeatWork(LeaseId lease) => (RunId, step, fence) = (lease.RunId, lease.Step, lease.Fence);

    public HeartbeatWork(RunName name, string step, string worker) => (Name, stepName, this.worker) = (name, step, worker);

    public long RunId { get; set; }

    public RunName? Name { get; }

    public void Locate(WorkflowDefinition definition) => step ??= definition.Find(stepName!)?.Index;

    /// <summary>Null: there is no such run or step.</summary>
    public HeldLease? Held => RunId != 0 && step is { } index ? new(new StepKey(RunId, index), fence, worker) : null;
}

internal sealed class StartWork(IReadOnlyList<StartRequest> starts) : Work<IReadOnlyList<StartOutcome>>
{
    public IReadOnlyList<StartRequest> Starts { get; } = starts;
}

internal sealed class ExpireWork(StepKey step, long fence) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = step.RunId;

    public RunName? Name => null;

    public int? StepIndex => step.Index;

    public Needs Needs => Needs.Nothing;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.Expire(step.Index, fence, now) ?? false;
}

internal sealed class DueWork(StepKey step) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = step.RunId;

    public RunName? Name => null;

    public int? StepIndex => step.Index;

    public Needs Needs => Needs.Mail;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.FinishDue(step.Index, now) ?? false;
}

internal sealed class PublishWork(LeaseId lease, IReadOnlyList<PublishedEvent> events) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = lease.RunId;

    public RunName? Name => null;

    public int? StepIndex => lease.Step;

    public Needs Needs => Needs.Nothing;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        Outcome = session?.Find(lease.Step) is { Status: StepStatus.Leased } step && step.Fence == lease.Fence;
        if (Outcome) session!.Published.AddRange(events);
    }
}

internal sealed class SendWork(RunName name, string type, string? payload, string? targetStep, Delivery delivery)
    : Work<(SendVerdict Verdict, RunStatus Before)>, IRunWork
{
    public long RunId { get; set; }

    public RunName? Name { get; } = name;

    public int? StepIndex => null;

    public Needs Needs => Needs.ActiveSteps | Needs.Mail;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        if (run is null || session is null)
        {
            Outcome = (SendVerdict.UnknownRun, default);
            return;
        }

        var before = session.StatusAt(now);
        var target = targetStep is null ? null : run.State.Definition.Find(targetStep);
        var message = new InboundEvent(now.ToMicros(), type, payload, target?.Index, now);
        var verdict = session.Deliver(message, delivery, now);
        if (verdict is SendVerdict.Delivered or SendVerdict.Kept)
        {
            changes.NewMail.Add(new InboxRow { RunId = run.Ref.Id, Id = message.Id, Type = type, Payload = payload, TargetStep = target?.Index });
        }

        Outcome = (verdict, before);
    }
}

internal sealed class ControlWork(RunName name, ControlCommand command) : Work<(ControlVerdict Verdict, RunRef? Run)>, IRunWork
{
    public long RunId { get; set; }

    public RunName? Name { get; } = name;

    public int? StepIndex => null;

    public Needs Needs => Needs.ActiveSteps | (Command is ControlCommand.Resume ? Needs.Mail : Needs.Nothing);

    public ControlCommand Command { get; } = command;

    /// <summary>Restart: the batch adds the new run. Purge: it deletes.</summary>
    public LoadedRun? Target { get; private set; }

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now)
    {
        if (run is null || session is null)
        {
            Outcome = (ControlVerdict.UnknownRun, null);
            return;
        }

        Target = run;
        Outcome = (Command switch
        {
            ControlCommand.Cancel => session.Cancel(now),
            ControlCommand.Pause => session.Pause(now),
            ControlCommand.Resume => session.Resume(now),
            ControlCommand.Restart => EndForGood(session, now),
            ControlCommand.Purge => EndForGood(session, now),
        }, run.Ref);
    }

    private static ControlVerdict EndForGood(RunSession session, DateTimeOffset now)
    {
        session.Cancel(now);
        session.VoidLeases();
        return ControlVerdict.Done;
    }
}
