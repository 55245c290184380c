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

    /// <summary>Chooses the lane: work on one run goes through one lane, so that lanes do not wait for each other's rows.</summary>
    public virtual long Affinity => 0;

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

/// <summary>Work on one run that exists.</summary>
internal interface IRunWork
{
    /// <summary>The run, if its id is known.</summary>
    long RunId { get; set; }

    /// <summary>Its name, if only that is known.</summary>
    RunName? Name { get; }

    /// <summary>The step that must be loaded.</summary>
    int? StepIndex { get; }

    /// <summary>The definition is known now: work that names its step by name finds the index.</summary>
    void Locate(WorkflowDefinition definition)
    {
    }

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

    public override long Affinity => RunId;

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
        var held = worker is null ? fence : step?.Worker == worker ? step.Fence ?? -1 : -1;
        Outcome = session.Report(index, held, report, now);

        // Lines are kept also from a lost lease: they tell what happened and change no state.
        Lines = report.Logs;
        Run = run.Ref;
        Attempt = step?.Attempt;
    }

    public IReadOnlyList<LogLine> Lines { get; private set; } = [];

    public RunRef? Run { get; private set; }

    public int? Attempt { get; private set; }
}

internal sealed class HeartbeatWork(LeaseId lease) : Work<HeartbeatVerdict>
{
    public LeaseId Lease { get; } = lease;

    public override long Affinity => Lease.RunId;
}

internal sealed class StartWork(IReadOnlyList<StartRequest> starts) : Work<IReadOnlyList<StartOutcome>>
{
    public IReadOnlyList<StartRequest> Starts { get; } = starts;

    /// <summary>Equal keys meet in one lane, where the second finds what the first left. Never 0, which means any lane.</summary>
    public override long Affinity => Starts is [{ Key: { } key }] ? 1L + (uint)key.Id.GetHashCode(StringComparison.Ordinal) : 0;
}

internal sealed class ExpireWork(StepKey step, long fence) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = step.RunId;

    public RunName? Name => null;

    public int? StepIndex => step.Index;

    public Needs Needs => Needs.Nothing;

    public override long Affinity => RunId;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.Expire(step.Index, fence, now) ?? false;
}

internal sealed class DueWork(StepKey step) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = step.RunId;

    public RunName? Name => null;

    public int? StepIndex => step.Index;

    public Needs Needs => Needs.Mail;

    public override long Affinity => RunId;

    public void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now) => Outcome = session?.FinishDue(step.Index, now) ?? false;
}

internal sealed class PublishWork(LeaseId lease, IReadOnlyList<PublishedEvent> events) : Work<bool>, IRunWork
{
    public long RunId { get; set; } = lease.RunId;

    public RunName? Name => null;

    public int? StepIndex => lease.Step;

    public Needs Needs => Needs.Nothing;

    public override long Affinity => RunId;

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
