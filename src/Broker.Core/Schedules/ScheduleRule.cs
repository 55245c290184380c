using System.Collections.Immutable;

namespace Broker.Core.Schedules;

/// <summary>Rule for an instant that meets a run: the one that the schedule started last has not ended.</summary>
public enum Overlap
{
    /// <summary>No run starts.</summary>
    Skip,

    /// <summary>One run starts once the other has ended; further instants are skipped.</summary>
    QueueOne,

    /// <summary>Runs start one after another.</summary>
    QueueAll,

    /// <summary>The other run is cancelled.</summary>
    CancelRunning,

    /// <summary>Runs go on side by side.</summary>
    Allow,
}

/// <summary>Which instants that no broker served in time are made up for.</summary>
public enum CatchUpRuns
{
    /// <summary>The newest one, unless another one is on time.</summary>
    Latest,

    All,

    None,
}

/// <summary>How missed instants are made up for.</summary>
/// <param name="WindowMs">Those that are older are skipped.</param>
/// <param name="Runs">Which of the others.</param>
/// <param name="Most">All: the newest so many.</param>
public sealed record CatchUp(long WindowMs, CatchUpRuns Runs, int Most)
{
    public static CatchUp Usual { get; } = new(60 * 60 * 1000, CatchUpRuns.Latest, 10);
}

/// <summary>When a workflow starts by itself, and how.</summary>
public sealed record ScheduleRule
{
    /// <summary>Cron expressions of five fields; empty for a fixed interval.</summary>
    public ImmutableArray<string> Crons { get; init; } = [];

    /// <summary>IANA name of the time zone that the cron expressions are in.</summary>
    public string Zone { get; init; } = "UTC";

    public long? EveryMs { get; init; }

    public Overlap Overlap { get; init; }

    public CatchUp CatchUp { get; init; } = CatchUp.Usual;

    /// <summary>A run starts up to so much later than its instant.</summary>
    public long JitterMs { get; init; }

    public DateTimeOffset? StartsAt { get; init; }

    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>The schedule is paused once a run of it has failed.</summary>
    public bool PauseOnFailure { get; init; }

    /// <summary>Version to run; null: the latest.</summary>
    public string? Version { get; init; }

    /// <summary>Raw JSON.</summary>
    public string InputsJson { get; init; } = "{}";

    /// <summary>Raw JSON object, or null for none.</summary>
    public string? TagsJson { get; init; }

    public int Priority { get; init; }
}

/// <summary>A schedule that a definition holds.</summary>
/// <param name="Name">Its name within the definition.</param>
/// <param name="SpecJson">The schedule as canonical JSON, without its name.</param>
public sealed record ScheduleEntry(string Name, string SpecJson);
