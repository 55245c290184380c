using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>An event to append to a run's stream.</summary>
internal readonly record struct Appended(long RunId, PublishedEvent Event);

/// <summary>All rows that one transaction writes, gathered first, so that each table takes one statement whatever the number of callers.</summary>
internal sealed class ChangeSet
{
    public List<RunRow> NewRuns { get; } = [];

    /// <summary>Tags of new runs; null: they have none.</summary>
    public List<RunTagRow>? NewTags { get; set; }
    public List<RunChange> Runs { get; } = [];
    public List<StepRow> NewSteps { get; } = [];
    public List<StepRow> Steps { get; } = [];

    /// <summary>Attempts that ended without success. Their numbers are given by the write.</summary>
    public List<StepAttemptRow> Attempts { get; } = [];
    public List<InboxRow> NewInboxEvents { get; } = [];
    public List<InboxRow> TakenInboxEvents { get; } = [];
    public List<Appended> Events { get; } = [];

    /// <summary>Notices of the transaction; null: nothing.</summary>
    public List<OutboxRow>? Outbox { get; set; }

    /// <summary>Ended items that a new run takes from an earlier one; null: none.</summary>
    public List<ItemCopy>? ItemCopies { get; set; }

    /// <summary>Runs that are no longer the current one of their instance.</summary>
    public List<long> Superseded { get; } = [];

    /// <summary>Starts to remember under their keys.</summary>
    public List<StartKeyRow> StartKeys { get; } = [];

    /// <summary>Instances to delete.</summary>
    public List<(string Workflow, string InstanceId)> PurgedInstances { get; } = [];

    /// <summary>Runs to delete with all that belongs to them.</summary>
    public List<long> Purged { get; } = [];

    /// <summary>Runs of actions on many runs, each acted on in this transaction; null: none.</summary>
    public List<BulkItemKey>? DoneItems { get; set; }

    /// <summary>Leases to renew.</summary>
    public List<LeaseRenewal> Heartbeats { get; } = [];

    /// <summary>Log lines of reports: the commit writes them.</summary>
    public List<LogLineRow> Lines { get; } = [];

    public bool IsEmpty =>
        NewRuns.Count + Runs.Count + NewSteps.Count + Steps.Count + Attempts.Count + NewInboxEvents.Count + TakenInboxEvents.Count + Events.Count
        + StartKeys.Count + Superseded.Count + Purged.Count + Heartbeats.Count == 0
        && Outbox is null && DoneItems is null && ItemCopies is null;
}

/// <summary>Items of a map to copy from one run to another.</summary>
/// <param name="From">The earlier run.</param>
/// <param name="To">The new run.</param>
/// <param name="First">First index.</param>
/// <param name="End">Index behind the last.</param>
/// <param name="Statuses">Statuses that are copied.</param>
internal sealed record ItemCopy(long From, long To, int First, int End, short[] Statuses);

/// <summary>A lease to renew, and the progress that its worker sends with it; null: none.</summary>
internal readonly record struct LeaseRenewal(LeaseRef Lease, string? Progress);

/// <summary>Finding of a heartbeat: the status of its step, and whether its run is held by a pause.</summary>
internal readonly record struct RenewedLease(StepStatus Status, bool IsPaused);

/// <summary>The columns of a run that change after its start. Null payloads stay as they are.</summary>
internal sealed record RunChange(LoadedRun Run, string? Context, string? Result)
{
    public RunState State => Run.State;
}
