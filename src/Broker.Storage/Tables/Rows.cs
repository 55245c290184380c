namespace Broker.Storage.Tables;

// Instants are Unix microseconds (bigint) in both engines: one SQL text, one order, no converters on the hot path.

internal sealed class DefinitionRow
{
    public int Id { get; set; }
    public required string Name { get; set; }
    public required string Version { get; set; }
    public required string Fingerprint { get; set; }
    public required string Document { get; set; }

    /// <summary>Grows with every registration that makes the row the latest of its name.</summary>
    public long LatestOrder { get; set; }
    public long RegisteredAt { get; set; }

    /// <summary>The workflow is from a file.</summary>
    public bool FromFile { get; set; }

    /// <summary>When a worker, a dispatch or a start last asked for it; null: it never expires.</summary>
    public long? SeenAt { get; set; }

    /// <summary>It came from a workflow file, and no folder holds that version any longer: its runs go on, and it starts no others.</summary>
    public bool Withdrawn { get; set; }
}

/// <summary>One line of claimable steps: those that ask the same of a worker. Claims look at a handful of these, never at all steps.</summary>
internal sealed class QueueRow
{
    public int Id { get; set; }

    /// <summary>The definition whose workers may claim; null: any worker with the labels.</summary>
    public int? DefinitionId { get; set; }

    /// <summary>Required labels, sorted, as a JSON array.</summary>
    public required string Labels { get; set; }
    public int Priority { get; set; }

    /// <summary>The three above in one text, unique.</summary>
    public required string Key { get; set; }
}

internal sealed class RunRow
{
    public long Id { get; set; }
    public required string Workflow { get; set; }
    public required string InstanceId { get; set; }
    public int Number { get; set; }

    /// <summary>The instance's last run.</summary>
    public bool IsCurrent { get; set; }
    public int DefinitionId { get; set; }
    public short Phase { get; set; }
    public int Active { get; set; }
    public string? Joins { get; set; }
    public int Mail { get; set; }
    public bool Streams { get; set; }
    public required string Inputs { get; set; }
    public string? Context { get; set; }

    /// <summary>The context that the run began with: what a restart brings back, whatever reports have made of it.</summary>
    public string? StartContext { get; set; }
    public string? Result { get; set; }
    public string? Error { get; set; }
    public string? TraceParent { get; set; }

    /// <summary>Added to the priority of each step.</summary>
    public int? Priority { get; set; }

    /// <summary>JSON object of the tags that its start gave it.</summary>
    public string? Tags { get; set; }

    /// <summary>No task is handed out before; null: from the creation on.</summary>
    public long? StartAt { get; set; }

    /// <summary>The limit that its start gave it, in milliseconds: what a restart takes over.</summary>
    public long? LimitMs { get; set; }

    /// <summary>When it was cancelled with a grace time; null: not so.</summary>
    public long? CancelledAt { get; set; }

    /// <summary>The run whose steps this one keeps: it is a retry or a fork of it. Null: it keeps none.</summary>
    public long? FromRun { get; set; }

    /// <summary>When an active run fails; null for runs without a limit and for those that have ended.</summary>
    public long? Deadline { get; set; }
    public long InstanceCreatedAt { get; set; }
    public long CreatedAt { get; set; }
    public long? StartedAt { get; set; }
    public long? ResumedAt { get; set; }
    public long UpdatedAt { get; set; }
    public long? EndedAt { get; set; }
}

internal class StepRow
{
    /// <summary>Stored status of a ready step that a pause keeps from being claimed: so that the claim index needs one condition only.</summary>
    public const short Paused = 8;

    public long RunId { get; set; }
    public int Idx { get; set; }
    public short Status { get; set; }
    public int QueueId { get; set; }

    /// <summary>First key of the hand-out order: the run's creation (definition queues) or the due time (label queues).</summary>
    public long Rank { get; set; }
    public long Due { get; set; }
    public int Attempt { get; set; }
    public int Losses { get; set; }
    public long? Fence { get; set; }
    public string? Worker { get; set; }
    public long QueuedAt { get; set; }
    public long? GrantedAt { get; set; }
    public long? ExpiresAt { get; set; }
    public int LeaseSecs { get; set; }

    /// <summary>Leased before its worker asked, and the hand-over is not recorded.</summary>
    public bool Ahead { get; set; }
    public long? BegunAt { get; set; }
    public long? EndedAt { get; set; }

    /// <summary>Ready: no worker took it until then. Leased: the end of the attempt, and of its lease at the latest. Null: no limit.</summary>
    public long? Deadline { get; set; }

    /// <summary>When no attempt may begin or go on any more.</summary>
    public long? TotalDeadline { get; set; }

    /// <summary>Limit of an attempt in milliseconds: the claim makes a deadline of it.</summary>
    public long? AttemptMs { get; set; }

    /// <summary>Raw JSON that a worker sent last with a heartbeat. Only heartbeats write it.</summary>
    public string? Progress { get; set; }

    /// <summary>Name of a dynamic step; null: the definition has it.</summary>
    public string? Name { get; set; }

    /// <summary>Kind of a dynamic step and of a map; null: the definition has it.</summary>
    public short? Kind { get; set; }

    /// <summary>Raw JSON of the value that a dynamic step runs for.</summary>
    public string? Input { get; set; }

    /// <summary>How far a map has come: <see cref="Core.Steps.MapProgress"/>.</summary>
    public string? Items { get; set; }
    public string? Result { get; set; }
    public string? Error { get; set; }
}

/// <summary>An attempt that did not succeed.</summary>
internal sealed class StepAttemptRow
{
    /// <summary>Attempts of one step that are kept: the last ones.</summary>
    public const int MostKept = 100;

    public long RunId { get; set; }
    public int Idx { get; set; }

    /// <summary>Counts the rows of the step from 1.</summary>
    public int Number { get; set; }

    /// <summary>Retries that were used before it.</summary>
    public int Attempt { get; set; }
    public short Outcome { get; set; }
    public string? Worker { get; set; }
    public long? GrantedAt { get; set; }
    public long EndedAt { get; set; }
    public string? Error { get; set; }
}

internal sealed class InboxRow
{
    public long RunId { get; set; }

    /// <summary>Instant of arrival, made unique within the run: the order of arrival.</summary>
    public long Id { get; set; }
    public required string Type { get; set; }
    public string? Payload { get; set; }
    public int? TargetStep { get; set; }

    /// <summary>The id that its sender gave it, if any: unique within the run.</summary>
    public string? ClientId { get; set; }
    public long? DeliveredAt { get; set; }
    public int? ConsumedBy { get; set; }
}

internal sealed class EventRow
{
    public long RunId { get; set; }
    public long Seq { get; set; }
    public required string Type { get; set; }
    public required string Value { get; set; }
    public bool Internal { get; set; }
    public long CreatedAt { get; set; }
}

/// <summary>
/// Counts the events of a run and holds its queue-mode reader. A row of its own, locked last. Claims number events without touching
/// the run's row, so claims and reports never wait for each other in a circle.
/// </summary>
internal sealed class StreamRow
{
    public long RunId { get; set; }
    public long Next { get; set; }
    public long ReadTo { get; set; }
    public string? Reader { get; set; }
    public long ReaderUntil { get; set; }
}

internal sealed class LogLineRow
{
    public long Id { get; set; }
    public long? RunId { get; set; }
    public required string Workflow { get; set; }
    public required string Step { get; set; }
    public int? Attempt { get; set; }
    public required string Level { get; set; }
    public required string Category { get; set; }

    /// <summary>Raw JSON string, as sent: any Unicode, NUL too.</summary>
    public required string Message { get; set; }
    public string? Data { get; set; }
    public long Sequence { get; set; }
    public required string Stream { get; set; }
    public long TimestampMs { get; set; }
    public long CreatedAt { get; set; }
}

internal sealed class WorkerRow
{
    public required string Id { get; set; }
    public short Kind { get; set; }

    /// <summary>JSON array of labels.</summary>
    public required string Labels { get; set; }

    /// <summary>JSON array of definition ids.</summary>
    public required string Definitions { get; set; }

    /// <summary>JSON array of the only workflows that its key lets it claim steps of by labels; null: all.</summary>
    public string? Workflows { get; set; }
    public long RegisteredAt { get; set; }
    public long SeenAt { get; set; }

    /// <summary>JSON of the last task, null before the first report.</summary>
    public string? LastTask { get; set; }
}

internal sealed class RepositoryRow
{
    public required string Name { get; set; }
    public required string Url { get; set; }
    public required string Workflows { get; set; }
    public required string Credentials { get; set; }
    public long RegisteredAt { get; set; }
}

/// <summary>Blocks of ids, handed out to brokers.</summary>
internal sealed class CounterRow
{
    public required string Name { get; set; }
    public long Next { get; set; }
}
