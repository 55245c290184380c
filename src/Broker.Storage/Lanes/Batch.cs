using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Model;

namespace Broker.Storage.Lanes;

/// <summary>
/// One transaction for whatever callers are waiting: loads what they name, lets the rules decide one after the other, writes all rows
/// at once and then hands out steps, so that a step made ready here can be claimed here. A commit costs more than everything else in
/// it, so sharing it is what makes the broker fast.
/// </summary>
/// <param name="unit">The transaction.</param>
/// <param name="services">What all transactions use.</param>
/// <param name="works">The callers; those who are recruited are added.</param>
/// <param name="recruits">Whether claims are taken in that wait for what becomes ready here, or that are expected.</param>
internal sealed class Batch(IUnit unit, BatchServices services, List<Work> works, bool recruits)
{
    private readonly int epoch = services.Epoch.Number;
    private readonly ChangeSet changes = new();
    private readonly Dictionary<long, LoadedRun> runs = [];
    private readonly Dictionary<long, RunSession> sessions = [];
    private readonly List<ReadyHint> hints = [];
    private readonly List<Appended> appended = [];
    private IReadOnlyList<ClaimedRow> claimed = [];
    private IReadOnlyList<StepKey> upstream = [];
    private ILookup<StepKey, InboundEvent>? mail;
    private List<Prefetch.Expected> expected = [];

    /// <summary>Whether there is anything to commit. Claims that find nothing succeed on a full disk too.</summary>
    public bool HasWritten => !changes.IsEmpty || claimed.Count > 0 || appended.Count > 0 || changes.Lines.Count > 0;

    /// <summary>Everything but the commit.</summary>
    public void Run()
    {
        var repeated = RepeatedClaims.Find(unit, works);
        ResolveNames();
        var now = Load();
        now = Apply(now);
        repeated?.Mark(sessions);
        Conclude();
        AnnounceIdle();
        Gather();
        LowerCursors();
        if (recruits && hints.Count > 0) Recruit(now.ToMicros());
        expected = services.Prefetch.Expect(works, ahead: recruits, services.Gate.IsWaitedFor);
        var (claims, heartbeats) = (ClaimGroup.AllOf(Claims(), services.Cursors), Heartbeats(repeated));
        if (claims.Count > 0)
        {
            // With those of the steps that are handed out: streams are locked in order of run, so each transaction locks them in one statement.
            appended.AddRange(changes.Events);
            changes.Events.Clear();
        }

        (claimed, var renewed) = unit.Write(changes, claims);
        RefuseStaleNames(heartbeats, renewed);
        for (var i = 0; i < heartbeats.Count; i++)
        {
            heartbeats[i].Outcome = renewed[i] switch
            {
                null => HeartbeatVerdict.Gone,
                StepStatus.Cancelled => HeartbeatVerdict.Cancelled,
                _ => HeartbeatVerdict.Renewed,
            };
        }

        upstream = Upstream();
        mail = TakeMail();
        appended.AddRange(claimed.Where(c => c.Streams).SelectMany(Running));
        if (appended.Count > 0) unit.AppendEvents(appended);
        services.LogLimit.Fit(unit, changes.Lines);
    }

    /// <summary>Commits, then answers the callers and tells whoever waits.</summary>
    public void Commit()
    {
        services.Epoch.Require(epoch);
        HandOut(unit.Commit(upstream, changes.Lines));
        LowerCursors();
        AwaitExpected();
        Answers.Give(works);
        Announce();
    }

    private void ResolveNames()
    {
        var unknown = works.OfType<INamedWork>().Where(w => w.RunId == 0 && w.Name is not null).ToList();
        foreach (var work in unknown)
        {
            if (services.Names.TryGet(work.Name!.Value, out var known)) Found(work, known);
        }

        unknown.RemoveAll(w => w.RunId != 0);
        if (unknown.Count == 0) return;

        var found = unit.Resolve([.. unknown.Select(w => w.Name!.Value)]);
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i].Id != 0) Found(unknown[i], found[i]);
        }
    }

    private void Found(INamedWork work, (long Id, int DefinitionId) run)
    {
        work.RunId = run.Id;
        work.Locate(services.Definitions.Get(run.DefinitionId));
    }

    private DateTimeOffset Load()
    {
        var named = works.OfType<IRunWork>().Where(w => w.RunId != 0).ToList();
        if (named.Count == 0) return works.Any(w => w is StartWork) ? unit.Now() : default;
        var loaded = Recall(named) ?? unit.Begin(
            [.. named.Select(w => w.RunId).Distinct().Order()],
            [.. named.Where(w => w.StepIndex is not null).Select(w => new StepKey(w.RunId, w.StepIndex!.Value)).Distinct()],
            locksSteps: named.Exists(w => w.Needs.HasFlag(Needs.Lease)));
        foreach (var run in loaded.Runs) runs[run.Ref.Id] = run;
        RefuseStaleNames(named);

        var needs = named.GroupBy(w => w.RunId).ToDictionary(g => g.Key, g => g.Aggregate(Needs.Nothing, (all, w) => all | w.Needs));
        long[] Wanting(Func<LoadedRun, Needs, bool> wants) => [.. runs.Values.Where(r => wants(r, needs[r.Ref.Id])).Select(r => r.Ref.Id).Order()];

        // Pausing: whether the last lease has gone is asked at every report. Mail: a report may begin a wait that has mail already.
        var active = Wanting((run, need) => need.HasFlag(Needs.ActiveSteps) || run.State.Phase is RunPhase.Pausing);
        var mailed = Wanting((run, need) => run.State.Mail > 0 && (need.HasFlag(Needs.Mail) || run.State.Definition.HasWaits));
        var activeSteps = active.Length > 0 ? unit.ActiveSteps(active) : null;
        var pending = mailed.Length > 0 ? unit.Mail(mailed) : null;
        foreach (var (id, run) in runs)
        {
            var state = run.State;
            var undelivered = pending is not null && mailed.Contains(id) ? pending[id].ToList() : [];

            // Steps that accept events have taken theirs without touching the run's row.
            if (mailed.Contains(id) && undelivered.Count != state.Mail) state = state with { Mail = undelivered.Count };
            sessions[id] = new RunSession(state, loaded.Steps[id].Concat(activeSteps?[id] ?? []), undelivered);
        }

        SendWork.FindKnown(unit, works);
        return loaded.Now;
    }

    private Loaded? Recall(List<IRunWork> named) =>
        works.TrueForAll(w => w is ReportWork { Lease: not null } or ClaimWork or HeartbeatWork) ? unit.Recall([.. named.OfType<ReportWork>().Select(r => r.Lease!.Value)]) : null;

    // A name may have been purged and used again by another broker, and a restart may have come in between: then look it up anew.
    private void RefuseStaleNames(List<IRunWork> named)
    {
        foreach (var work in named)
        {
            if (work.Name is not { } name) continue;
            var found = runs.GetValueOrDefault(work.RunId);
            if (found is not null && (name.Number is not null || found.IsCurrent) && name.Workflow == found.Ref.Workflow && name.InstanceId == found.Ref.InstanceId) continue;
            services.Names.Forget(name);
            work.RunId = 0;
            throw new StaleNameException();
        }
    }

    // The same for leases told by name: what the cache calls gone may be another run's by now.
    private void RefuseStaleNames(List<HeartbeatWork> heartbeats, IReadOnlyList<StepStatus?> renewed)
    {
        var isStale = false;
        for (var i = 0; i < heartbeats.Count; i++)
        {
            if (renewed[i] is not null || heartbeats[i].Name is not { } name || !services.Names.TryGet(name, out _)) continue;
            services.Names.Forget(name);
            heartbeats[i].RunId = 0;
            isStale = true;
        }

        if (isStale) throw new StaleNameException();
    }

    private DateTimeOffset Apply(DateTimeOffset now)
    {
        foreach (var work in works)
        {
            // Each piece of work has an instant of its own, so that what comes first is queued first.
            now = now.AddMicroseconds(1);
            switch (work)
            {
                case StartWork starts:
                    starts.Outcome = new Starting(unit, services, changes, hints).Apply(starts.Starts, now);
                    now = now.AddMicroseconds(starts.Starts.Count);
                    break;
                case ControlWork control:
                    Apply(control, now);
                    new Starting(unit, services, changes, hints).AfterControl(control, now);
                    break;
                case IRunWork onRun:
                    Apply(onRun, now);
                    break;
            }
        }

        return now;
    }

    private void Apply(IRunWork work, DateTimeOffset now)
    {
        var run = runs.GetValueOrDefault(work.RunId);
        work.Apply(run, run is null ? null : sessions[run.Ref.Id], changes, now);
    }

    private void Conclude()
    {
        List<(RunSession Session, long Id)>? ended = null;
        foreach (var (id, session) in sessions)
        {
            if (session is { EndedNow: true, Run.Phase: RunPhase.Succeeded }) (ended ??= []).Add((session, id));
        }

        if (ended is null) return;
        var missing = ended
            .SelectMany(e => e.Session.Run.Definition.ResultSteps.Where(i => e.Session.Find(i) is null).Select(i => new StepKey(e.Id, i)))
            .ToList();
        var stored = missing.Count > 0 ? unit.Results(missing).ToLookup(r => r.Step.RunId) : null;
        foreach (var (session, id) in ended)
        {
            var finished = new Dictionary<int, string?>();
            foreach (var index in session.Run.Definition.ResultSteps)
            {
                if (session.Find(index) is { IsFinished: true } step) finished[index] = step.Result;
            }

            foreach (var (step, result) in stored?[id] ?? []) finished[step.Index] = result;
            session.Conclude(FinalValue.Of(session.Run.Definition, finished));
        }
    }

    // Only runs with waits come here, and only those with parallel branches cost an exchange.
    private void AnnounceIdle()
    {
        List<(RunSession Session, long Id)>? quiet = null;
        foreach (var (id, session) in sessions)
        {
            if (session.MayBeIdle) (quiet ??= []).Add((session, id));
        }

        if (quiet is null) return;
        var unsure = quiet.Where(q => q.Session.ActiveElsewhere > 0).Select(q => q.Id).ToList();
        var active = unsure.Count > 0 ? unit.ActiveIndexes(unsure) : null;
        foreach (var (session, id) in quiet) session.AnnounceIdle(active?[id] ?? []);
    }

    private ILookup<StepKey, InboundEvent>? TakeMail()
    {
        List<(StepKey, string)>? accepted = null;
        foreach (var row in claimed)
        {
            var step = services.Definitions.Get(row.DefinitionId).Steps[row.Index];
            if (!step.TakesEvents) continue;
            foreach (var type in step.Accepts) (accepted ??= []).Add((new(row.RunId, row.Index), type));
        }

        return accepted is null ? null : unit.TakeMail(accepted);
    }

    private void Gather()
    {
        // Nor do lines outlive a run that is purged together with them.
        if (changes.Purged.Count > 0) changes.Lines.RemoveAll(line => changes.Purged.Contains(line.RunId!.Value));
        foreach (var (id, session) in sessions)
        {
            var run = runs[id];
            foreach (var step in session.Inserted) changes.NewSteps.Add(Row(run, step));

            // In one order for all: heartbeats lock steps without their run's lock.
            foreach (var step in session.Updated.OrderBy(s => s.Index)) changes.Steps.Add(Row(run, step));
            foreach (var message in session.Consumed)
            {
                changes.Mail.Add(new InboxRow
                {
                    RunId = id,
                    Id = message.Id,
                    Type = message.Type,
                    DeliveredAt = message.DeliveredAt.ToMicros(),
                    ConsumedBy = message.ConsumedBy,
                });
            }

            // What is purged leaves no stream behind.
            if (!changes.Purged.Contains(id)) changes.Events.AddRange(session.Published.Select(published => new Appended(id, published)));
            if (!ReferenceEquals(session.Run, run.State) || session.NewContext is not null)
                changes.Runs.Add(new(run with { State = session.Run }, session.NewContext, session.ResultJson));
        }
    }

    private StepRow Row(LoadedRun run, StepState step)
    {
        var row = StepRows.Of(run.Ref.Id, run.State.CreatedAt, run.State.Definition, run.DefinitionId, step, services);
        if (row.Status == (short)StepStatus.Ready) hints.Add(new(row.QueueId, row.Due, new(row.RunId, row.Idx)));
        return row;
    }

    // A claim that waits for what becomes ready here gets it in this transaction: half the time of a second one, and of its commit.
    private void Recruit(long now)
    {
        var ready = hints.Where(hint => hint.Due <= now).Select(hint => hint.QueueId).ToList();
        var unclaimed = ready.Count - works.OfType<ClaimWork>().Where(claim => claim.Limit is null).Sum(claim => claim.Request.Count);
        if (unclaimed > 0) works.AddRange(services.Gate.Recruit(ready, unclaimed));
    }

    // Label queues are in order of due time. For the claims of this transaction, and after the commit for those that could not see it yet.
    private void LowerCursors()
    {
        foreach (var hint in hints) services.Cursors.Lower(hint.QueueId, hint.Due);
    }

    // Those whose queues are of another history of the database find nothing this time.
    private IEnumerable<ClaimWork> Claims() =>
        works.OfType<ClaimWork>().Concat(expected.Select(e => e.Ahead).OfType<ClaimWork>()).Where(claim => services.Queues.IsCurrent(claim.Queues));

    private List<HeartbeatWork> Heartbeats(RepeatedClaims? repeated)
    {
        var heartbeats = new List<HeartbeatWork>();
        foreach (var heartbeat in works.OfType<HeartbeatWork>().Concat(repeated?.Renewals ?? []))
        {
            heartbeat.Outcome = HeartbeatVerdict.Gone;
            if (heartbeat.Held is not null) heartbeats.Add(heartbeat);
        }

        heartbeats.Sort(static (a, b) => a.Held!.Value.Step.CompareTo(b.Held!.Value.Step));
        changes.Heartbeats.AddRange(heartbeats.Select(h => h.Held!.Value));
        return heartbeats;
    }

    private IEnumerable<Appended> Running(ClaimedRow row)
    {
        var step = services.Definitions.Get(row.DefinitionId).Steps[row.Index];
        string? input = null;
        foreach (var message in mail?[new(row.RunId, row.Index)] ?? [])
        {
            input ??= message.Type;
            yield return new(row.RunId, StepEvents.QueueChanged(step));
        }

        yield return new(row.RunId, StepEvents.StateChanged(step, "running", row.Worker, input));
    }

    private IReadOnlyList<StepKey> Upstream()
    {
        if (claimed.Count == 0) return [];
        var keys = new HashSet<StepKey>();
        foreach (var row in claimed)
        {
            var definition = services.Definitions.Get(row.DefinitionId);
            foreach (var predecessor in definition.Steps[row.Index].Predecessors) keys.Add(new(row.RunId, predecessor));
        }

        return [.. keys];
    }

    private void HandOut(IReadOnlyList<(StepKey Step, string? Result)> results)
    {
        if (claimed.Count == 0) return;
        var byKey = results.ToDictionary(r => r.Step, r => r.Result);
        foreach (var row in claimed)
        {
            var definition = services.Definitions.Get(row.DefinitionId);
            var finished = new Dictionary<int, string?>();
            foreach (var predecessor in definition.Steps[row.Index].Predecessors)
            {
                if (byKey.TryGetValue(new(row.RunId, predecessor), out var result)) finished[predecessor] = result;
            }

            var assignment = row.ToAssignment(definition, finished);
            row.Claim!.Give(mail is null ? assignment : assignment with { Events = [.. mail[new(row.RunId, row.Index)]] });
            services.Names.Add(new(row.Workflow, row.InstanceId, row.Number), (row.RunId, row.DefinitionId));
        }
    }

    // Before anybody is answered: a worker may be back at once, and who has paused a run sees nothing more of it handed out.
    private void AwaitExpected()
    {
        foreach (var (id, session) in sessions)
        {
            if (session.Run.Phase != runs[id].State.Phase) services.Prefetch.Withdraw(id);
        }

        services.Prefetch.Await(expected);
        services.HandOvers.Reported(works);
    }

    private void Announce()
    {
        // What was handed out here already is nobody's to take.
        var taken = hints.Count > 0 ? claimed.Select(row => new StepKey(row.RunId, row.Index)).ToHashSet() : [];
        foreach (var hint in hints)
        {
            if (!taken.Contains(hint.Step)) services.Changes.Ready(hint.QueueId, hint.Due);
        }

        foreach (var (id, session) in sessions)
        {
            if (session.EndedNow || session.Published.Count > 0) services.Changes.Signal(Topics.Run(id));
        }

        foreach (var row in claimed)
        {
            if (row.Streams) services.Changes.Signal(Topics.Run(row.RunId));
        }

        LogLines.Signal(services.Changes, changes.Lines);
    }
}
