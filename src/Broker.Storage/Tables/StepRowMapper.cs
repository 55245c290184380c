using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Storage.Tables;

/// <summary>Steps between their rows and the rules.</summary>
internal static class StepRowMapper
{
    /// <param name="runId">Its run.</param>
    /// <param name="runBegins">When the run may begin: its creation, or its later start.</param>
    /// <param name="definition">Its definition.</param>
    /// <param name="queue">Its queue.</param>
    /// <param name="step">Its state.</param>
    /// <param name="defaultLeaseSecs">Lease where the definition says nothing.</param>
    public static StepRow Of(long runId, DateTimeOffset runBegins, StepDefinition definition, QueueRow queue, StepState step, int defaultLeaseSecs)
    {
        var ready = step.Status is StepStatus.Ready;
        return new StepRow
        {
            RunId = runId,
            Idx = step.Index,
            Status = ready && step.Paused ? StepRow.Paused : (short)step.Status,
            QueueId = queue.Id,

            // Label queues: first in, first out over all workflows (jobs contract 6.2). Definition queues: oldest run first (broker contract 4.1).
            Rank = queue.DefinitionId is null ? step.Due.ToMicros() : runBegins.ToMicros(),
            Due = step.Due.ToMicros(),
            Attempt = step.Attempt,
            Losses = step.Losses,
            Fence = step.Fence,
            Worker = step.Worker,
            QueuedAt = step.QueuedAt.ToMicros(),
            GrantedAt = step.GrantedAt.ToMicros(),
            ExpiresAt = step.ExpiresAt.ToMicros(),
            LeaseSecs = ready ? definition.LeaseFor(null, defaultLeaseSecs) : step.LeaseSecs,
            Ahead = step.Ahead,
            BegunAt = step.BegunAt.ToMicros(),
            EndedAt = step.EndedAt.ToMicros(),
            Deadline = step.Deadline.ToMicros(),
            TotalDeadline = step.TotalDeadline.ToMicros(),
            AttemptMs = definition.Timeouts.AttemptMs,
            Kind = step.Index >= StepDefinition.FirstDynamic || definition.Map is not null ? (short)definition.Kind : null,
            Input = step.Input,
            Items = step.Items?.Write(),
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
        Deadline = Instants.FromMicros(row.Deadline),
        TotalDeadline = Instants.FromMicros(row.TotalDeadline),
        Progress = row.Progress,
        Input = row.Input,
        Items = MapProgress.Read(row.Items),
        Result = row.Result,
        Error = StoredError.Read(row.Error),
    };
}
