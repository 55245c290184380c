using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Operators;

/// <summary>How instants that no broker served in time are made up for.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ScheduleCatchUp
{
    /// <summary>Older instants are skipped: 0 to 604,800,000 ms, an hour by default.</summary>
    public long? WindowMs { get; init; }

    /// <summary>latest (the default), all or none of the others.</summary>
    [Words("latest", "all", "none")]
    public string? Runs { get; init; }

    /// <summary>all: the newest so many, 1 to 1,000, 10 by default.</summary>
    public int? Most { get; init; }
}

/// <summary>A cron expression, or an array of them.</summary>
/// <param name="Expressions">The expressions.</param>
[JsonConverter(typeof(Converter))]
public readonly record struct CronList(IReadOnlyList<string> Expressions)
{
    internal sealed class Converter : JsonConverter<CronList>
    {
        public override CronList Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is JsonTokenType.String) return new([reader.GetString()!]);
            if (reader.TokenType is not JsonTokenType.StartArray) throw new JsonException("expected a string or an array of strings");
            var expressions = new List<string>();
            while (reader.Read() && reader.TokenType is JsonTokenType.String) expressions.Add(reader.GetString()!);
            return reader.TokenType is JsonTokenType.EndArray ? new(expressions) : throw new JsonException("expected an array of strings");
        }

        public override void Write(Utf8JsonWriter writer, CronList value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            foreach (var expression in value.Expressions ?? []) writer.WriteStringValue(expression);
            writer.WriteEndArray();
        }
    }
}

/// <summary>A schedule to make, or the rule that replaces one.</summary>
public sealed record ScheduleSpec
{
    /// <summary>Workflow that it starts.</summary>
    public string? Workflow { get; init; }

    /// <summary>A cron expression of five fields, or an array of up to 10; or <c>every_ms</c>.</summary>
    public CronList? Cron { get; init; }

    /// <summary>IANA name of the time zone of <c>cron</c>; UTC by default.</summary>
    public string? Timezone { get; init; }

    /// <summary>Fixed interval of 1,000 ms or more, counted from <c>starts_at</c>, else from 1970.</summary>
    public long? EveryMs { get; init; }

    /// <summary>While the run that was started last goes on: skip (the default), queue_one, queue_all, cancel_running or allow.</summary>
    [OverlapWords]
    public string? Overlap { get; init; }

    /// <summary>How missed instants are made up for.</summary>
    public ScheduleCatchUp? CatchUp { get; init; }

    /// <summary>A run starts up to so much later than its instant, 0 to 86,400,000 ms.</summary>
    public long? JitterMs { get; init; }

    /// <summary>No instant before.</summary>
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>No instant after.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>The schedule is paused once a run of it has failed.</summary>
    public bool? PauseOnFailure { get; init; }

    /// <summary>Version to run; the latest when left out.</summary>
    public string? Version { get; init; }

    /// <summary>Inputs of each run, checked at its start.</summary>
    public RawJson? Inputs { get; init; }

    /// <summary>Up to 14 tags of each run; the broker adds <c>schedule</c> and <c>scheduled_for</c>.</summary>
    public RawJson? Tags { get; init; }

    /// <summary>Added to the priority of each step, -1,000 to 1,000.</summary>
    public int? Priority { get; init; }

    /// <summary>true makes it paused, false resumes it; left out, it stays as it is.</summary>
    public bool? Paused { get; init; }
}

/// <summary>A pause of a schedule.</summary>
/// <param name="At">Its begin.</param>
/// <param name="By">Key that asked for it; broker after a failed run.</param>
/// <param name="Note">Why.</param>
public sealed record SchedulePause(DateTimeOffset At, string By, string? Note);

/// <summary>A schedule.</summary>
public sealed record Schedule
{
    /// <summary>Name; that of a definition's schedule is <c>WORKFLOW:NAME</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Workflow that it starts.</summary>
    public required string Workflow { get; init; }

    /// <summary>It comes with the workflow's definition, and goes with it.</summary>
    public required bool Owned { get; init; }

    /// <summary>Cron expressions; absent for a fixed interval.</summary>
    public IReadOnlyList<string>? Cron { get; init; }

    /// <summary>Time zone of the cron expressions.</summary>
    public string? Timezone { get; init; }

    /// <summary>Fixed interval.</summary>
    public long? EveryMs { get; init; }

    /// <summary>Rule for instants while the run that was started last goes on.</summary>
    [OverlapWords]
    public required string Overlap { get; init; }

    /// <summary>How missed instants are made up for.</summary>
    public required ScheduleCatchUp CatchUp { get; init; }

    /// <summary>A run starts up to so much later than its instant.</summary>
    public required long JitterMs { get; init; }

    /// <summary>No instant before.</summary>
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>No instant after.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>The schedule is paused once a run of it has failed.</summary>
    public required bool PauseOnFailure { get; init; }

    /// <summary>Version to run; absent: the latest.</summary>
    public string? Version { get; init; }

    /// <summary>Inputs of each run; absent in lists.</summary>
    public RawJson? Inputs { get; init; }

    /// <summary>Tags of each run.</summary>
    public RawJson? Tags { get; init; }

    /// <summary>Added to the priority of each step.</summary>
    public int? Priority { get; init; }

    /// <summary>The pause; absent while it starts runs.</summary>
    public SchedulePause? Paused { get; init; }

    /// <summary>Why it can start no runs.</summary>
    public string? DisabledBecause { get; init; }

    /// <summary>The next nominal instant; absent when there is none, and while it is paused or disabled.</summary>
    public DateTimeOffset? Next { get; init; }

    /// <summary>Instance that it started last.</summary>
    public string? LastInstance { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset? LastAt { get; init; }

    /// <summary>Runs that it has started.</summary>
    public required long Started { get; init; }

    /// <summary>Instants at which it started none; the history has the reasons.</summary>
    public required long Skipped { get; init; }

    /// <summary>Key that made or changed it last; broker for one of a definition.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>Creation.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Last change by a caller.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>An instant to come.</summary>
/// <param name="Nominal">The instant.</param>
/// <param name="StartsAt">The instant with its jitter.</param>
/// <param name="Local">The instant in the schedule's time zone.</param>
public sealed record ScheduleInstant(DateTimeOffset Nominal, DateTimeOffset StartsAt, string Local);

/// <summary>Instants to come.</summary>
/// <param name="Schedule">Schedule.</param>
/// <param name="Instants">In order.</param>
public sealed record ScheduleNext(string Schedule, IReadOnlyList<ScheduleInstant> Instants);

/// <summary>An instant, or several skipped ones in a row, and the outcome.</summary>
public sealed record ScheduleFiring
{
    /// <summary>Id.</summary>
    public required long Id { get; init; }

    /// <summary>planned by the schedule; triggered or backfilled by a request.</summary>
    [Words("planned", "triggered", "backfilled")]
    public required string Kind { get; init; }

    /// <summary>waiting for the run before, started or skipped.</summary>
    [FiringStatusWords]
    public required string Status { get; init; }

    /// <summary>The nominal instant.</summary>
    public required DateTimeOffset Nominal { get; init; }

    /// <summary>The last one of several.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Number of instants.</summary>
    public required int Count { get; init; }

    /// <summary>There are more than were counted.</summary>
    public bool? Capped { get; init; }

    /// <summary>Why no run was started.</summary>
    [SkipReasonWords]
    public string? Reason { get; init; }

    /// <summary>The same, for people.</summary>
    public string? Detail { get; init; }

    /// <summary>Instance that was started.</summary>
    public string? Instance { get; init; }

    /// <summary>When it was written.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>Choice of schedules.</summary>
public sealed record ScheduleQuery : PagedQuery
{
    /// <summary>A part of the name or of the workflow's name.</summary>
    public string? Search { get; init; }

    /// <summary>Only paused ones, or only others.</summary>
    public bool? Paused { get; init; }
}

/// <summary>Choice of instants of a schedule.</summary>
public sealed record FiringQuery : PagedQuery
{
    /// <summary>waiting, started, skipped, or null for all.</summary>
    public string? Status { get; init; }
}

/// <summary>Instants of the past to start runs for.</summary>
public sealed record ScheduleBackfill
{
    /// <summary>The first instant, at the earliest.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The last instant, at the latest; not after now.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>In place of the schedule's own rule.</summary>
    [OverlapWords]
    public string? Overlap { get; init; }

    /// <summary>Says which instants there are, and starts nothing.</summary>
    public bool? DryRun { get; init; }

    /// <summary>Why: for the audit trail, at most 500 characters.</summary>
    public string? Reason { get; init; }
}

/// <summary>Outcome of a backfill.</summary>
/// <param name="Schedule">Schedule.</param>
/// <param name="Instants">The instants, up to 1,000; one whose run exists starts none.</param>
/// <param name="DryRun">Nothing is started.</param>
public sealed record BackfillPlan(string Schedule, IReadOnlyList<DateTimeOffset> Instants, bool DryRun);

/// <summary>Rule for instants that meet the run before.</summary>
public sealed class OverlapWordsAttribute() : WordsAttribute("skip", "queue_one", "queue_all", "cancel_running", "allow");

/// <summary>Status of an instant.</summary>
public sealed class FiringStatusWordsAttribute() : WordsAttribute("waiting", "started", "skipped");

/// <summary>Why no run was started at an instant.</summary>
public sealed class SkipReasonWordsAttribute() : WordsAttribute(
    "missed", "paused", "overlap", "queue_full", "starts_paused", "backlog_full", "no_workflow", "inputs_refused", "paused_on_failure");
