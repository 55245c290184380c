using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Tests.Properties;

/// <summary>A lease as its worker remembers it, also when it is long lost.</summary>
internal readonly record struct DriverLease(LeaseId Id, int Step)
{
    public long Fence => Id.Fence;
}

/// <summary>Plays store, scheduler, workers and operators against one run after the other of an instance, with a clock of its own.</summary>
internal sealed partial class RunDriver
{
    private const int LeaseSecs = 10;
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly WorkflowDefinition definition;
    private readonly List<StoredRun> runs = [];
    private readonly List<DriverLease> leases = [];
    private DateTimeOffset now = Noon;
    private long lastFence;
    private long lastEvent;

    private readonly Func<IReadOnlyList<StepState>, IReadOnlyList<StepState>> keeping;
    private readonly Func<StepState, StepState>? writing;

    /// <param name="definition">The graph.</param>
    /// <param name="keeping">Changes what a retry keeps: a planted fault.</param>
    /// <param name="writing">Changes rows of maps: a planted fault.</param>
    public RunDriver(WorkflowDefinition definition, Func<IReadOnlyList<StepState>, IReadOnlyList<StepState>>? keeping = null, Func<StepState, StepState>? writing = null)
    {
        (this.definition, this.writing) = (definition, writing);
        this.keeping = keeping ?? (kept => kept);
        Start();
    }

    private StoredRun Run => runs[^1];

    public void Play(Command command)
    {
        // Each command has an instant of its own, as in a batch.
        now = now.AddMicroseconds(1);
        switch (command.What)
        {
            case Happening.Claim: Claim(command.Pick); break;
            case Happening.Heartbeat: Heartbeat(command.Pick); break;
            case Happening.Expire: Expire(command); break;
            case Happening.Succeed: Report(command.Pick, new(ReportOutcome.Succeeded) { ResultJson = command.Detail % 3 == 0 ? "[1,2,3]" : command.Detail % 3 == 1 ? "{\"n\":1.0}" : null }); break;
            case Happening.Branch: Report(command.Pick, new(ReportOutcome.Succeeded) { ResultJson = $"\"{RandomGraph.Branches[command.Detail % 3]}\"" }); break;
            case Happening.Skip: Report(command.Pick, new(ReportOutcome.Skipped) { ResultJson = "\"x\"" }); break;
            case Happening.Fail: Report(command.Pick, new(ReportOutcome.Failed) { Retryable = command.Detail % 3 > 0, Error = new("E", "m") }); break;
            case Happening.Return: Report(command.Pick, new(ReportOutcome.Returned)); break;
            case Happening.Postpone: Report(command.Pick, new(ReportOutcome.Postponed) { DelayMs = command.Detail * 10 }); break;
            case Happening.GiveUp: Report(command.Pick, new(ReportOutcome.Cancelled)); break;
            case Happening.Pass: now = now.AddMilliseconds(command.Detail * 8); break;
            case Happening.Due: FinishDue(command.Pick); break;
            case Happening.ExpireReady: ExpireReady(command); break;
            case Happening.ExpireRun: ExpireRun(command.Detail); break;
            case Happening.Send: Send(command); break;
            case Happening.Pause: Pause(); break;
            case Happening.Resume: Resume(); break;
            case Happening.Cancel: Cancel(); break;
            case Happening.CancelGently: CancelGently(); break;
            case Happening.Restart: Restart(); break;
            case Happening.Rerun: Rerun(command); break;
            case Happening.Hand: ByHand(command); break;
        }

        Check();
    }

    /// <summary>Lets things take their course until the run ends; how long that may take follows from the definition.</summary>
    public void DriveToTheEnd()
    {
        for (var round = 0; !Run.Run.IsTerminal; round++)
        {
            Violation.If(round > 50 + (definition.Steps.Length * 20) + (definition.Maps.Length * 100), "invariant 4: the run does not end although everything is reported");
            foreach (var step in Run.Active.ToList())
            {
                if (Run.Rows[step.Index] is { Status: StepStatus.Leased, Fence: { } fence }) Report(Run, step.Index, fence, new(ReportOutcome.Succeeded));
            }

            if (Run.Run.Phase is RunPhase.Paused) Resume();
            now = now.AddSeconds(30);
            if (round > 5 && Run.Run.IsCancelling) ExpireRun(0);
            for (var i = 0; i < definition.Steps.Length; i++)
            {
                FinishDue(i);
                Claim(i);
            }

            Check();
        }
    }

    private void Start()
    {
        var id = runs.Count + 1;
        var fresh = new RunState
        {
            Id = id,
            Definition = definition,
            Streams = true,
            CreatedAt = now,
            UpdatedAt = now,
            StartAt = (id + definition.Steps.Length) % 3 == 0 ? now.AddSeconds(5) : null,
            Deadline = definition.Steps.Length % 2 == 0 ? now.AddSeconds(60) : null,
        };
        var session = RunSession.Start(fresh, now);
        var run = new StoredRun(fresh, writing: writing);
        run.Save(session);
        runs.Add(run);
        StartedChecks(run);
    }

    private void Claim(int pick)
    {
        var claimable = Run.Rows.Values.Where(s => StepMachine.IsClaimable(s, now)).ToList();
        Violation.If(claimable.Count > 0 && !Run.Run.HandsOut, $"invariant 10: steps of a run that is {Run.Run.Phase} can be claimed");
        if (claimable.Count == 0) return;

        var step = claimable[pick % claimable.Count];
        Violation.If(step.Fence is not null, $"invariant 1: step {step.Index} is handed out under two leases");
        var fence = (++lastFence * 0x1_0000_0001) % LeaseId.FenceLimit;
        Run.Put(StepMachine.Claim(step, $"w{fence}", fence, LeaseSecs, now, ahead: definition.AllowsAhead && pick % 3 == 0, definition.RulesOf(step.Index).Timeouts));
        leases.Add(new(LeaseId.Create(Run.Run.Id, step.Index, fence), step.Index));
    }

    private bool Pick(int pick, out DriverLease lease)
    {
        lease = default;
        if (leases.Count == 0) return false;

        // Recent leases are the interesting ones, but every lease may speak up again.
        lease = pick % 4 == 0 ? leases[pick % leases.Count] : leases[Math.Max(0, leases.Count - 1 - (pick % 5))];
        return true;
    }

    private StoredRun RunOf(DriverLease lease) => runs[(int)lease.Id.RunId - 1];

    private void Heartbeat(int pick)
    {
        if (!Pick(pick, out var lease) || !RunOf(lease).Rows.TryGetValue(lease.Step, out var row) || row.Fence != lease.Fence || StepMachine.IsOverdue(row, now)) return;
        RunOf(lease).Put(StepMachine.Renew(row, now));
    }

    private void Report(int pick, StepReport report)
    {
        if (Pick(pick, out var lease)) Report(RunOf(lease), lease.Id.Step, lease.Fence, report);
    }

    private void Report(StoredRun run, int index, long fence, StepReport report)
    {
        var before = run.Rows[index];
        var image = before.Fence == fence ? null : run.Image;
        var session = run.Open(run.NamedAndMore(index));
        var verdict = session.Report(index, fence, report, now);
        run.Save(session);

        var expected = before.Fence != fence ? ReportVerdict.Stale
            : before.Status is StepStatus.Leased ? ReportVerdict.Accepted
            : before.Status is StepStatus.Cancelled ? ReportVerdict.StepCancelled
            : ReportVerdict.Stale;
        Violation.If(verdict != expected, $"invariant 5: a report of step {index} ({before.Status}) was {verdict}, expected {expected}");
        Violation.If(image is not null && run.Image != image, "invariant 5: a stale report changed something");
        if (verdict is ReportVerdict.StepCancelled) StepCancelledChecks(before, run.Rows[index]);
        if (verdict is ReportVerdict.Accepted) ReportedChecks(before, run.Rows[index], report);
        NoteChecks(session, before, verdict is ReportVerdict.Accepted ? NoteOf(before, report.Outcome) : null);
    }

    private void Expire(Command command)
    {
        if (!Pick(command.Pick, out var lease)) return;
        var run = RunOf(lease);
        var before = run.Rows[lease.Step];
        if (command.Detail % 3 > 0 && before.ExpiresAt > now) now = before.ExpiresAt.Value;

        var isOver = before.Fence == lease.Fence && before.ExpiresAt <= now;
        var image = isOver ? null : run.Image;
        var session = run.Open(run.NamedAndMore(lease.Step));
        var collected = session.Expire(lease.Step, lease.Fence, now);
        run.Save(session);
        Violation.If(collected != isOver, $"invariant 6: a lease that is {(isOver ? "over was not" : "not over or not current was")} collected");
        NoteChecks(session, before, !collected || before.Ahead || before.Status is not StepStatus.Leased ? null : before.Deadline <= now ? AttemptOutcome.TimedOut : AttemptOutcome.LeaseLost);
        if (collected) ExpiredChecks(before, run.Rows[lease.Step]);
        else Violation.If(image is not null && run.Image != image, "invariant 6: a lease that was not collected changed something");
    }

    private void FinishDue(int pick)
    {
        var waiting = Run.Rows.Values.Where(s => s.Status is StepStatus.Waiting).ToList();
        if (waiting.Count == 0) return;
        var step = waiting[pick % waiting.Count];
        var image = Run.Image;
        var before = InboxBefore();
        var session = Run.Open(Run.Named(step.Index));
        var finished = session.FinishDue(step.Index, now);
        Run.Save(session);
        var isDue = Run.Rows[step.Index].Status is not StepStatus.Waiting;
        Violation.If(finished != isDue, $"FinishDue said {finished} for step {step.Index}");
        Violation.If(finished && step.Due > now, $"invariant 11: step {step.Index} ended before its time");
        if (!finished) Violation.If(Run.Image != image, "a wait that is not due was changed");
        InboxChecks(before);
    }

    private void ExpireReady(Command command)
    {
        var ready = Run.Rows.Values.Where(s => s.Status is StepStatus.Ready).ToList();
        if (ready.Count == 0) return;
        var step = ready[command.Pick % ready.Count];
        if (command.Detail % 3 > 0 && step.Deadline > now) now = step.Deadline.Value;
        var (image, isOver) = (Run.Image, !step.Paused && step.Deadline <= now);
        var session = Run.Open(Run.NamedAndMore(step.Index));
        var expired = session.ExpireReady(step.Index, "no reason", now);
        Run.Save(session);
        Violation.If(expired != isOver, $"invariant 19: a ready step with the deadline {step.Deadline:O}, held by a pause: {step.Paused}, was expired: {expired}");
        Violation.If(!expired && Run.Image != image, "invariant 19: a step that has not reached its limit was changed");
        if (expired) ReadyExpiredChecks(step, Run.Rows[step.Index]);
    }

    private void ExpireRun(int detail)
    {
        if (detail % 2 == 0 && Run.Run.Deadline > now) now = Run.Run.Deadline.Value;
        var before = Run.Run;
        var session = Run.Open(Run.Active);
        var expired = session.ExpireRun(now);
        Run.Save(session);
        Violation.If(expired != (before.HandsOut && before.Deadline <= now), $"invariant 20: a run that is {before.Phase} with the deadline {before.Deadline:O} was expired: {expired}");
        Violation.If(expired && Run.Run.Phase != (before.IsCancelling ? RunPhase.Cancelled : RunPhase.Failed), $"invariant 20: a run that reached its limit is {Run.Run.Phase}");
    }

    private void Send(Command command)
    {
        int? target = command.Pick % 5 == 0 && definition.Steps.Length > 0 ? command.Pick % definition.Steps.Length : null;
        var message = new InboxEvent(++lastEvent, RandomGraph.EventTypes[command.Pick % 2], $"{{\"n\":{lastEvent}}}", target, now);
        var before = InboxBefore();
        var session = Run.Open(Run.Rows.Values.Where(s => s.Status is StepStatus.Waiting));
        var verdict = session.Deliver(message, command.Detail % 4 == 0 ? Delivery.AllWaiting : Delivery.First, now);
        Violation.If(verdict is SendVerdict.RunTerminal != Run.Run.IsTerminal, $"a send to a run that is {Run.Run.Phase} was {verdict}");
        if (verdict is SendVerdict.RunTerminal) return;

        Run.Save(session, message);
        var stored = Run.Inbox.Single(m => m.Id == message.Id);
        Violation.If(stored.DeliveredAt is not null != verdict is SendVerdict.Delivered, $"an event was {verdict}, its row says otherwise");
        InboxChecks(before);
    }

    private void Pause()
    {
        var phase = Run.Run.Phase;
        var clocks = Clocks();
        var session = Run.Open(Run.Active);
        var verdict = session.Pause(now);
        Run.Save(session);
        Violation.If(verdict != Expected(phase, phase is RunPhase.Active), $"pause of a run that is {phase} was {verdict}");
        Violation.If(Clocks() != clocks, "invariant 10: a pause moved a clock");
    }

    private void Resume()
    {
        var phase = Run.Run.Phase;
        var clocks = Clocks();
        var before = InboxBefore();
        var session = Run.Open(Run.Active);
        var verdict = session.Resume(now);
        var known = Run.Rows.Keys.ToHashSet();
        Run.Save(session);
        Violation.If(verdict != Expected(phase, phase is RunPhase.Paused), $"resume of a run that is {phase} was {verdict}");
        Violation.If(Clocks(known) != clocks, "invariant 10: a resume moved a clock");
        InboxChecks(before);
    }

    private static ControlVerdict Expected(RunPhase phase, bool applies) =>
        phase > RunPhase.Paused ? ControlVerdict.Terminal : applies ? ControlVerdict.Done : ControlVerdict.NoChange;

    private void Cancel()
    {
        var wasTerminal = Run.Run.IsTerminal;
        var session = Run.Open(Run.Active);
        var verdict = session.Cancel(now);
        Run.Save(session);
        Violation.If(verdict is ControlVerdict.Terminal != wasTerminal, $"a cancel was {verdict}");
        Violation.If(!wasTerminal && Run.Run.Phase is not RunPhase.Cancelled, "a cancelled run goes on");
    }

    private void Restart()
    {
        var session = Run.Open(Run.Rows.Values.Where(s => s.IsActive || s.Fence is not null));
        session.Cancel(now);
        session.VoidLeases();
        Run.Save(session);
        Violation.If(Run.Rows.Values.Any(s => s.Fence is not null), "invariant 5: a lease survived the restart");
        Start();
    }
}
