using Broker.Core.Definitions;
using Broker.Core.Steps;
using Xunit;

namespace Broker.Core.Tests.Definitions;

public sealed class DefinitionReaderTests
{
    [Fact]
    public void Everything_but_name_and_steps_has_a_default()
    {
        var definition = Doc.Steps("\"a\":{}");
        var step = Assert.Single(definition.Steps);

        Assert.Equal(("w", "1", LostLeaseRule.ReturnToFront, 3), (definition.Name, definition.Version, definition.LostLease, definition.MaxLeaseLosses));
        Assert.Equal(("StartEvent", "StopEvent"), (definition.Events.Start, definition.Events.Stop));
        Assert.Equal([0], definition.Roots);
        Assert.Equal([0], definition.ResultSteps);
        Assert.Null(definition.Jobs);
        Assert.False(definition.HasWaits);
        Assert.Equal((StepKind.Task, RetryPolicy.Never, 0), (step.Kind, step.Retry, step.Priority));
        Assert.Null(step.LeaseSecs);
        Assert.Equal(60, step.LeaseFor(null, 60));
        Assert.Equal(7, step.LeaseFor(7, 60));
    }

    [Fact]
    public void An_empty_graph_is_a_definition() => Assert.Empty(Doc.Of("""{"workflow_id":"w","steps":{}}""").Roots);

    [Fact]
    public void A_wait_lasts_a_day_unless_its_definition_says_otherwise()
    {
        var definition = Doc.Steps(""" "a":{"kind":"waitForEvent","event":"E"},"b":{"kind":"sleep","duration_ms":0} """);

        Assert.Equal(86_400_000, definition.Steps[0].TimeoutMs);
        Assert.Equal(0, definition.Steps[1].DurationMs);
        Assert.True(definition.HasWaits);
    }

    [Theory]
    [InlineData("""{"policies":[{"name":"timeout","config":{"seconds":10}}]}""", 10, 60)]
    [InlineData("""{"policies":[{"name":"timeout","config":{"seconds":61.2}}]}""", 62, 62)]
    [InlineData("""{"policies":[{"name":"retry","config":{"max_retries":3,"wait":5}},{"name":"timeout","config":{"seconds":30}}]}""", 100, 100)]
    [InlineData("""{"policies":[{"name":"retry","config":{"max_retries":9,"wait":100}}]}""", null, 60)]
    [InlineData("""{"policies":[{"name":"timeout","config":{"seconds":1e300}}]}""", 31_536_000, 31_536_000)]
    [InlineData("""{"lease_ttl_secs":5,"policies":[{"name":"timeout","config":{"seconds":600}}]}""", 600, 5)]
    public void A_lease_is_as_long_as_the_workers_own_attempts_may_take(string step, int? budget, int lease)
    {
        var read = Doc.Steps($"\"a\":{step}").Steps[0];

        Assert.Equal(budget, read.BudgetSecs);
        Assert.Equal(lease, read.LeaseFor(null, 60));
        Assert.Equal(RetryPolicy.Never, read.Retry);
    }

    [Theory]
    [InlineData("""{"retry_policy":{"max_retries":2}}""", 2, Backoff.None, 0, RetryPolicy.LongestMs)]
    [InlineData("""{"retry_policy":{"max_retries":2,"backoff":"None"}}""", 2, Backoff.None, 0, RetryPolicy.LongestMs)]
    [InlineData("""{"retry_policy":{"max_retries":1,"backoff":{"Fixed":{"delay_secs":3}}}}""", 1, Backoff.Fixed, 3000, RetryPolicy.LongestMs)]
    [InlineData("""{"retry_policy":{"max_retries":1,"backoff":{"Exponential":{"base_secs":2,"max_secs":60}}}}""", 1, Backoff.Exponential, 2000, 60_000)]
    [InlineData("""{"retries":{"limit":4,"delay_ms":50}}""", 4, Backoff.Fixed, 50, RetryPolicy.LongestMs)]
    [InlineData("""{"retries":{"limit":4,"delay_ms":50,"backoff":"linear"}}""", 4, Backoff.Linear, 50, RetryPolicy.LongestMs)]
    [InlineData("""{"retries":{"limit":4,"delay_ms":50,"backoff":"exponential"}}""", 4, Backoff.Doubling, 50, RetryPolicy.LongestMs)]
    [InlineData("""{"retries":{"limit":4}}""", 4, Backoff.None, 0, RetryPolicy.LongestMs)]
    public void Both_spellings_of_a_retry_policy_are_read(string step, int most, Backoff backoff, long unit, long cap) =>
        Assert.Equal(new(most, backoff, unit, cap), Doc.Steps($"\"a\":{step}").Steps[0].Retry);

    [Theory]
    [InlineData("""{"workflow_id":"w","steps":{"a":{"depends_on":[]}}}""")]
    [InlineData("""{"workflow_id":"w","steps":{"a":{}},"jobs":{}}""")]
    public void A_job_pays_for_a_lost_lease_with_a_retry(string json) => Assert.Equal(LostLeaseRule.UseRetry, Doc.Of(json).LostLease);

    [Fact]
    public void Successors_and_predecessors_are_one_set_of_edges()
    {
        var definition = Doc.Steps(""" "a":{"successors":{"default":["b"],"x":["c"]}},"b":{},"c":{"predecessors":["a","b"],"or_groups":{"g":["b","a"]}} """);

        Assert.Equal([0], definition.Steps[1].Predecessors);
        Assert.Equal([0, 1], definition.Steps[2].Predecessors);
        Assert.Empty(definition.Steps[2].Plain);
        Assert.Equal([1, 0], Assert.Single(definition.Steps[2].AnyOf).Members);
        Assert.Equal([1, 2], definition.Steps[0].Dependents);
        Assert.Equal([2], definition.Steps[0].Chosen("x"));
        Assert.Equal([1], definition.Steps[0].Chosen("unknown"));
        Assert.Equal([1], definition.Steps[0].Chosen(null));
    }

    [Theory]
    [InlineData(""" "b":{"depends_on":["a"]},"a":{"successors":{"default":["c"]}},"c":{} """)]
    [InlineData(""" "a":{"successors":{"default":["c"]}},"c":{},"b":{"depends_on":["a"]} """)]
    public void Dependencies_join_the_plain_edges_in_whichever_order_they_stand(string steps)
    {
        var definition = Doc.Steps(steps);

        Assert.Equal(["b", "c"], definition.Find("a")!.Chosen(null).Select(i => definition.Steps[i].Name).Order());
    }

    [Fact]
    public void A_dependency_that_is_also_a_successor_is_one_edge()
    {
        var definition = Doc.Steps(""" "a":{"successors":{"default":["b"]}},"b":{"depends_on":["a"]} """);

        Assert.Equal([1], definition.Steps[0].Chosen(null));
    }

    [Fact]
    public void A_back_edge_is_kept_and_no_join_waits_for_it()
    {
        var definition = Doc.Steps(""" "a":{"successors":{"default":["b"]}},"b":{"successors":{"default":["c"]}},"c":{"successors":{"again":["b"],"default":["d"]}},"d":{} """);

        Assert.Equal([0], definition.Steps[1].Predecessors);
        Assert.Equal([1], definition.Steps[2].Successors["again"]);
        Assert.Equal([3], definition.Steps[2].Dependents);
    }

    /// <summary>Stock workers read an any-of join's value under the member listed first (broker contract 4.4), so it must stay the first.</summary>
    [Fact]
    public void A_back_edge_does_not_change_which_member_of_a_group_is_listed_first()
    {
        var definition = Doc.Steps("""
            "a":{"successors":{"default":["b"]}},"b":{"predecessors":["a","c"],"or_groups":{"g":["c","a"]},"successors":{"default":["c"]}},"c":{"successors":{"again":["b"]}}
            """);

        Assert.Equal([2, 0], Assert.Single(definition.Steps[1].AnyOf).Members);
        Assert.Equal([0], definition.Roots);
    }

    [Fact]
    public void The_outputs_are_the_declared_ones_else_the_sinks()
    {
        const string steps = """ "a":{"successors":{"default":["b","c"]}},"b":{},"c":{} """;

        Assert.Equal([1, 2], Doc.Steps(steps).ResultSteps);
        Assert.Equal([2, 0], Doc.Of($$"""{"workflow_id":"w","steps":{{{steps}}},"outputs":["c","a"]}""").ResultSteps);
    }

    [Fact]
    public void Events_stand_in_order_start_stop_declared_named()
    {
        var events = Doc.Of("""
            {"workflow_id":"w","steps":{"a":{"kind":"waitForEvent","event":"Waited","accepts":["HumanResponseEvent"],"emits":["Told","Begin"]}},
             "start_event":"Begin","stop_event":"End","events":{"Told":{"types":["Base"],"qualified_name":"m.Told","schema":{"type":"object","required":["n"]}}}}
            """).Events;

        Assert.Equal(["Begin", "End", "Told", "Waited", "HumanResponseEvent"], events.All.Select(e => e.Name));
        Assert.True(events.HasCustomStop);
        Assert.Equal(("w.Begin", "w.End"), (events.StartEvent.QualifiedName, events.StopEvent.QualifiedName));
        Assert.Equal("workflows.events.HumanResponseEvent", events.Find("HumanResponseEvent")!.QualifiedName);
        Assert.Equal("m.Told", events.Find("Told")!.QualifiedName);
        Assert.Equal("""{"title":"Told","type":"object","required":["n"]}""", events.Find("Told")!.SchemaJson);
        Assert.Null(events.Find("Nothing"));
    }

    [Fact]
    public void The_document_is_kept_as_it_was_written()
    {
        const string json = """{ "workflow_id" : "w", "steps" : { "a" : { "policies" : [ { "name":"p", "config": { "n": 1.0 } } ] } } }""";

        Assert.Equal(json, Doc.Of(json).Document);
    }
}
