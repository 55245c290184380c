using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Schedules;
using Xunit;

namespace Broker.Core.Tests.Schedules;

public sealed class ScheduleReaderTests
{
    [Fact]
    public void Every_member_is_read()
    {
        var rule = Read("""
            {"cron":["0 3 * * 1-5","H H(0-3) * * SUN"],"timezone":"Europe/Berlin","overlap":"queue_all","catch_up":{"window_ms":60000,"runs":"all","most":3},"jitter_ms":5,
             "starts_at":"2030-01-01T00:00:00+01:00","ends_at":"2031-01-01T00:00:00Z","pause_on_failure":true,"version":"7","inputs":{"n":1.0},"tags":{"a":"b"},"priority":-5}
            """);
        Assert.Equal((2, "Europe/Berlin", Overlap.QueueAll, new CatchUp(60000, CatchUpRuns.All, 3), 5L), (rule.Crons.Length, rule.Zone, rule.Overlap, rule.CatchUp, rule.JitterMs));
        Assert.Equal((new DateTimeOffset(2029, 12, 31, 23, 0, 0, TimeSpan.Zero), true, "7", """{"n":1.0}""", """{"a":"b"}""", -5), (rule.StartsAt, rule.PauseOnFailure, rule.Version, rule.InputsJson, rule.TagsJson, rule.Priority));
    }

    [Fact]
    public void Usual_values_are_filled_in()
    {
        var rule = Read("""{"every_ms":1000}""");
        Assert.Equal((1000L, "UTC", Overlap.Skip, CatchUp.Usual, 0L, "{}"), (rule.EveryMs, rule.Zone, rule.Overlap, rule.CatchUp, rule.JitterMs, rule.InputsJson));
    }

    [Theory]
    [InlineData("{}", "cron")]
    [InlineData("""{"cron":"0 3 * * *","every_ms":5000}""", "every_ms")]
    [InlineData("""{"every_ms":999}""", "every_ms")]
    [InlineData("""{"every_ms":5000,"timezone":"UTC"}""", "timezone")]
    [InlineData("""{"cron":"0 3 * *"}""", "cron")]
    [InlineData("""{"cron":[]}""", "cron")]
    [InlineData("""{"cron":5}""", "cron")]
    [InlineData("""{"cron":"60 * * * *"}""", "cron")]
    [InlineData("""{"cron":"@daily","overlap":"both"}""", "overlap")]
    [InlineData("""{"cron":"@daily","catch_up":{"runs":"some"}}""", "catch_up.runs")]
    [InlineData("""{"cron":"@daily","catch_up":{"window":5}}""", "catch_up.window")]
    [InlineData("""{"cron":"@daily","catch_up":{"most":0}}""", "catch_up.most")]
    [InlineData("""{"cron":"@daily","starts_at":"2030-01-31T12:00:00"}""", "starts_at")]
    [InlineData("""{"cron":"@daily","starts_at":"2030-01-31T12:00:00Z","ends_at":"2029-01-31T12:00:00Z"}""", "ends_at")]
    [InlineData("""{"cron":"@daily","tags":{"schedule":"x"}}""", "tags.schedule")]
    [InlineData("""{"cron":"@daily","when":"now"}""", "when")]
    public void A_faulty_member_is_named(string json, string path)
    {
        var reading = ScheduleReader.Read(JsonElement.Parse(json));
        Assert.Null(reading.Rule);
        Assert.Contains(path, reading.Problems.Select(problem => problem.Path));
    }

    [Fact]
    public void A_definition_has_schedules_with_names_of_their_own()
    {
        var reading = DefinitionReader.Read(JsonElement.Parse("""{"workflow_id":"ci","steps":{},"schedules":[{"cron":"@daily"},{"name":"fast","every_ms":1000}]}"""));
        Assert.Equal(["1", "fast"], reading.Definition!.Schedules.Select(entry => entry.Name));
        Assert.Equal("""{"every_ms":1000}""", reading.Definition.Schedules[1].SpecJson);
        Assert.Equal(["schedules[1].name", "schedules[1].nam"], Problems("""[{"cron":"@daily"},{"name":"a b","nam":1,"every_ms":1000}]""").Reverse());
        Assert.Equal(["schedules[1].name"], Problems("""[{"name":"a","cron":"@daily"},{"name":"a","every_ms":1000}]"""));
        Assert.Equal(["schedules[0]"], Problems("[5]"));
        Assert.Equal(["schedules"], Problems("{}"));
    }

    [Theory]
    [InlineData("""{"a":1.0,"cron":"0 3 * * *"}""", """{ "cron" : "0 3 * * *", "timezone": null }""")]
    public void The_same_rule_is_stored_as_the_same_text(string one, string other) => Assert.Equal(ScheduleReader.SpecOf(JsonElement.Parse(one)), ScheduleReader.SpecOf(JsonElement.Parse(other)));

    [Fact]
    public void Tags_of_the_broker_come_first()
    {
        var at = new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero);
        Assert.Equal("""{"schedule":"a","scheduled_for":"2026-03-29T01:00:00Z","x":1.0}""", RuleTags.Of("""{"x":1.0}""", "a", at));
        Assert.Equal("""{"schedule":"a","scheduled_for":"2026-03-29T01:00:00Z"}""", RuleTags.Of("{ }", "a", at));
        Assert.Equal("a-20260329T010000Z", FiringId.Of("a", at));
        Assert.Equal("a-20260329T010000500Z", FiringId.Of("a", at.AddMilliseconds(500)));
    }

    [Theory]
    [InlineData(Overlap.Skip, true, 0, FiringAction.Skip)]
    [InlineData(Overlap.Skip, false, 0, FiringAction.Start)]
    [InlineData(Overlap.Allow, true, 5, FiringAction.Start)]
    [InlineData(Overlap.CancelRunning, true, 0, FiringAction.CancelAndStart)]
    [InlineData(Overlap.CancelRunning, false, 0, FiringAction.Start)]
    [InlineData(Overlap.QueueOne, true, 0, FiringAction.Wait)]
    [InlineData(Overlap.QueueOne, true, 1, FiringAction.Skip)]
    [InlineData(Overlap.QueueOne, false, 0, FiringAction.Start)]
    [InlineData(Overlap.QueueAll, false, 1, FiringAction.Wait)]
    [InlineData(Overlap.QueueAll, true, OverlapRule.MostWaiting, FiringAction.Skip)]
    public void Overlap_decides(Overlap overlap, bool isRunning, int waiting, FiringAction action)
    {
        Assert.Equal(action, OverlapRule.Decide(overlap, isRunning, waiting, out var reason));
        Assert.Equal(action is FiringAction.Skip, reason is not null);
    }

    private static IEnumerable<string> Problems(string schedules) =>
        DefinitionReader.Read(JsonElement.Parse($$"""{"workflow_id":"ci","steps":{},"schedules":{{schedules}}}""")).Problems.Select(problem => problem.Path);

    private static ScheduleRule Read(string json)
    {
        var reading = ScheduleReader.Read(JsonElement.Parse(json));
        Assert.Empty(reading.Problems);
        return reading.Rule!;
    }
}
