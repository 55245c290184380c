using Broker.Core.Definitions;
using Broker.Core.Steps;
using Broker.Storage.Dispatch;

namespace Broker.Storage.Tables;

/// <summary>Steps between their rows and the rules.</summary>
internal static class StepRowMapper
{
    public static StepRow Of(long runId, DateTimeOffset runCreated, WorkflowDefinition workflow, int definitionId, StepState step, BatchServices services)
    {
        var definition = workflow.Steps[step.Index];
        var ready = step.Status is StepStatus.Ready;
        var queue = services.Queues.Of(definition, definitionId);
        return new StepRow
        {
            RunId = runId,
            Idx = step.Index,
            Status = ready && step.Paused ? StepRow.Paused : (short)step.Status,
            QueueId = queue.Id,

            // Label queues: first in, first out over all workflows (jobs contract 6.2). Definition queues: oldest run first (broker contract 4.1).
            Rank = queue.DefinitionId is null ? step.Due.ToMicros() : runCreated.ToMicros(),
            Due = step.Due.ToMicros(),
            Attempt = step.Attempt,
            Losses = step.Losses,
            Fence = step.Fence,
            Worker = step.Worker,
            QueuedAt = step.QueuedAt.ToMicros(),
            GrantedAt = step.GrantedAt.ToMicros(),
            ExpiresAt = step.ExpiresAt.ToMicros(),
            LeaseSecs = ready ? definition.LeaseFor(null, services.DefaultLeaseSecs) : step.LeaseSecs,
            Ahead = step.Ahead,
            BegunAt = step.BegunAt.ToMicros(),
            EndedAt = step.EndedAt.ToMicros(),
            Result = step.Result,
            Error = StoredError.Write(step.Error),
        };
    }

    public static (long RunId, StepState State) KeyedStateOf(StepRow row) => (row.RunId, StateOf(row));

    public static StepState StateOf(StepRow row) => new()
    {
        Index = row.Idx,
        Status = row.Status == StepRow.Paused ? StepStatus.Ready : (StepStatus)row.Status,
        Paused = row.Status == StepRow.Paused,
        Attempt = row.Attempt,
        Losses = row.Losses,
        Fence = row.Fence,
        Worker = row.Worker,
        QueuedAt = Instants.FromMicros(row.QueuedAt),
        Due = Instants.FromMicros(row.Due),
        GrantedAt = Instants.FromMicros(row.GrantedAt),
        ExpiresAt = Instants.FromMicros(row.ExpiresAt),
        LeaseSecs = row.LeaseSecs,
        Ahead = row.Ahead,
        BegunAt = Instants.FromMicros(row.BegunAt),
        EndedAt = Instants.FromMicros(row.EndedAt),
        Result = row.Result,
        Error = StoredError.Read(row.Error),
    };
}
