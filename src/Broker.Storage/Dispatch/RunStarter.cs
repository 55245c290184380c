using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Adds runs: new instances, further runs, restarts; and takes instances away.</summary>
internal sealed class RunStarter(BatchContext batch)
{
    private readonly IBatchTransaction transaction = batch.Transaction;
    private readonly BatchServices services = batch.Services;
    private readonly ChangeSet changes = batch.Changes;

    public IReadOnlyList<StartOutcome> Apply(IReadOnlyList<StartRequest> starts, DateTimeOffset now)
    {
        var keys = new StartKeyLookup(transaction, changes);
        keys.Load(starts);
        var current = transaction.Resolve([.. starts.Select(s => new RunName(s.Definition.Name, s.InstanceId, null))]);
        var standing = Standing(starts, current);
        var taken = changes.NewRuns.Select(r => (r.Workflow, r.InstanceId)).ToHashSet();
        var outcomes = new List<StartOutcome>(starts.Count);
        for (var i = 0; i < starts.Count; i++)
        {
            var at = now.AddMicroseconds(i);
            var start = starts[i];
            if (keys.Find(start.Key) is { } earlier)
            {
                outcomes.Add(earlier);
                continue;
            }

            standing.TryGetValue(current[i].Id, out var before);
            var verdict = taken.Add((start.Definition.Name, start.InstanceId)) ? start.Judge(current[i].Id != 0, before?.State) : StartVerdict.AlreadyExists;
            outcomes.Add(keys.Keep(start.Key, verdict switch
            {
                StartVerdict.Started => new(verdict, Start(start, before, at), at),
                StartVerdict.InputsRefused => new(verdict, null, at) { Problems = start.InputProblems },
                StartVerdict.StillActive when Differences(start, before!) is { Count: > 0 } differences =>
                    new(StartVerdict.OtherInputs, before!.Ref, at) { Differences = differences },
                _ => new(verdict, before?.Ref, at),
            }));
        }

        // These answers say that something is there which was only read.
        if (outcomes.Exists(o => o is { Replayed: true } or { Verdict: StartVerdict.AlreadyExists })) transaction.Confirm();
        return outcomes;
    }

    /// <summary>Restart adds the new run; purge deletes all runs of the instance.</summary>
    public void AfterControl(ControlRunCommand control, DateTimeOffset now)
    {
        if (control.Target is not { } old) return;
        if (control.Command is ControlCommand.Purge)
        {
            changes.PurgedInstances.Add((old.Ref.Workflow, old.Ref.InstanceId));
            services.Names.Forget(old.Ref);
        }
        else if (control.Command is ControlCommand.Restart)
        {
            var inherited = batch.Heritage[old.Ref.Id];
            control.Outcome = (ControlVerdict.Done, Add(Again(old, inherited), old, old.DefinitionId, inherited.StartContext, inherited.InstanceCreatedAt, now));
        }
    }

    /// <summary>A retry adds a further run, a fork a new instance; both keep finished steps.</summary>
    public RerunOutcome Rerun(RerunRequest request, LoadedRun old, DateTimeOffset now)
    {
        var definition = old.State.Definition;
        if (request.Steps?.FirstOrDefault(name => definition.Find(name) is null) is { } unknown) return new(RerunVerdict.UnknownStep) { Step = unknown };
        if (request.ForkInto is null && !old.State.IsTerminal) return new(RerunVerdict.StillActive, old.Ref);
        var plan = RerunPlan.Of(definition, batch.Sessions[old.Ref.Id].Reached, request.Steps?.Select(name => definition.IndexOf[name]).ToList(), request.InputsJson is not null);
        if (request is { ForkInto: null, Steps: null } && plan.Again.Count == 0) return new(RerunVerdict.NothingFailed, old.Ref);
        if (request.ForkInto is { } id && IsTaken(definition.Name, id)) return new(RerunVerdict.AlreadyExists);
        var outcome = new RerunOutcome(RerunVerdict.Planned)
        {
            Kept = [.. plan.Kept.Where(step => step.Status is not StepStatus.NotRun).Select(step => definition.Steps[step.Index].Name)],
            RunsAgain = [.. plan.Again.Select(index => definition.Steps[index].Name)],
        };
        return request.DryRun ? outcome : outcome with { Verdict = RerunVerdict.Started, Run = Add(request, old, plan, now) };
    }

    private RunRef Add(RerunRequest request, LoadedRun old, RerunPlan plan, DateTimeOffset now)
    {
        var session = batch.Sessions[old.Ref.Id];
        var before = request.ForkInto is null ? old : null;
        if (before is not null) session.VoidLeases();
        var inherited = batch.Heritage[old.Ref.Id];
        var start = Again(old, inherited) with { InstanceId = request.ForkInto ?? old.Ref.InstanceId, InputsJson = request.InputsJson ?? inherited.Inputs };
        IReadOnlyList<InboxEvent> events = request.CopiesEvents ? [.. session.Undelivered] : [];
        var created = before is null ? now.ToMicros() : inherited.InstanceCreatedAt;
        return Add(start, before, old.DefinitionId, inherited.Context, created, now, new(old.Ref.Id, plan, events));
    }

    private bool IsTaken(string workflow, string instanceId)
    {
        if (changes.NewRuns.Exists(run => run.Workflow == workflow && run.InstanceId == instanceId)) return true;
        if (transaction.Resolve([new(workflow, instanceId, null)])[0].Id == 0) return false;
        transaction.Confirm();
        return true;
    }

    private static StartRequest Again(LoadedRun old, Inherited inherited) => new(old.State.Definition, old.Ref.InstanceId)
    {
        InputsJson = inherited.Inputs,
        Streams = old.State.Streams,
        Priority = old.State.Priority,
        TagsJson = inherited.Tags,
        LimitMs = inherited.LimitMs,
    };

    private IReadOnlyList<string> Differences(StartRequest start, LoadedRun active) =>
        start.JoinsEqualInputs ? start.DifferencesFrom(InheritedFrom(active).Inputs) : [];

    private Dictionary<long, LoadedRun> Standing(
        IReadOnlyList<StartRequest> starts, (long Id, int DefinitionId)[] current)
    {
        // A new instance only needs to know that the id is taken; the other modes look at the run that stands there, locked.
        var ids = current.Where((c, i) => c.Id != 0 && starts[i].Mode is not StartMode.NewInstance).Select(c => c.Id).Distinct().Order().ToList();
        if (ids.Count == 0) return [];
        var loaded = transaction.Begin(ids, [], locksSteps: false);

        // While the lock was waited for, another broker has restarted or purged it: look again at what stands there now.
        if (loaded.Runs.Count < ids.Count || loaded.Runs.Any(r => !r.IsCurrent)) throw new StaleNameException();
        return loaded.Runs.ToDictionary(r => r.Ref.Id);
    }

    private RunRef Start(StartRequest start, LoadedRun? before, DateTimeOffset now)
    {
        var definitionId = services.Definitions.IdOf(start.Definition);
        if (before is null) return Add(start, null, definitionId, start.ContextJson, now.ToMicros(), now);

        VoidLeases(before);
        var inherited = InheritedFrom(before);
        return Add(start, before, definitionId, start.ContextAfter(inherited.Context), inherited.InstanceCreatedAt, now);
    }

    private Inherited InheritedFrom(LoadedRun run) => transaction.Inherited([run.Ref.Id])[run.Ref.Id];

    // Leases of a cancelled run may still be out: whatever they report, it is not this run.
    private void VoidLeases(LoadedRun before)
    {
        var leases = transaction.ActiveSteps([before.Ref.Id]);
        var old = new RunSession(before.State, leases[before.Ref.Id], []);
        old.VoidLeases();
        foreach (var step in old.Updated) changes.Steps.Add(batch.RowOf(before, step));
    }

    private RunRef Add(
        StartRequest start, LoadedRun? before, int definitionId, string? context, long instanceCreatedAt, DateTimeOffset now, Heritage? heritage = null)
    {
        var run = new RunRef(services.Ids.Next(), start.Definition.Name, start.InstanceId, before is null ? 0 : before.Ref.Number + 1);
        var begins = start.BeginsAt(now);
        var limit = start.LimitMs ?? start.Definition.RunMs;
        var fresh = new RunState
        {
            Id = run.Id,
            Definition = start.Definition,
            Streams = start.Streams,
            CreatedAt = now,
            UpdatedAt = now,
            StartAt = begins,
            Deadline = limit is { } most ? (begins ?? now).AddMilliseconds(most) : null,
            Priority = start.Priority,
            InboxCount = heritage?.Events.Count ?? 0,

            // Kept steps began in the earlier run: this one is queued until a grant of its own.
            ResumedAt = heritage is null ? null : now,
        };
        var session = heritage is null
            ? RunSession.Start(fresh, now, start.InputsJson)
            : RunSession.Rerun(fresh, heritage.Plan.Kept, heritage.Events, now, start.InputsJson, heritage.Plan.Resumed);
        if (session.HasMovedMaps) session.ServeMaps(new MapReads(batch, run, start.InputsJson, heritage?.RunId), now);
        if (session.EndedNow)
        {
            var results = session.Inserted.Where(step => step.IsFinished && start.Definition.ResultSteps.Contains(step.Index));
            session.Conclude(FinalValue.Of(start.Definition, results.ToDictionary(step => step.Index, step => step.Result)));
        }

        if (before is not null) changes.Superseded.Add(before.Ref.Id);
        changes.NewRuns.Add(new RunRow
        {
            Id = run.Id,
            Workflow = run.Workflow,
            InstanceId = run.InstanceId,
            Number = run.Number,
            IsCurrent = true,
            DefinitionId = definitionId,
            Phase = (short)session.Run.Phase,
            Active = session.Run.Active,
            Joins = session.Run.Joins.Write(),
            Mail = session.Run.InboxCount,
            Streams = start.Streams,
            Inputs = start.InputsJson,
            Context = context,
            StartContext = context,
            Result = session.ResultJson,
            Error = StoredError.Write(session.Run.Error),
            TraceParent = start.TraceParent,
            Priority = start.Priority == 0 ? null : start.Priority,
            Tags = start.TagsJson,
            StartAt = begins.ToMicros(),
            LimitMs = start.LimitMs,
            FromRun = heritage?.RunId,
            Deadline = session.Run.Deadline.ToMicros(),
            InstanceCreatedAt = instanceCreatedAt,
            CreatedAt = now.ToMicros(),
            StartedAt = session.Run.StartedAt.ToMicros(),
            ResumedAt = session.Run.ResumedAt.ToMicros(),
            UpdatedAt = now.ToMicros(),
            EndedAt = session.Run.EndedAt.ToMicros(),
        });
        if (start.TagsJson is not null) (changes.NewTags ??= []).AddRange(RunTagRow.Of(run.Id, now.ToMicros(), start.TagsJson));
        if (heritage is not null) CopyItems(start.Definition, heritage, run.Id);
        var loaded = new LoadedRun(session.Run, run, definitionId, IsCurrent: true);
        foreach (var step in session.Inserted) changes.NewSteps.Add(batch.RowOf(loaded, step));
        batch.Started(loaded, session);

        foreach (var published in session.Published) changes.Events.Add(new(run.Id, published));
        if (heritage is { Events.Count: > 0 }) Copy(heritage.Events, session, run.Id);
        return run;
    }

    // Of a map that is kept all items, of one that goes on those that need not run again.
    private void CopyItems(WorkflowDefinition definition, Heritage heritage, long runId)
    {
        foreach (var map in definition.Maps)
        {
            var statuses = heritage.Plan.Resumed.ContainsKey(map.Index) ? Finished : heritage.Plan.Kept.Any(step => step.Index == map.Index) ? Ended : null;
            if (statuses is not null) (changes.ItemCopies ??= []).Add(new(heritage.RunId, runId, map.First, map.First + MapDefinition.MostItems, statuses));
        }
    }

    private static readonly short[] Finished = [(short)StepStatus.Succeeded, (short)StepStatus.Skipped];
    private static readonly short[] Ended = [.. Finished, (short)StepStatus.Failed, (short)StepStatus.Cancelled];

    private void Copy(IReadOnlyList<InboxEvent> events, RunSession session, long runId)
    {
        changes.NewInboxEvents.AddRange(events.Select(kept => new InboxRow { RunId = runId, Id = kept.Id, Type = kept.Type, Payload = kept.PayloadJson, TargetStep = kept.TargetStep }));
        changes.TakenInboxEvents.AddRange(session.Consumed.Select(taken => InboxRowMapper.Taken(runId, taken)));
    }

    /// <summary>Data that a retry or a fork takes from an earlier run.</summary>
    private sealed record Heritage(long RunId, RerunPlan Plan, IReadOnlyList<InboxEvent> Events);
}
