using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>Runs between their rows and the rules.</summary>
internal static class RunRowMapper
{
    public static LoadedRun Load(RunRow row, DefinitionCache definitions)
    {
        var state = new RunState
        {
            Id = row.Id,
            Definition = definitions.Get(row.DefinitionId),
            Phase = (RunPhase)row.Phase,
            Active = row.Active,
            Joins = JoinSet.Read(row.Joins),
            InboxCount = row.Mail,
            Streams = row.Streams,
            CreatedAt = Instants.FromMicros(row.CreatedAt),
            StartedAt = Instants.FromMicros(row.StartedAt),
            ResumedAt = Instants.FromMicros(row.ResumedAt),
            StartAt = Instants.FromMicros(row.StartAt),
            CancelledAt = Instants.FromMicros(row.CancelledAt),
            Deadline = Instants.FromMicros(row.Deadline),
            Priority = row.Priority ?? 0,
            UpdatedAt = Instants.FromMicros(row.UpdatedAt),
            EndedAt = Instants.FromMicros(row.EndedAt),
            Error = StoredError.Read(row.Error),
        };
        return new(state, new RunRef(row.Id, row.Workflow, row.InstanceId, row.Number), row.DefinitionId, row.IsCurrent);
    }

    /// <summary>The row of an update. Columns that never change after the start keep their defaults: no update writes them.</summary>
    public static RunRow Of(RunChange change) => new()
    {
        Id = change.State.Id,
        Workflow = change.Run.Ref.Workflow,
        InstanceId = change.Run.Ref.InstanceId,
        Inputs = "",
        Phase = (short)change.State.Phase,
        Active = change.State.Active,
        Joins = change.State.Joins.Write(),
        Mail = change.State.InboxCount,
        Error = StoredError.Write(change.State.Error),
        StartedAt = change.State.StartedAt.ToMicros(),
        ResumedAt = change.State.ResumedAt.ToMicros(),
        UpdatedAt = change.State.UpdatedAt.ToMicros(),
        EndedAt = change.State.EndedAt.ToMicros(),
        CancelledAt = change.State.CancelledAt.ToMicros(),
        Deadline = change.State.Deadline.ToMicros(),
        Context = change.Context,
        Result = change.Result,
    };
}
