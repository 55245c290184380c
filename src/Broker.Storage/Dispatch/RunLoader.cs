using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Loads the runs that commands name, with the steps and inbox events that the commands require.</summary>
internal sealed class RunLoader(BatchContext batch)
{
    private readonly IBatchTransaction transaction = batch.Transaction;
    private readonly BatchServices services = batch.Services;

    /// <summary>Finds the ids of runs that commands know by name.</summary>
    public void Resolve()
    {
        var unknown = batch.Commands.OfType<INamedCommand>().Where(c => c.RunId == 0 && c.Name is not null).ToList();
        foreach (var command in unknown)
        {
            if (services.Names.TryGet(command.Name!.Value, out var known)) Found(command, known);
        }

        unknown.RemoveAll(c => c.RunId != 0);
        if (unknown.Count == 0) return;

        var found = transaction.Resolve([.. unknown.Select(c => c.Name!.Value)]);
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

    /// <summary>Loads and locks the runs; returns the transaction's instant.</summary>
    public DateTimeOffset Load()
    {
        var named = batch.Commands.OfType<IRunCommand>().Where(c => c.RunId != 0).ToList();
        if (named.Count == 0) return batch.Commands.Exists(c => c is StartCommand) ? transaction.Now() : default;
        var loaded = TryLoadCached(named) ?? transaction.Begin(
            [.. named.Select(c => c.RunId).Distinct().Order()],
            [.. named.Where(c => c.StepIndex is not null).Select(c => new StepKey(c.RunId, c.StepIndex!.Value)).Distinct()],
            locksSteps: named.Exists(c => c.Requirements.HasFlag(LoadRequirements.Lease)));
        foreach (var run in loaded.Runs) batch.Runs[run.Ref.Id] = run;
        RefuseStaleNames(named);
        BeginSessions(named, loaded, MapsOf(named));
        SendEventCommand.FindKnown(transaction, batch.Commands);
        return loaded.Now;
    }

    // The maps of the items that commands name: they count the end of an item.
    private ILookup<long, StepState>? MapsOf(List<IRunCommand> named)
    {
        HashSet<StepKey>? maps = null;
        foreach (var command in named)
        {
            if (command.StepIndex is { } index and >= StepDefinition.FirstDynamic && batch.Runs.GetValueOrDefault(command.RunId) is { } run
                && MapDefinition.OrdinalOf(index) < run.State.Definition.Maps.Length)
            {
                (maps ??= []).Add(new(command.RunId, run.State.Definition.MapOf(index).Index));
            }
        }

        return maps is null ? null : transaction.Steps([.. maps]);
    }

    private void BeginSessions(List<IRunCommand> named, Loaded loaded, ILookup<long, StepState>? maps)
    {
        var requirements = new Dictionary<long, LoadRequirements>();
        foreach (var command in named) requirements[command.RunId] = requirements.GetValueOrDefault(command.RunId) | command.Requirements;
        long[] Requiring(Func<LoadedRun, LoadRequirements, bool> requires) =>
            [.. batch.Runs.Values.Where(r => requires(r, requirements[r.Ref.Id])).Select(r => r.Ref.Id).Order()];

        // Pausing: each report asks whether the last lease has gone. Inbox: a report may begin a wait whose event is there already.
        // A group that fails together: a failure cancels the steps that are under way.
        var active = Requiring((run, all) => all.HasFlag(LoadRequirements.ActiveSteps) || run.State.Phase is RunPhase.Pausing || run.State.Definition.HasFailFast);
        var withInbox = Requiring((run, all) => run.State.InboxCount > 0 && (all.HasFlag(LoadRequirements.Inbox) || run.State.Definition.HasWaits));
        var whole = Requiring((run, all) => all.HasFlag(LoadRequirements.AllSteps) || run.State.Definition.HasConditions || run.State.Definition.HasFailFast);
        var heirs = Requiring((run, all) => all.HasFlag(LoadRequirements.Heritage) || run.State.Definition.ConditionsReadInputs);
        var allSteps = whole.Length > 0 ? transaction.AllSteps(whole) : null;

        // A report in a group needs no items: those of a map that ends with its group are looked for then.
        var below = Array.TrueForAll(active, id => IsForGroupsOnly(batch.Runs[id], requirements[id])) ? StepDefinition.FirstDynamic : int.MaxValue;
        var activeSteps = active.Length > 0 ? transaction.ActiveSteps(active, below) : null;
        var inbox = withInbox.Length > 0 ? transaction.InboxEvents(withInbox) : null;
        if (heirs.Length > 0) batch.Heritage = transaction.Inherited(heirs);
        foreach (var (id, run) in batch.Runs)
        {
            var state = run.State;
            var isLoaded = inbox is not null && withInbox.Contains(id);
            var undelivered = isLoaded ? inbox![id].ToList() : [];

            // Steps that accept events have taken theirs without touching the run's row.
            if (isLoaded && undelivered.Count != state.InboxCount) state = state with { InboxCount = undelivered.Count };

            // The later row of a step counts: named and active ones are read under their locks.
            var steps = loaded.Steps[id];
            if (maps is not null) steps = maps[id].Concat(steps);
            if (allSteps is not null) steps = allSteps[id].Concat(steps);
            if (activeSteps is not null) steps = steps.Concat(activeSteps[id]);
            var inputs = state.Definition.ConditionsReadInputs ? batch.Heritage[id].Inputs : null;
            batch.Sessions[id] = new RunSession(state, steps, undelivered, inputs);
        }
    }

    private static bool IsForGroupsOnly(LoadedRun run, LoadRequirements requirements) =>
        !requirements.HasFlag(LoadRequirements.ActiveSteps) && run.State.Phase is not RunPhase.Pausing;

    // Only where no other command locks a run: cached runs are locked when they are written.
    private Loaded? TryLoadCached(List<IRunCommand> named) =>
        batch.Commands.TrueForAll(c => c is ReportCommand { Lease: not null } or ClaimCommand or HeartbeatCommand)
            ? transaction.TryLoadCached([.. named.OfType<ReportCommand>().Select(r => r.Lease!.Value)])
            : null;

    // Another broker may have purged a name and used it again, and a restart may have come in between. Then the name is looked up anew.
    private void RefuseStaleNames(List<IRunCommand> named)
    {
        foreach (var command in named)
        {
            if (command.Name is not { } name) continue;
            if (batch.Runs.GetValueOrDefault(command.RunId) is { } run && IsNamed(run, name)) continue;
            services.Names.Forget(name);
            command.RunId = 0;
            throw new StaleNameException();
        }
    }

    private static bool IsNamed(LoadedRun run, RunName name) =>
        (name.Number is not null || run.IsCurrent) && name.Workflow == run.Ref.Workflow && name.InstanceId == run.Ref.InstanceId;
}
