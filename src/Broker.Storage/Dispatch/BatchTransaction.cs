using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Matching;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>
/// One transaction for whatever callers are waiting: loads what they name, lets the rules decide one after the other, writes all rows
/// at once and then hands out steps, so that a step made ready here can be claimed here. A commit costs more than everything else in
/// it, so sharing it is what makes the broker fast.
/// </summary>
/// <param name="transaction">The transaction.</param>
/// <param name="services">What all transactions use.</param>
/// <param name="commands">The callers; those who are recruited are added.</param>
/// <param name="takesWaiting">Whether claims are taken in that wait for what becomes ready here, or that are expected.</param>
internal sealed class BatchTransaction(IBatchTransaction transaction, BatchServices services, List<StoreCommand> commands, bool takesWaiting)
{
    private readonly int epoch = services.Epoch.Number;
    private readonly ChangeSet changes = new();
    private readonly Dictionary<long, LoadedRun> runs = [];
    private readonly Dictionary<long, RunSession> sessions = [];
    private readonly List<ReadyStep> hints = [];
    private readonly List<Appended> appended = [];
    private IReadOnlyList<ClaimedRow> claimed = [];
    private IReadOnlyList<StepKey> upstream = [];
    private ILookup<StepKey, InboxEvent>? inboxEvents;
    private List<EagerDispatch.PendingGrant> expected = [];

    /// <summary>Whether there is anything to commit. Claims that find nothing succeed on a full disk too.</summary>
    public bool HasWritten => !changes.IsEmpty || claimed.Count > 0 || appended.Count > 0 || changes.Lines.Count > 0;

    /// <summary>Everything but the commit.</summary>
    public void Run()
    {
        var repeated = RepeatedClaims.Find(transaction, commands);
        ResolveNames();
        var now = Load();
        now = Apply(now);
        repeated?.Mark(sessions);
        Conclude();
        AnnounceIdle();
        Gather();
        LowerCursors();
        if (takesWaiting && hints.Count > 0) TakeForReadySteps(now.ToMicros());
        expected = services.Eager.Expect(commands, ahead: takesWaiting, services.Waiting.IsWaitedFor);
        var (claims, heartbeats) = (ClaimGroup.AllOf(Claims(), services.Cursors), Heartbeats(repeated));
        if (claims.Count > 0)
        {
            // With those of the steps that are handed out: streams are locked in order of run, so each transaction locks them in one statement.
            appended.AddRange(changes.Events);
            changes.Events.Clear();
        }

        (claimed, var renewed) = transaction.Write(changes, claims);
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
        inboxEvents = TakeInboxEvents();
        appended.AddRange(claimed.Where(c => c.Streams).SelectMany(Running));
        if (appended.Count > 0) transaction.AppendEvents(appended);
        services.LogLimit.Fit(transaction, changes.Lines);
    }

    /// <summary>Commits, then answers the callers and tells whoever waits.</summary>
    public void Commit()
    {
        services.Epoch.Require(epoch);
        HandOut(transaction.Commit(upstream, changes.Lines));
        LowerCursors();
        AwaitExpected();
        CompletionDispatcher.Complete(commands);
        Announce();
    }

    private void ResolveNames()
    {
        var unknown = commands.OfType<INamedCommand>().Where(w => w.RunId == 0 && w.Name is not null).ToList();
        foreach (var command in unknown)
        {
            if (services.Names.TryGet(command.Name!.Value, out var known)) Found(command, known);
        }

        unknown.RemoveAll(w => w.RunId != 0);
        if (unknown.Count == 0) return;

        var found = transaction.Resolve([.. unknown.Select(w => w.Name!.Value)]);
        for (var i = 0; i < found.Length; i++)
        {
            if (found[i].Id != 0) Found(unknown[i], found[i]);
        }
    }

    private void Found(INamedCommand command, (long Id, int DefinitionId) run)
    {
        command.RunId = run.Id;
        command.Locate(services.Definitions.Get(run.DefinitionId));
    }

    private DateTimeOffset Load()
    {
        var named = commands.OfType<IRunCommand>().Where(w => w.RunId != 0).ToList();
        if (named.Count == 0) return commands.Any(w => w is StartCommand) ? transaction.Now() : default;
        var loaded = TryLoadCached(named) ?? transaction.Begin(
            [.. named.Select(w => w.RunId).Distinct().Order()],
            [.. named.Where(w => w.StepIndex is not null).Select(w => new StepKey(w.RunId, w.StepIndex!.Value)).Distinct()],
            locksSteps: named.Exists(w => w.Requirements.HasFlag(LoadRequirements.Lease)));
        foreach (var run in loaded.Runs) runs[run.Ref.Id] = run;
        RefuseStaleNames(named);

        var needs = named.GroupBy(w => w.RunId).ToDictionary(g => g.Key, g => g.Aggregate(LoadRequirements.Nothing, (all, w) => all | w.Requirements));
        long[] Wanting(Func<LoadedRun, LoadRequirements, bool> wants) => [.. runs.Values.Where(r => wants(r, needs[r.Ref.Id])).Select(r => r.Ref.Id).Order()];

        // Pausing: whether the last lease has gone is asked at every report. Mail: a report may begin a wait that has mail already.
        var active = Wanting((run, need) => need.HasFlag(LoadRequirements.ActiveSteps) || run.State.Phase is RunPhase.Pausing);
        var withInbox = Wanting((run, need) => run.State.InboxCount > 0 && (need.HasFlag(LoadRequirements.Inbox) || run.State.Definition.HasWaits));
        var activeSteps = active.Length > 0 ? transaction.ActiveSteps(active) : null;
        var pending = withInbox.Length > 0 ? transaction.InboxEvents(withInbox) : null;
        foreach (var (id, run) in runs)
        {
            var state = run.State;
            var undelivered = pending is not null && withInbox.Contains(id) ? pending[id].ToList() : [];

            // Steps that accept events have taken theirs without touching the run's row.
            if (withInbox.Contains(id) && undelivered.Count != state.InboxCount) state = state with { InboxCount = undelivered.Count };
            sessions[id] = new RunSession(state, loaded.Steps[id].Concat(activeSteps?[id] ?? []), undelivered);
        }

        SendEventCommand.FindKnown(transaction, commands);
        return loaded.Now;
    }

    private Loaded? TryLoadCached(List<IRunCommand> named) =>
        commands.TrueForAll(w => w is ReportCommand { Lease: not null } or ClaimCommand or HeartbeatCommand) ? transaction.TryLoadCached([.. named.OfType<ReportCommand>().Select(r => r.Lease!.Value)]) : null;

    // A name may have been purged and used again by another broker, and a restart may have come in between: then look it up anew.
    private void RefuseStaleNames(List<IRunCommand> named)
    {
        foreach (var command in named)
        {
            if (command.Name is not { } name) continue;
            var found = runs.GetValueOrDefault(command.RunId);
            if (found is not null && (name.Number is not null || found.IsCurrent) && name.Workflow == found.Ref.Workflow && name.InstanceId == found.Ref.InstanceId) continue;
            services.Names.Forget(name);
            command.RunId = 0;
            throw new StaleNameException();
        }
    }

    // The same for leases told by name: what the cache calls gone may be another run's by now.
    private void RefuseStaleNames(List<HeartbeatCommand> heartbeats, IReadOnlyList<StepStatus?> renewed)
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
        foreach (var command in commands)
        {
            // Each piece of work has an instant of its own, so that what comes first is queued first.
            now = now.AddMicroseconds(1);
            switch (command)
            {
                case StartCommand starts:
                    starts.Outcome = new RunStarter(transaction, services, changes, hints).Apply(starts.Starts, now);
                    now = now.AddMicroseconds(starts.Starts.Count);
                    break;
                case ControlRunCommand control:
                    Apply(control, now);
                    new RunStarter(transaction, services, changes, hints).AfterControl(control, now);
                    break;
                case IRunCommand onRun:
                    Apply(onRun, now);
                    break;
            }
        }

        return now;
    }

    private void Apply(IRunCommand command, DateTimeOffset now)
    {
        var run = runs.GetValueOrDefault(command.RunId);
        command.Apply(run, run is null ? null : sessions[run.Ref.Id], changes, now);
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
        var stored = missing.Count > 0 ? transaction.Results(missing).ToLookup(r => r.Step.RunId) : null;
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
        var active = unsure.Count > 0 ? transaction.ActiveIndexes(unsure) : null;
        foreach (var (session, id) in quiet) session.AnnounceIdle(active?[id] ?? []);
    }

    private ILookup<StepKey, InboxEvent>? TakeInboxEvents()
    {
        List<(StepKey, string)>? accepted = null;
        foreach (var row in claimed)
        {
            var step = services.Definitions.Get(row.DefinitionId).Steps[row.Index];
            if (!step.TakesEvents) continue;
            foreach (var type in step.Accepts) (accepted ??= []).Add((new(row.RunId, row.Index), type));
        }

        return accepted is null ? null : transaction.TakeInboxEvents(accepted);
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
                changes.TakenInboxEvents.Add(new InboxRow
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
        var row = StepRowMapper.Of(run.Ref.Id, run.State.CreatedAt, run.State.Definition, run.DefinitionId, step, services);
        if (row.Status == (short)StepStatus.Ready) hints.Add(new(row.QueueId, row.Due, new(row.RunId, row.Idx)));
        return row;
    }

    // A claim that waits for what becomes ready here gets it in this transaction: half the time of a second one, and of its commit.
    private void TakeForReadySteps(long now)
    {
        var ready = hints.Where(hint => hint.Due <= now).Select(hint => hint.QueueId).ToList();
        var unclaimed = ready.Count - commands.OfType<ClaimCommand>().Where(claim => claim.Limit is null).Sum(claim => claim.Request.Count);
        if (unclaimed > 0) commands.AddRange(services.Waiting.TakeForReadySteps(ready, unclaimed));
    }

    // Label queues are in order of due time. For the claims of this transaction, and after the commit for those that could not see it yet.
    private void LowerCursors()
    {
        foreach (var hint in hints) services.Cursors.Lower(hint.QueueId, hint.Due);
    }

    // Those whose queues are of another history of the database find nothing this time.
    private IEnumerable<ClaimCommand> Claims() =>
        commands.OfType<ClaimCommand>().Concat(expected.Select(e => e.Ahead).OfType<ClaimCommand>()).Where(claim => services.Queues.IsCurrent(claim.Queues));

    private List<HeartbeatCommand> Heartbeats(RepeatedClaims? repeated)
    {
        var heartbeats = new List<HeartbeatCommand>();
        foreach (var heartbeat in commands.OfType<HeartbeatCommand>().Concat(repeated?.Renewals ?? []))
        {
            heartbeat.Outcome = HeartbeatVerdict.Gone;
            if (heartbeat.Lease is not null) heartbeats.Add(heartbeat);
        }

        heartbeats.Sort(static (a, b) => a.Lease!.Value.Step.CompareTo(b.Lease!.Value.Step));
        changes.Heartbeats.AddRange(heartbeats.Select(h => h.Lease!.Value));
        return heartbeats;
    }

    private IEnumerable<Appended> Running(ClaimedRow row)
    {
        var step = services.Definitions.Get(row.DefinitionId).Steps[row.Index];
        string? input = null;
        foreach (var message in inboxEvents?[new(row.RunId, row.Index)] ?? [])
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
            row.Claim!.Give(inboxEvents is null ? assignment : assignment with { Events = [.. inboxEvents[new(row.RunId, row.Index)]] });
            services.Names.Add(new(row.Workflow, row.InstanceId, row.Number), (row.RunId, row.DefinitionId));
        }
    }

    // Before anybody is answered: a worker may be back at once, and who has paused a run sees nothing more of it handed out.
    private void AwaitExpected()
    {
        foreach (var (id, session) in sessions)
        {
            if (session.Run.Phase != runs[id].State.Phase) services.Eager.Withdraw(id);
        }

        services.Eager.Await(expected);
        services.HandOvers.Reported(commands);
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
