namespace Broker.Core.Schedules;

/// <summary>Instants at which no run starts, one after another, with the reason.</summary>
/// <param name="From">The first.</param>
/// <param name="Until">The last.</param>
/// <param name="Count">How many.</param>
/// <param name="IsCapped">There are more than were counted.</param>
/// <param name="Reason">A word of <see cref="SkipReasons"/>.</param>
public sealed record SkippedSpan(DateTimeOffset From, DateTimeOffset Until, int Count, bool IsCapped, string Reason);

/// <summary>Why no run starts at an instant.</summary>
public static class SkipReasons
{
    /// <summary>No broker served the instant in time, and it is not made up for.</summary>
    public const string Missed = "missed";

    /// <summary>The schedule was paused.</summary>
    public const string Paused = "paused";

    /// <summary>The run before has not ended.</summary>
    public const string Overlap = "overlap";

    /// <summary>Too many instants wait for the run before.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>The starts of the workflow are paused.</summary>
    public const string StartsPaused = "starts_paused";

    /// <summary>Too many runs of the workflow wait for workers.</summary>
    public const string BacklogFull = "backlog_full";

    /// <summary>The workflow, or the version, cannot be started.</summary>
    public const string NoWorkflow = "no_workflow";

    /// <summary>The definition does not take the inputs.</summary>
    public const string InputsRefused = "inputs_refused";

    /// <summary>The run before has failed, and the schedule is paused by that.</summary>
    public const string Failure = "paused_on_failure";

    public static IReadOnlyList<string> All { get; } = [Missed, Paused, Overlap, QueueFull, StartsPaused, BacklogFull, NoWorkflow, InputsRefused, Failure];
}

/// <summary>Due instants of a schedule (invariants 31 and 32).</summary>
/// <param name="Fire">Nominal instants whose runs start now, in order.</param>
/// <param name="Skipped">Instants that are passed over.</param>
/// <param name="Base">The last instant that was dealt with: the next round begins behind it.</param>
/// <param name="Next">The first nominal instant that is not due; null: there is none.</param>
/// <param name="NextAt">When it is due.</param>
public sealed record FiringPlan(IReadOnlyList<DateTimeOffset> Fire, IReadOnlyList<SkippedSpan> Skipped, DateTimeOffset Base, DateTimeOffset? Next, DateTimeOffset? NextAt)
{
    /// <summary>Instants that are counted one by one; more are "so many or more".</summary>
    public const int MostCounted = 10_000;

    /// <summary>A start that is no later than this is on time, and not subject to the catch-up.</summary>
    public static readonly TimeSpan OnTime = TimeSpan.FromMinutes(1);

    /// <param name="instants">All instants.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="seed">Name of the schedule: chooses the jitter of each instant.</param>
    /// <param name="last">The last nominal instant that was dealt with, never the present time.</param>
    /// <param name="pausedUntil">Instants up to it are skipped as paused; null: none.</param>
    /// <param name="now">The present time.</param>
    public static FiringPlan Make(IInstants instants, ScheduleRule rule, string seed, DateTimeOffset last, DateTimeOffset? pausedUntil, DateTimeOffset now)
    {
        var skipped = new SkippedList();
        var window = TimeSpan.FromMilliseconds(rule.CatchUp.WindowMs);
        var old = now - (window > OnTime ? window : OnTime) - TimeSpan.FromMilliseconds(rule.JitterMs);
        last = pausedUntil is { } until ? PassBy(instants, last, until.AddTicks(1), SkipReasons.Paused, skipped) : last;
        last = PassBy(instants, last, old, SkipReasons.Missed, skipped);
        var (missed, onTime, next) = (new Queue<DateTimeOffset>(), new List<DateTimeOffset>(), instants.After(last));
        var kept = rule.CatchUp.Runs switch { CatchUpRuns.Latest => 1, CatchUpRuns.All => rule.CatchUp.Most, CatchUpRuns.None => 0 };
        for (; next is { } instant && instant + JitterOf(rule, seed, instant) <= now; next = instants.After(last = instant))
        {
            var late = now - instant - JitterOf(rule, seed, instant);
            if (late <= OnTime) onTime.Add(instant);
            else if (late > window) skipped.Add(instant, SkipReasons.Missed);
            else missed.Enqueue(instant);
            if (missed.Count > kept) skipped.Add(missed.Dequeue(), SkipReasons.Missed);
        }

        while (rule.CatchUp.Runs is CatchUpRuns.Latest && onTime.Count > 0 && missed.TryDequeue(out var instant)) skipped.Add(instant, SkipReasons.Missed);
        return new([.. missed, .. onTime], skipped.All, last, next, next is { } coming ? coming + JitterOf(rule, seed, coming) : null);
    }

    /// <summary>How much later than its instant a run starts: the same on every broker and in every attempt.</summary>
    public static TimeSpan JitterOf(ScheduleRule rule, string seed, DateTimeOffset instant) =>
        rule.JitterMs == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(SeededNumber.Of(seed, instant.UtcTicks) % (ulong)(rule.JitterMs + 1));

    // Counts instants before an edge up to a bound, and goes on at the edge.
    private static DateTimeOffset PassBy(IInstants instants, DateTimeOffset last, DateTimeOffset edge, string reason, SkippedList skipped)
    {
        var (first, counted) = (instants.After(last), 0);
        for (var next = first; next < edge; next = instants.After(last))
        {
            if (counted++ == MostCounted)
            {
                skipped.Cap(last = edge.AddTicks(-1));
                return last;
            }

            skipped.Add(next.Value, reason);
            last = next.Value;
        }

        return last;
    }

    private sealed class SkippedList
    {
        private readonly List<SkippedSpan> spans = [];

        public IReadOnlyList<SkippedSpan> All => spans;

        public void Add(DateTimeOffset instant, string reason)
        {
            if (spans is [.., { IsCapped: false } before] && before.Reason == reason) spans[^1] = before with { Until = instant, Count = before.Count + 1 };
            else spans.Add(new(instant, instant, 1, false, reason));
        }

        public void Cap(DateTimeOffset until) => spans[^1] = spans[^1] with { Until = until, IsCapped = true };
    }
}
