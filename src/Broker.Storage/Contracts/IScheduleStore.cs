using Broker.Core.Schedules;

namespace Broker.Storage.Contracts;

/// <summary>A schedule.</summary>
public sealed record StoredSchedule
{
    public required string Name { get; init; }
    public required string Workflow { get; init; }

    /// <summary>It came with the workflow's definition, and goes with it.</summary>
    public bool IsOwned { get; init; }

    /// <summary>The rule as its writer gave it: <see cref="ScheduleReader"/> reads it.</summary>
    public required string SpecJson { get; init; }
    public required string KeyId { get; init; }

    /// <summary>Grows with each change by a caller.</summary>
    public int Revision { get; init; }
    public DateTimeOffset? PausedAt { get; init; }
    public string? PausedBy { get; init; }
    public string? PauseNote { get; init; }

    /// <summary>Why it cannot start runs; null: it can.</summary>
    public string? DisabledBecause { get; init; }

    /// <summary>The last nominal instant that was dealt with, or the change of the rule.</summary>
    public DateTimeOffset Base { get; init; }

    /// <summary>Instants up to it are skipped, since the schedule was paused; null: none.</summary>
    public DateTimeOffset? PausedUntil { get; init; }
    public string? LastInstance { get; init; }
    public DateTimeOffset? LastAt { get; init; }
    public long Started { get; init; }
    public long Skipped { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>Origin of an instant. Numbers are stored.</summary>
public enum FiringKind
{
    Planned = 0,

    /// <summary>A caller asked for a run now.</summary>
    Triggered = 1,

    /// <summary>A caller asked for instants of the past.</summary>
    Backfilled = 2,
}

/// <summary>Outcome of an instant. Numbers are stored.</summary>
public enum FiringPhase
{
    /// <summary>Its run starts once the run before has ended.</summary>
    Waiting = 0,
    Started = 1,
    Skipped = 2,
}

/// <summary>An instant of a schedule and what became of it.</summary>
public sealed record Firing
{
    /// <summary>Made by the store; 0 for one that is not stored yet.</summary>
    public long Id { get; init; }
    public required FiringKind Kind { get; init; }
    public required FiringPhase Phase { get; init; }

    /// <summary>The nominal instant.</summary>
    public required DateTimeOffset Nominal { get; init; }

    /// <summary>Skipped: the last instant of several in a row.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Number of instants.</summary>
    public int Count { get; init; } = 1;

    /// <summary>There are more than were counted.</summary>
    public bool IsCapped { get; init; }

    /// <summary>Why it was skipped: a word of <see cref="SkipReasons"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>The reason in words.</summary>
    public string? Detail { get; init; }
    public string? Instance { get; init; }

    /// <summary>Waiting: the rule that a backfill was given; null: that of the schedule.</summary>
    public Overlap? Overlap { get; init; }

    /// <summary>By the store's clock, when it was written.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>Schedules that this caller alone may serve until its lease expires.</summary>
/// <param name="Now">The store's clock.</param>
/// <param name="Schedules">They are due.</param>
public sealed record ScheduleTurn(DateTimeOffset Now, IReadOnlyList<StoredSchedule> Schedules);

/// <summary>Result of a round for one schedule.</summary>
public sealed record ScheduleRound
{
    public required DateTimeOffset Base { get; init; }

    /// <summary>When the schedule is looked at again; null: not before a change.</summary>
    public DateTimeOffset? DueAt { get; init; }
    public string? DisabledBecause { get; init; }

    /// <summary>The schedule is paused by the broker, with this note; null: as it was.</summary>
    public string? Pause { get; init; }
    public string? LastInstance { get; init; }

    /// <summary>New instants, and waiting ones that wait no longer.</summary>
    public IReadOnlyList<Firing> Firings { get; init; } = [];
}

/// <summary>Outcome of writing a schedule.</summary>
public enum SchedulePut
{
    Created,
    Changed,

    /// <summary>It said the same before: nothing was changed, and its instants go on as they were.</summary>
    Unchanged,

    /// <summary>It belongs to a definition.</summary>
    Owned,

    /// <summary>There are as many as may be.</summary>
    Full,
}

/// <summary>Choice of schedules.</summary>
public sealed record ScheduleChoice
{
    /// <summary>A part of the name or of the workflow's name.</summary>
    public string? Text { get; init; }
    public bool? IsPaused { get; init; }

    /// <summary>Only of these workflows.</summary>
    public IReadOnlyList<string>? Workflows { get; init; }

    /// <summary>Behind this name, in the direction of the read.</summary>
    public string? After { get; init; }

    /// <summary>Those before the name, the nearest first.</summary>
    public bool IsBackward { get; init; }
}

/// <summary>Schedules, and the history of their instants.</summary>
public interface IScheduleStore
{
    /// <summary>Leases schedules that are due, the longest due first. Rows that another broker holds are passed over.</summary>
    Task<ScheduleTurn> TakeAsync(string owner, int most, TimeSpan lease, CancellationToken ct);

    /// <summary>Writes what a round did; false when the lease is lost or a caller has changed the schedule meanwhile. Then nothing is written.</summary>
    Task<bool> EndAsync(StoredSchedule schedule, string owner, ScheduleRound round, CancellationToken ct);

    /// <summary>Makes a schedule, or replaces its rule. One of a definition is left as it is.</summary>
    Task<(SchedulePut Outcome, StoredSchedule? Schedule)> PutAsync(string name, string workflow, string specJson, string keyId, int most, CancellationToken ct);

    Task<StoredSchedule?> FindAsync(string name, CancellationToken ct);

    /// <summary>In order of names.</summary>
    Task<Page<StoredSchedule>> ListAsync(ScheduleChoice choice, int limit, CancellationToken ct);

    /// <summary>Deletes a schedule with its history; null when there is none. One of a definition stays, and is returned.</summary>
    Task<StoredSchedule?> DeleteAsync(string name, CancellationToken ct);

    /// <summary>Pauses a schedule, or gives its pause another note; null when there is none.</summary>
    Task<StoredSchedule?> PauseAsync(string name, string keyId, string? note, CancellationToken ct);

    /// <summary>Ends a pause: instants of the pause are skipped. Null when there is none.</summary>
    Task<StoredSchedule?> ResumeAsync(string name, CancellationToken ct);

    /// <summary>Adds instants: such as those of a backfill, which the next round serves. Null when there is no schedule.</summary>
    Task<IReadOnlyList<Firing>?> AddAsync(string name, IReadOnlyList<Firing> firings, CancellationToken ct);

    /// <summary>Instants that wait, the oldest nominal one first.</summary>
    Task<IReadOnlyList<Firing>> WaitingAsync(string name, int most, CancellationToken ct);

    /// <summary>Instants of a schedule, newest first, behind an id; backward those that are newer, the nearest first.</summary>
    Task<Page<Firing>> HistoryAsync(string name, FiringPhase? phase, long? behind, int limit, CancellationToken ct, bool isBackward = false);

    /// <summary>Removes instants of the history that were written before, at most a batch; returns how many.</summary>
    Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct);
}
