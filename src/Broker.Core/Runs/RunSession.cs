using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>
/// One run while one transaction changes it: commands go in one after the other, the rows to write come out. It is pure: the caller loads
/// rows before and passes the instant. Each command needs the steps that it names; some need all active steps, and say so.
/// </summary>
public sealed partial class RunSession
{
    private readonly Dictionary<int, StepState> steps = [];
    private readonly HashSet<int> inserted = [];
    private readonly HashSet<int> updated = [];

    // Undelivered events and consumed ones by id; null until there is one, as in most sessions.
    private SortedDictionary<long, InboxEvent>? mail;
    private SortedDictionary<long, InboxEvent>? consumed;

    // Waits reached by this command, in order of creation. Earlier waits take kept events first. The queue replaces recursion: a chain of
    // thousands of waits whose events are all kept would cost a stack frame each.
    private Queue<int>? freshWaits;

    // For conditions: undefined where none reads them.
    private readonly JsonElement inputs;

    // A step has ended or begun.
    private bool moved;

    private List<string>? reachedLimits;

    // How far maps of the earlier run had come that go on in this one; null: none.
    private IReadOnlyDictionary<int, MapProgress>? resumedMaps;

    /// <param name="run">The run's row.</param>
    /// <param name="loaded">The steps that the commands need; with conditions also every other reached one.</param>
    /// <param name="undelivered">Inbound events, where a wait may take one.</param>
    /// <param name="inputsJson">Raw JSON of the run's inputs, where a condition may read them.</param>
    public RunSession(RunState run, IEnumerable<StepState> loaded, IEnumerable<InboxEvent> undelivered, string? inputsJson = null)
    {
        Run = run;
        if (inputsJson is not null && run.Definition.ConditionsReadInputs) inputs = JsonElement.Parse(inputsJson);
        foreach (var step in loaded) steps[step.Index] = step;
        foreach (var message in undelivered) (mail ??= [])[message.Id] = message;
    }

    public RunState Run { get; private set; }

    /// <summary>Set when the run's context was replaced: raw JSON.</summary>
    public string? NewContext { get; private set; }

    /// <summary>The run has ended within this session: the caller hands in its final value with <see cref="Conclude"/>.</summary>
    public bool EndedNow { get; private set; }

    /// <summary>Raw JSON of the final value of a run that succeeded in this session.</summary>
    public string? ResultJson { get; private set; }

    /// <summary>The loaded steps of the definition as they are now, and those that this session has added.</summary>
    public IReadOnlyCollection<StepState> Reached => [.. steps.Values.Where(step => step.Index < StepDefinition.FirstDynamic)];

    /// <summary>The loaded events that no step has taken.</summary>
    public IEnumerable<InboxEvent> Undelivered => mail?.Values ?? Enumerable.Empty<InboxEvent>();

    public IEnumerable<StepState> Inserted => inserted.Select(i => steps[i]);

    public IEnumerable<StepState> Updated => updated.Where(i => !inserted.Contains(i)).Select(i => steps[i]);

    public IEnumerable<InboxEvent> Consumed => consumed?.Values ?? Enumerable.Empty<InboxEvent>();

    /// <summary>Attempts that ended in this session without success.</summary>
    public List<AttemptEnd> EndedAttempts { get; } = [];

    /// <summary>Steps that failed for good in this session; null: none did.</summary>
    public List<StepState>? FailedSteps { get; private set; }

    /// <summary>Limits that were reached in this session, by the names of their errors.</summary>
    public IReadOnlyList<string> ReachedLimits => reachedLimits ?? [];

    /// <summary>Events to append to the run's stream, in order. The terminal event is no row: it follows from the run having ended.</summary>
    public List<PublishedEvent> Published { get; } = [];

    /// <summary>
    /// The run may have become idle: steps moved, and each loaded active step waits for an event. The caller checks the active steps that
    /// are not loaded and calls <see cref="AnnounceIdle"/>.
    /// </summary>
    public bool MayBeIdle => moved && Run is { Streams: true, HandsOut: true, Active: > 0 } && steps.Values.All(s => !s.IsActive || IsEventWait(s.Index));

    /// <summary>Active steps of the run that are not loaded.</summary>
    public int ActiveElsewhere => Run.Active - steps.Values.Count(s => s.IsActive);

    /// <summary>The run only waits for events from outside, if the other active steps do so too.</summary>
    public void AnnounceIdle(IEnumerable<int> otherActive)
    {
        if (otherActive.All(index => steps.ContainsKey(index) || IsEventWait(index))) Published.Add(StepEvents.Idle);
    }

    /// <summary>The run's status, as its loaded active steps show it.</summary>
    public RunStatus StatusAt(DateTimeOffset now)
    {
        var active = Active();
        return RunStatuses.Of(
            Run.Phase,
            leased: active.Any(s => s.Status is StepStatus.Leased),
            claimable: active.Any(s => (s.Status is StepStatus.Ready && s.Due <= now) || s is { Status: StepStatus.Waiting, Items: not null }),
            pending: active.Any(s => s.Status is StepStatus.Waiting || (s.Due > now && s.BegunAt is not null)),
            begun: Run.ResumedAt is null
                ? Run.StartedAt is not null || active.Any(s => s.BegunAt is not null)
                : active.Any(s => (s.GrantedAt ?? s.BegunAt) >= Run.ResumedAt));
    }

    public StepState? Find(int index) => steps.GetValueOrDefault(index);

    /// <summary>A new run with its roots ready. An empty graph is complete at once.</summary>
    public static RunSession Start(RunState fresh, DateTimeOffset now, string? inputsJson = null)
    {
        var session = new RunSession(fresh, [], [], inputsJson);
        foreach (var root in fresh.Definition.Roots.Where(root => session.Definition(root).When is null)) session.Reach(root, now);
        if (fresh.Definition.HasConditions) session.Decide(fresh.Definition.Roots, now);
        session.Settle(now);
        if (session.MayBeIdle) session.AnnounceIdle([]);
        return session;
    }

    /// <summary>
    /// A new run in which kept steps of an earlier one have ended already. Their ends are counted again, in their order; what they make ready and
    /// is not kept starts. Events that are handed in may be taken by waits.
    /// </summary>
    /// <param name="fresh">The new run.</param>
    /// <param name="kept">Steps that have ended in the earlier one.</param>
    /// <param name="undelivered">Events for its waits.</param>
    /// <param name="now">The instant.</param>
    /// <param name="inputsJson">Raw JSON of the run's inputs, where a condition may read them.</param>
    /// <param name="resumed">Maps of the earlier run that go on with the items that have not succeeded.</param>
    public static RunSession Rerun(
        RunState fresh, IReadOnlyList<StepState> kept, IEnumerable<InboxEvent> undelivered, DateTimeOffset now, string? inputsJson = null, IReadOnlyDictionary<int, MapProgress>? resumed = null)
    {
        var session = new RunSession(fresh, kept, undelivered, inputsJson) { resumedMaps = resumed };
        foreach (var step in kept) session.inserted.Add(step.Index);
        foreach (var root in fresh.Definition.Roots.Where(root => session.Definition(root).When is null)) session.Reach(root, now);
        foreach (var step in kept.Where(step => !session.Definition(step.Index).Blocks(step))) session.ReachBelow(step, now);
        if (fresh.Definition.HasConditions) session.Decide(Enumerable.Range(0, fresh.Definition.Steps.Length), now);
        session.Settle(now);
        if (session.MayBeIdle) session.AnnounceIdle([]);
        return session;
    }

    /// <summary>Applies a report. While pausing, all active steps must be loaded.</summary>
    public ReportVerdict Report(int index, long fence, StepReport report, DateTimeOffset now)
    {
        if (!steps.TryGetValue(index, out var step)) return ReportVerdict.Stale;

        var verdict = StepMachine.Report(step, fence, report, Definition(index), now);
        if (verdict.Refusal is Refusal.StaleLease) return ReportVerdict.Stale;

        Set(verdict.Next);
        if (verdict.Refusal is Refusal.Cancelled) return ReportVerdict.StepCancelled;

        Run = Run with { UpdatedAt = Later(now), StartedAt = Run.StartedAt ?? step.BegunAt };
        Note(verdict);
        foreach (var published in report.Events) Published.Add(published);
        if (report.ContextJson is not null) NewContext = report.ContextJson;
        After(step, verdict.Next, now);
        return ReportVerdict.Accepted;
    }

    /// <summary>The lease of a step ran out; false when it did not, or is not the current one. While pausing, all active steps must be loaded.</summary>
    public bool Expire(int index, long fence, DateTimeOffset now)
    {
        if (!steps.TryGetValue(index, out var step)) return false;
        var verdict = StepMachine.Expire(step, fence, Run.Definition, now);
        if (!verdict.Accepted) return false;

        Set(verdict.Next);
        if (step.Status is StepStatus.Cancelled) return true;
        Touch(now);
        Note(verdict);
        After(step, verdict.Next, now);
        return true;
    }

    /// <summary>A step has waited for a worker up to its limit; false when it has not, or a pause holds it.</summary>
    /// <param name="index">The step.</param>
    /// <param name="reason">Why no worker has taken it.</param>
    /// <param name="now">The instant.</param>
    public bool ExpireReady(int index, string reason, DateTimeOffset now)
    {
        if (!Run.HandsOut || !steps.TryGetValue(index, out var step)) return false;
        var verdict = StepMachine.ExpireReady(step, Definition(index), reason, now);
        if (!verdict.Accepted) return false;
        Set(verdict.Next);
        Touch(now);
        (reachedLimits ??= []).Add(verdict.Next.Error!.Name);
        After(step, verdict.Next, now);
        return true;
    }

    /// <summary>The run has reached its limit: it fails, and its open steps are cancelled. The caller must have loaded the active steps. A pause keeps it.</summary>
    public bool ExpireRun(DateTimeOffset now)
    {
        if (!Run.HandsOut || !(Run.Deadline <= now)) return false;
        if (Run.IsCancelling) return Cancel(now) is ControlVerdict.Done;
        var limit = Run.Deadline.Value - (Run.StartAt ?? Run.CreatedAt);
        foreach (var step in Active()) Set(StepMachine.Cancel(step, now));
        Run = Run with { Active = 0, Error = new(StepTimeouts.RunName, $"the run had not ended {limit.TotalMilliseconds:f0} ms after its start") };
        (reachedLimits ??= []).Add(StepTimeouts.RunName);
        End(RunPhase.Failed, now);
        return true;
    }

    /// <summary>Gives a run that has just succeeded its final value; one that its stop event cannot carry makes the run fail.</summary>
    public void Conclude(string valueJson)
    {
        if (Run.Phase is not RunPhase.Succeeded) return;
        if (FinalValue.Fault(Run.Definition.Events, valueJson) is { } fault) Run = Run with { Phase = RunPhase.Failed, Error = fault };
        else ResultJson = valueJson;
    }

    private void After(StepState before, StepState after, DateTimeOffset now)
    {
        if (after.Status is StepStatus.Ready)
        {
            if (!Run.HandsOut) Set(after with { Paused = true });
            Announce(after, "not_running", before.Attempt == after.Attempt ? null : "retry");
        }
        else
        {
            Announce(after, "not_running", null);
            Left(after, now);
        }

        Settle(now);
    }

    // A step has ended: count it at the joins below, or note the failure.
    private void Left(StepState ended, DateTimeOffset now)
    {
        moved = true;
        if (ended.Status is StepStatus.Failed) (FailedSteps ??= []).Add(ended);

        Leave(ended);
        if (ended.Index >= StepDefinition.FirstDynamic)
        {
            CountItem(ended, now);
            return;
        }

        if (ended.Items is { Open: > 0 }) (movedMaps ??= []).Add(ended.Index);
        if (Definition(ended.Index).Blocks(ended))
        {
            Run = Run with { Error = Run.Error ?? (ended.Error ?? new(StepError.DefaultName, "failed")) with { Step = Definition(ended.Index).Name } };
            CancelGroup(ended, now);
        }
        else
        {
            ReachBelow(ended, now);
        }

        if (Run.Definition.HasConditions) Decide(Definition(ended.Index).Dependents, now);
    }

    // Later commands do not load the ended step, so the run itself records that it has begun, or has begun again after a pause.
    private void Leave(StepState ended)
    {
        var begun = ended.GrantedAt ?? ended.BegunAt;
        Run = Run with { Active = Run.Active - 1, StartedAt = Run.StartedAt ?? ended.BegunAt, ResumedAt = begun >= Run.ResumedAt ? null : Run.ResumedAt };
    }

    // Invariant 26. Steps of the group that are reached later are cancelled when they are.
    private void CancelGroup(StepState failed, DateTimeOffset now)
    {
        if (Definition(failed.Index).FailFast is not { } group) return;
        foreach (var other in Active().Where(step => Definition(step.Index).FailFast == group))
        {
            var cancelled = StepMachine.Cancel(other, now);
            Set(cancelled);
            Leave(cancelled);
            if (cancelled.Items is { Open: > 0 }) (movedMaps ??= []).Add(other.Index);
            Announce(cancelled, "not_running", null);
            if (Run.Definition.HasConditions) Decide(Definition(other.Index).Dependents, now);
        }
    }

    private bool IsGroupLost(StepDefinition step) => step.FailFast is { } group
        && steps.Values.Any(other => other.Status is StepStatus.Failed && Definition(other.Index) is var its && its.FailFast == group && its.Blocks(other));

    private void ReachBelow(StepState ended, DateTimeOffset now)
    {
        var branch = ended.Status is StepStatus.Succeeded ? BranchOf(ended.Result) : null;
        var (joins, ready) = Run.Joins.Finish(Run.Definition, Definition(ended.Index), branch, ended.Status is not StepStatus.Skipped);
        if (!ReferenceEquals(joins, Run.Joins)) Run = Run with { Joins = joins };
        foreach (var next in ready)
        {
            if (Definition(next).When is null && !Run.IsCancelling) Reach(next, now);
        }
    }

    // Invariants 15 and 16. A step that is not run can decide the steps below it; the queue replaces recursion.
    private void Decide(IEnumerable<int> candidates, DateTimeOffset now)
    {
        var open = new Queue<int>(candidates);
        while (open.TryDequeue(out var index))
        {
            if (steps.ContainsKey(index)) continue;
            switch (Conditions.Decide(Run, Definition(index), steps, inputs))
            {
                case Decision.Start:
                    Reach(index, now);
                    break;
                case Decision.Drop:
                    steps[index] = new StepState { Index = index, Status = StepStatus.NotRun, QueuedAt = now, Due = now, EndedAt = now };
                    inserted.Add(index);
                    moved = true;
                    foreach (var below in Definition(index).Dependents) open.Enqueue(below);
                    break;
                case Decision.Wait:
                    break;
            }
        }
    }

    private void Reach(int index, DateTimeOffset now)
    {
        // Roots of a cycle's entry may be named again by a back edge: a step is made ready at most once.
        if (steps.ContainsKey(index)) return;

        var definition = Definition(index);
        var due = BeginOf(now);
        var total = definition.Timeouts.TotalFrom(due);
        var step = new StepState
        {
            Index = index,
            Status = StepStatus.Ready,
            QueuedAt = now,
            Due = due,
            Paused = !Run.HandsOut,
            TotalDeadline = total,
            Deadline = definition.Timeouts.QueueFrom(due, total),
        };
        if (definition.Kind is not StepKind.Task)
        {
            step = step with { Status = StepStatus.Waiting, Paused = false, BegunAt = now, Due = EndOf(definition, due) };
            if (definition.Map is not null) step = step with { Items = resumedMaps?.GetValueOrDefault(index) ?? MapProgress.Fresh };
            Run = Run with { StartedAt = Run.StartedAt ?? now };
        }

        moved = true;
        inserted.Add(index);
        if (IsGroupLost(definition))
        {
            steps[index] = StepMachine.Cancel(step, now);
            if (Run.Definition.HasConditions) Decide(definition.Dependents, now);
            return;
        }

        steps[index] = step;
        Run = Run with { Active = Run.Active + 1 };
        if (definition.Kind is StepKind.WaitForEvent && Run.HandsOut) (freshWaits ??= []).Enqueue(index);
        if (definition.Map is not null) (movedMaps ??= []).Add(index);
    }

    // When a task of the run may first be claimed.
    private DateTimeOffset BeginOf(DateTimeOffset now) => Run.StartAt > now && !Run.IsCancelling ? Run.StartAt.Value : now;

    private static DateTimeOffset EndOf(StepDefinition definition, DateTimeOffset begin) => definition.Kind switch
    {
        StepKind.Sleep => begin.AddMilliseconds(definition.DurationMs),
        StepKind.WaitForEvent => begin.AddMilliseconds(definition.TimeoutMs!.Value),
        StepKind.Map => Never,
        StepKind.Task => begin,
    };

    // The rule of the run's end (design 2.2), and of a pause that has come to its end.
    private void Settle(DateTimeOffset now)
    {
        ServeFreshWaits(now);
        if (Run.Phase is RunPhase.Pausing && !Active().Any(s => s.Status is StepStatus.Leased)) Run = Run with { Phase = RunPhase.Paused };
        if (Run.Active > 0 || Run.IsTerminal) return;
        if (Run.IsCancelling) End(RunPhase.Cancelled, now);
        else if (Run.Error is not null) End(RunPhase.Failed, now);
        else if (Run.HandsOut) End(RunPhase.Succeeded, now);
    }

    private void End(RunPhase phase, DateTimeOffset now)
    {
        Touch(now);
        Run = Run with { Phase = phase, EndedAt = now, Deadline = null };
        EndedNow = true;
    }

    private void Touch(DateTimeOffset now) => Run = Run with { UpdatedAt = Later(now) };

    private DateTimeOffset Later(DateTimeOffset now) => now > Run.UpdatedAt ? now : Run.UpdatedAt;

    private void Note(Verdict verdict)
    {
        if (verdict.Attempt is not { } attempt) return;
        EndedAttempts.Add(attempt);
        if (attempt is { Outcome: AttemptOutcome.TimedOut, Error: { } limit }) (reachedLimits ??= []).Add(limit.Name);
    }

    private void Announce(StepState step, string state, string? input)
    {
        // Items are folded into their map: a stream of 100,000 changes would say no more.
        if (Run.Streams && step.Index < StepDefinition.FirstDynamic) Published.Add(StepEvents.StateChanged(Definition(step.Index), state, step.Worker, input));
    }

    private List<StepState> Active() => steps.Values.Where(s => s.IsActive).OrderBy(s => s.Index).ToList();

    private IEnumerable<StepState> WaitingInOrder() =>
        steps.Values.Where(s => s.Status is StepStatus.Waiting).OrderBy(s => s.BegunAt).ThenBy(s => s.Index);

    private void Set(StepState step)
    {
        steps[step.Index] = step;
        updated.Add(step.Index);
    }

    private bool IsEventWait(int index) => Definition(index).Kind is StepKind.WaitForEvent;

    private StepDefinition Definition(int index) => Run.Definition.RulesOf(index);

    /// <summary>The branch that a result names: its text if it is a JSON string.</summary>
    internal static string? BranchOf(string? resultJson)
    {
        if (resultJson is null || !resultJson.AsSpan().TrimStart().StartsWith("\"")) return null;
        using var parsed = JsonDocument.Parse(resultJson);
        return JsonText.StringOf(parsed.RootElement);
    }
}
