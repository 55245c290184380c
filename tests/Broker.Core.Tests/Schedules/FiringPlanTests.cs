using Broker.Core.Schedules;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Schedules;

/// <summary>Invariants 31 and 32: no instant twice, none in silence, whatever the times of the rounds.</summary>
public sealed class FiringPlanTests
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 29, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(CatchUpRuns.None, 1)]
    [InlineData(CatchUpRuns.Latest, 1)]
    [InlineData(CatchUpRuns.All, 3)]
    public void Missed_instants_within_the_window_are_made_up_for_as_the_rule_says(CatchUpRuns runs, int fired)
    {
        // Instants of every 10 minutes, 30 s after the third one.
        var plan = Plan(Rule(runs), Begin, Begin.AddMinutes(30.5));
        Assert.Equal(fired, plan.Fire.Count);
        Assert.Equal(Begin.AddMinutes(30), plan.Fire[^1]);
        Assert.Equal(3 - fired, plan.Skipped.Sum(span => span.Count));
        Assert.All(plan.Skipped, span => Assert.Equal(SkipReasons.Missed, span.Reason));
        Assert.Equal((Begin.AddMinutes(30), Begin.AddMinutes(40)), (plan.Base, plan.Next));
    }

    [Theory]
    [InlineData(CatchUpRuns.None, 0)]
    [InlineData(CatchUpRuns.Latest, 1)]
    [InlineData(CatchUpRuns.All, 2)]
    public void Without_one_on_time_the_newest_missed_one_is_the_latest(CatchUpRuns runs, int fired) =>
        Assert.Equal(fired, Plan(Rule(runs, most: 2), Begin, Begin.AddMinutes(35)).Fire.Count);

    [Fact]
    public void A_year_without_a_broker_starts_one_run_and_is_counted_within_bounds()
    {
        var rule = Rule(CatchUpRuns.Latest) with { EveryMs = 60_000 };
        var plan = FiringPlan.Make(new IntervalInstants(TimeSpan.FromMinutes(1), Begin), rule, "s", Begin, null, Begin.AddYears(1).AddMinutes(0.5));
        Assert.Equal([Begin.AddYears(1)], plan.Fire);
        Assert.Equal([true, false], plan.Skipped.Select(span => span.IsCapped).Concat([false]).Take(2));
        Assert.True(plan.Skipped.Sum(span => span.Count) is >= FiringPlan.MostCounted and <= FiringPlan.MostCounted + 61);
        Assert.Equal(Begin, plan.Skipped[0].From.AddMinutes(-1));
    }

    [Fact]
    public void Instants_of_a_pause_are_skipped_as_paused()
    {
        var plan = FiringPlan.Make(Every10, Rule(CatchUpRuns.All), "s", Begin, Begin.AddMinutes(25), Begin.AddMinutes(30.1));
        Assert.Equal([new SkippedSpan(Begin.AddMinutes(10), Begin.AddMinutes(20), 2, false, SkipReasons.Paused)], plan.Skipped);
        Assert.Equal([Begin.AddMinutes(30)], plan.Fire);
    }

    [Fact]
    public void Jitter_is_the_same_everywhere_and_moves_the_start_alone()
    {
        var rule = Rule(CatchUpRuns.Latest) with { JitterMs = 300_000 };
        var jitters = Enumerable.Range(0, 100).Select(i => FiringPlan.JitterOf(rule, "nightly", Begin.AddMinutes(10 * i))).ToList();
        Assert.All(jitters, jitter => Assert.InRange(jitter, TimeSpan.Zero, TimeSpan.FromMinutes(5)));
        Assert.True(jitters.Distinct().Count() > 90);
        Assert.Equal(jitters[5], FiringPlan.JitterOf(rule, "nightly", Begin.AddMinutes(50)));
        var plan = Plan(rule, Begin, Begin.AddMinutes(10) + jitters[1] - TimeSpan.FromMilliseconds(1));
        Assert.Empty(plan.Fire);
        Assert.Equal(Begin.AddMinutes(10) + jitters[1], plan.NextAt);
        Assert.Equal([Begin.AddMinutes(10)], Plan(rule, Begin, Begin.AddMinutes(10) + jitters[1]).Fire);
    }

    [Theory]
    [InlineData(1500, "2026-03-29T00:00:00.5Z", "2026-03-29T00:00:01.5Z")]
    [InlineData(86_400_000, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z")]
    [InlineData(1000, "1969-12-31T23:59:58.2Z", "1969-12-31T23:59:59Z")]
    public void Intervals_count_from_their_anchor(long every, string after, string next) => Assert.Equal(
        DateTimeOffset.Parse(next, null), new IntervalInstants(TimeSpan.FromMilliseconds(every), DateTimeOffset.UnixEpoch).After(DateTimeOffset.Parse(after, null)));

    [Fact]
    public void Bounds_hold_both_ends()
    {
        var bounded = new BoundedInstants(Every10, Begin.AddMinutes(20), Begin.AddMinutes(40));
        Assert.Equal(Begin.AddMinutes(20), bounded.After(Begin.AddYears(-1)));
        Assert.Equal(Begin.AddMinutes(40), bounded.After(Begin.AddMinutes(30)));
        Assert.Null(bounded.After(Begin.AddMinutes(40)));
    }

    [Fact]
    public void Every_instant_is_dealt_with_once_whatever_the_rounds() => Prop.ForAll(Rounds, rounds => Fault(rounds, (plan, _) => plan.Base) is null).QuickCheckThrowOnFailure();

    /// <summary>A planted fault: the next instant is computed from the present time.</summary>
    [Fact]
    public void The_check_finds_a_schedule_that_goes_on_from_now() =>
        Assert.ThrowsAny<Exception>(() => Prop.ForAll(Rounds, rounds => Fault(rounds, (_, now) => now) is null).QuickCheckThrowOnFailure());

    /// <summary>A planted fault: a round forgets what it has done, as one that is killed before it writes.</summary>
    [Fact]
    public void The_check_finds_an_instant_that_starts_twice() =>
        Assert.ThrowsAny<Exception>(() => Prop.ForAll(Rounds, rounds => Fault(rounds, (plan, _) => plan.Fire.Count > 0 ? plan.Fire[0].AddTicks(-1) : plan.Base) is null).QuickCheckThrowOnFailure());

    private static readonly IntervalInstants Every10 = new(TimeSpan.FromMinutes(10), Begin);

    // A rule, and the pauses between rounds in seconds.
    private static readonly Arbitrary<(ScheduleRule Rule, int[] Pauses)> Rounds = ArbMap.Default.ArbFor<(int Every, int Window, CatchUpRuns Runs, int Most, int Jitter, int[] Pauses)>().Convert(
        made => (
            new ScheduleRule
            {
                EveryMs = 1000 * (1 + Math.Abs(made.Every % 600)),
                CatchUp = new(1000L * Math.Abs(made.Window % 3600), (CatchUpRuns)(Math.Abs((int)made.Runs) % 3), 1 + Math.Abs(made.Most % 5)),
                JitterMs = 1000L * Math.Abs(made.Jitter % 90),
            },
            made.Pauses.Select(pause => 1 + Math.Abs(pause * 97 % 5000)).ToArray()),
        rounds => ((int)(rounds.Item1.EveryMs!.Value / 1000), (int)(rounds.Item1.CatchUp.WindowMs / 1000), rounds.Item1.CatchUp.Runs, rounds.Item1.CatchUp.Most, (int)(rounds.Item1.JitterMs / 1000), rounds.Item2));

    /// <summary>The first instant that was dealt with twice or not at all; null when there is none.</summary>
    private static string? Fault((ScheduleRule Rule, int[] Pauses) rounds, Func<FiringPlan, DateTimeOffset, DateTimeOffset> next)
    {
        var instants = new IntervalInstants(TimeSpan.FromMilliseconds(rounds.Rule.EveryMs!.Value), Begin);
        var (last, now, dealt, until) = (Begin, Begin, 0, Begin);
        var fired = new HashSet<DateTimeOffset>();
        foreach (var pause in rounds.Pauses)
        {
            now = now.AddSeconds(pause);
            var plan = FiringPlan.Make(instants, rounds.Rule, "s", last, null, now);
            foreach (var instant in plan.Fire) if (!fired.Add(instant)) return $"{instant:O} twice";
            dealt += plan.Fire.Count + plan.Skipped.Sum(span => span.Count);
            (last, until) = (next(plan, now), plan.Base > until ? plan.Base : until);
        }

        var all = 0;
        for (var instant = instants.After(Begin); instant <= until; instant = instants.After(instant.Value)) all++;
        var due = instants.After(until)!.Value;
        return dealt != all ? $"{dealt} of {all}" : due + TimeSpan.FromMilliseconds(rounds.Rule.JitterMs) <= now ? $"{due:O} is due and was not served" : null;
    }

    private static ScheduleRule Rule(CatchUpRuns runs, int most = 10) => new() { EveryMs = 600_000, CatchUp = new(3_600_000, runs, most) };

    private static FiringPlan Plan(ScheduleRule rule, DateTimeOffset last, DateTimeOffset now) => FiringPlan.Make(Every10, rule, "nightly", last, null, now);
}
