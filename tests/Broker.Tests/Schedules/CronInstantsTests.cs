using System.Globalization;
using Broker.Core.Schedules;
using Broker.Schedules;
using Cronos;
using Xunit;

namespace Broker.Tests.Schedules;

/// <summary>Instants around clock changes, as docs/schedules.md has them, and which expressions are taken.</summary>
public sealed class CronInstantsTests
{
    // Berlin: 2026-03-29 02:00 becomes 03:00; 2026-10-25 03:00 becomes 02:00.
    [Theory]
    [InlineData("30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z")]
    [InlineData("0 3 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T01:00:00Z")]
    [InlineData("*/30 * * * *", "2026-03-29T00:15:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z")]
    [InlineData("0 * * * *", "2026-03-28T23:30:00Z", "2026-03-29T00:00:00Z 2026-03-29T01:00:00Z 2026-03-29T02:00:00Z")]
    [InlineData("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z")]
    [InlineData("0,30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-26T01:00:00Z")]
    [InlineData("*/30 * * * *", "2026-10-24T23:45:00Z", "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-25T01:00:00Z 2026-10-25T01:30:00Z 2026-10-25T02:00:00Z")]
    [InlineData("0 * * * *", "2026-10-24T23:30:00Z", "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z")]
    [InlineData("*/30 2 * * *", "2026-10-24T23:45:00Z", "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-25T01:00:00Z 2026-10-25T01:30:00Z 2026-10-26T01:00:00Z")]
    public void Clock_changes_of_Berlin(string cron, string after, string expected) => Assert.Equal(expected, NextOf("Europe/Berlin", cron, after, expected.Split(' ').Length));

    // Lord Howe moves its clocks by 30 minutes: 2026-04-05 02:00 becomes 01:30; 2026-10-04 02:00 becomes 02:30.
    [Theory]
    [InlineData("15 2 * * *", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z 2026-10-04T15:15:00Z")]
    [InlineData("45 1 * * *", "2026-04-04T00:00:00Z", "2026-04-04T14:45:00Z 2026-04-05T15:15:00Z")]
    public void Clock_changes_of_half_an_hour(string cron, string after, string expected) => Assert.Equal(expected, NextOf("Australia/Lord_Howe", cron, after, 2));

    [Fact]
    public void Several_expressions_are_one_list_without_doubles() => Assert.Equal(
        "2026-01-01T00:00:00Z 2026-01-01T00:15:00Z 2026-01-01T00:30:00Z 2026-01-01T01:00:00Z",
        string.Join(' ', Instants(new() { Crons = ["*/30 * * * *", "15 0 * * *", "0 * * * *"] }, "2025-12-31T23:59:00Z", 4)));

    [Fact]
    public void An_unknown_zone_has_a_reason()
    {
        Assert.Null(RuleInstants.Of(new() { Crons = ["@daily"], Zone = "Europe/Atlantis" }, "s", out var refusal));
        Assert.Equal("the time zone 'Europe/Atlantis' is not known here; expected an IANA name such as Europe/Berlin", refusal);
    }

    [Theory]
    [InlineData("* * * * *")]
    [InlineData("*/5 1-5 L * *")]
    [InlineData("0 0 LW JAN-mar ?", false)]
    [InlineData("0 0 15W * 1")]
    [InlineData("0 0 * * FRI#2")]
    [InlineData("0 0 * * 5L")]
    [InlineData("0 0 * * 7")]
    [InlineData("1/5,7,9-11/2 0 1,15 1-12/3 MON-FRI")]
    [InlineData("@weekly")]
    [InlineData("H H(0-6) * * *")]
    [InlineData("H/15 H 1,H * H")]
    [InlineData("60 * * * *", false)]
    [InlineData("* * 0 * *", false)]
    [InlineData("* * * 13 *", false)]
    [InlineData("* * * * 8", false)]
    [InlineData("5-1 * * * *", false)]
    [InlineData("*/0 * * * *", false)]
    [InlineData("*/61 * * * *", false)]
    [InlineData("* * * *", false)]
    [InlineData("* * * * * *", false)]
    [InlineData("", false)]
    [InlineData("@often", false)]
    [InlineData("H(5-5) * * * *", false)]
    [InlineData("H( * * * *", false)]
    [InlineData("１ * * * *", false)]
    public void An_expression_that_is_taken_has_instants(string cron, bool isTaken = true)
    {
        Assert.Equal(isTaken, CronText.Problem(cron) is null);
        if (isTaken) Assert.True(CronExpression.TryParse(CronText.Of(cron, "nightly"), out _), CronText.Of(cron, "nightly"));
    }

    [Fact]
    public void Expressions_at_random_are_taken_only_if_they_have_instants()
    {
        var random = new Random(4711);
        string[] parts = ["*", "*/7", "5", "0", "31", "59", "1-5", "1-5/2", "3/4", "H", "H/10", "H(1-3)", "L", "15W", "MON", "FEB", "6L", "2#3", "1,2", "x", "-1", "7-", "24"];
        var taken = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var cron = string.Join(' ', Enumerable.Range(0, 5).Select(_ => parts[random.Next(parts.Length)]));
            if (CronText.Problem(cron) is not null) continue;
            taken++;
            Assert.True(CronExpression.TryParse(CronText.Of(cron, $"s{i}"), out _), cron);
        }

        Assert.True(taken > 500, $"{taken} were taken");
    }

    [Fact]
    public void The_name_chooses_the_minute_of_H()
    {
        var minutes = Enumerable.Range(0, 200).Select(i => CronText.Of("H * * * *", $"schedule-{i}")).ToList();
        Assert.Equal(minutes[7], CronText.Of("H * * * *", "schedule-7"));
        Assert.True(minutes.Distinct().Count() > 40);
    }

    private static string NextOf(string zone, string cron, string after, int count) => string.Join(' ', Instants(new() { Crons = [cron], Zone = zone }, after, count));

    private static IEnumerable<string> Instants(ScheduleRule rule, string after, int count)
    {
        var instants = RuleInstants.Of(rule, "s", out var refusal);
        Assert.True(instants is not null, refusal);
        DateTimeOffset? at = DateTimeOffset.Parse(after, CultureInfo.InvariantCulture);
        for (var i = 0; i < count; i++) yield return (at = instants!.After(at.Value))!.Value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
    }
}
