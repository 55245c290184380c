using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>State of one transaction: all that it has loaded and decided so far.</summary>
internal sealed class BatchContext(IBatchTransaction transaction, BatchServices services, List<StoreCommand> commands)
{
    public IBatchTransaction Transaction => transaction;

    public BatchServices Services => services;

    /// <summary>The commands of the callers, and the claims that <see cref="IClaimSource"/>s have added.</summary>
    public List<StoreCommand> Commands => commands;

    public ChangeSet Changes { get; } = new();

    /// <summary>The loaded runs by id, as they were.</summary>
    public Dictionary<long, LoadedRun> Runs { get; } = [];

    /// <summary>The rules at work on each loaded run.</summary>
    public Dictionary<long, RunSession> Sessions { get; } = [];

    /// <summary>Data that further runs take over, of the runs whose commands require it.</summary>
    public IReadOnlyDictionary<long, Inherited> Heritage { get; set; } = new Dictionary<long, Inherited>();

    /// <summary>Runs that this transaction adds and that ended at once, failed a step or wait for an event, where a subscription wants to know; null: none.</summary>
    public List<(LoadedRun Run, RunSession Session)>? NotedStarts { get; private set; }

    /// <summary>Steps that this transaction makes ready.</summary>
    public List<ReadyStep> ReadySteps { get; } = [];

    /// <summary>The row of a step; a ready one is noted.</summary>
    public StepRow RowOf(LoadedRun run, StepState step)
    {
        var definition = run.State.Definition.RulesOf(step.Index);
        var queue = services.Queues.Of(definition, run.DefinitionId, run.State.Priority);
        var row = StepRowMapper.Of(run.Ref.Id, run.State.StartAt ?? run.State.CreatedAt, definition, queue, step, services.DefaultLeaseSecs);
        if (step.Index >= StepDefinition.FirstDynamic) row.Name = run.State.Definition.NameOf(step.Index);
        if (row.Status == (short)StepStatus.Ready) ReadySteps.Add(new(row.QueueId, row.Due, new(row.RunId, row.Idx)));
        return row;
    }

    /// <summary>A run that is new.</summary>
    public void Started(LoadedRun run, RunSession session)
    {
        if (session.EndedNow || session.FailedSteps is not null || (services.Notices.All.Count > 0 && run.State.Definition.HasWaits)) (NotedStarts ??= []).Add((run, session));
    }

    /// <summary>Label queues are in order of due time: limited claims must not begin behind the steps that this transaction makes ready.</summary>
    public void LowerCursors()
    {
        foreach (var step in ReadySteps) services.Cursors.Lower(step.QueueId, step.Due);
    }
}
