using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Core.Definitions;
using Xunit;

namespace Broker.Core.Tests.Definitions;

/// <summary>Faulty definitions: the reader names every problem with its place, and throws nothing.</summary>
public sealed class DefinitionProblemTests
{
    [Theory]
    [InlineData("[]", "", "expected a workflow object")]
    [InlineData("""{"workflow_id":"w","workflow_id":"v","steps":{}}""", "/workflow_id", "is there twice")]
    [InlineData("""{"steps":{}}""", "workflow_id", "is required: a string")]
    [InlineData("""{"workflow_id":7,"steps":{}}""", "workflow_id", "expected a string, got a number")]
    [InlineData("""{"workflow_id":"","steps":{}}""", "workflow_id", "expected 1 to 200 characters, none of them NUL")]
    [InlineData("""{"workflow_id":"a\u0000","steps":{}}""", "workflow_id", "expected 1 to 200 characters, none of them NUL")]
    [InlineData("""{"workflow_id":"\ud800","steps":{}}""", "workflow_id", "is not valid Unicode text")]
    [InlineData("""{"workflow_id":".","steps":{}}""", "workflow_id", PathNames.Message)]
    [InlineData("""{"workflow_id":"..","steps":{}}""", "workflow_id", PathNames.Message)]
    [InlineData("""{"workflow_id":"w","steps":{".":{}}}""", "steps..", PathNames.Message)]
    [InlineData("""{"workflow_id":"w","steps":{"..":{"command":"x"}}}""", "steps...", PathNames.Message)]
    [InlineData("""{"workflow_id":"w","version":1,"steps":{}}""", "version", "expected a string, got a number")]
    [InlineData("""{"workflow_id":"w"}""", "steps", "is required: an object of step name to step")]
    [InlineData("""{"workflow_id":"w","steps":[]}""", "steps", "expected an object of step name to step")]
    [InlineData("""{"workflow_id":"w","steps":{},"outputs":["a"]}""", "outputs", "names the step 'a', which does not exist")]
    [InlineData("""{"workflow_id":"w","steps":{},"outputs":"a"}""", "outputs", "expected an array of strings, got a string")]
    [InlineData("""{"workflow_id":"w","steps":{},"outputs":[1]}""", "outputs", "expected a string, got a number")]
    [InlineData("""{"workflow_id":"w","steps":{},"policies":{}}""", "policies", "expected an array of policies, got an object")]
    [InlineData("""{"workflow_id":"w","steps":{},"policies":[{"name":1}]}""", "policies", "expected {\"name\": string, \"config\": object} in every place")]
    [InlineData("""{"workflow_id":"w","steps":{},"max_lease_losses":"3"}""", "max_lease_losses", "expected an integer from 0 to 1000")]
    [InlineData("""{"workflow_id":"w","steps":{},"max_lease_losses":-1}""", "max_lease_losses", "expected an integer from 0 to 1000")]
    [InlineData("""{"workflow_id":"w","steps":{},"jobs":[]}""", "jobs", "expected an object, got an array")]
    [InlineData("""{"workflow_id":"w","steps":{},"jobs":{"name":5}}""", "jobs.name", "expected a string, got a number")]
    [InlineData("""{"workflow_id":"w","steps":{},"start_event":1}""", "start_event", "expected a string, got a number")]
    [InlineData("""{"workflow_id":"w","steps":{},"events":[]}""", "events", "expected an object of event name to event")]
    [InlineData("""{"workflow_id":"w","steps":{},"events":{"E":1}}""", "events.E", "expected an object")]
    [InlineData("""{"workflow_id":"w","steps":{},"events":{"E":{"types":1}}}""", "events.E.types", "expected an array of strings, got a number")]
    [InlineData("""{"workflow_id":"w","steps":{},"events":{"E":{"schema":[]}}}""", "events.E.schema", "expected a JSON schema object")]
    public void A_faulty_member_of_a_workflow_is_named_with_its_place(string json, string path, string message) => Assert.Contains(new(path, message), Doc.Read(json).Problems);

    [Fact]
    public void A_stored_definition_is_read_whatever_names_were_allowed_when_it_came_in() =>
        Assert.Equal("..", DefinitionReader.Read(JsonElement.Parse("""{"workflow_id":"..","steps":{".":{}}}"""), isStored: true).Definition!.Name);

    [Theory]
    [InlineData("""{"name":"b"}""", "steps.a.name", "is 'b', but the step's key is 'a'")]
    [InlineData("""{"kind":"loop"}""", "steps.a.kind", "is 'loop', expected task, waitForEvent, sleep or map")]
    [InlineData("""{"kind":1}""", "steps.a.kind", "expected a string, got a number")]
    [InlineData("""{"kind":"waitForEvent"}""", "steps.a.event", "is required: the event type to wait for")]
    [InlineData("""{"kind":"waitForEvent","event":""}""", "steps.a.event", "is required: the event type to wait for")]
    [InlineData("""{"kind":"waitForEvent","event":"E","timeout_ms":999}""", "steps.a.timeout_ms", "expected an integer from 1000 to 31536000000")]
    [InlineData("""{"kind":"waitForEvent","event":"E","timeout_ms":31536000001}""", "steps.a.timeout_ms", "expected an integer from 1000 to 31536000000")]
    [InlineData("""{"kind":"sleep"}""", "steps.a.duration_ms", "is required: how long to sleep, in milliseconds")]
    [InlineData("""{"kind":"sleep","duration_ms":1.5}""", "steps.a.duration_ms", "expected an integer from 0 to 31536000000")]
    [InlineData("""{"successors":[]}""", "steps.a.successors", "expected an object of arrays of step names, got an array")]
    [InlineData("""{"successors":{"default":"b"}}""", "steps.a.successors.default", "expected an array of strings, got a string")]
    [InlineData("""{"successors":{"x":["b"]}}""", "steps.a.successors.x", "names the step 'b', which does not exist")]
    [InlineData("""{"predecessors":["b"]}""", "steps.a.predecessors", "names the step 'b', which does not exist")]
    [InlineData("""{"depends_on":["b"]}""", "steps.a.depends_on", "names the step 'b', which does not exist")]
    [InlineData("""{"or_groups":{"g":["b"]}}""", "steps.a.or_groups.g", "names the step 'b', which does not exist")]
    [InlineData("""{"or_groups":{"g":[]}}""", "steps.a.or_groups.g", "is empty: no step could ever satisfy it")]
    [InlineData("""{"required_labels":{}}""", "steps.a.required_labels", "expected an array of strings, got an object")]
    [InlineData("""{"priority":1001}""", "steps.a.priority", "expected an integer from -1000 to 1000")]
    [InlineData("""{"lease_ttl_secs":0}""", "steps.a.lease_ttl_secs", "expected an integer from 1 to 86400")]
    [InlineData("""{"command":1}""", "steps.a.command", "expected a string, got a number")]
    [InlineData("""{"display":1}""", "steps.a.display", "expected an object, got a number")]
    [InlineData("""{"retry_policy":1}""", "steps.a.retry_policy", "expected an object")]
    [InlineData("""{"retry_policy":{"max_retries":-1}}""", "steps.a.retry_policy.max_retries", "expected an integer from 0 to 1000000")]
    [InlineData("""{"retry_policy":{"backoff":{"Fixed":{}}}}""", "steps.a.retry_policy.backoff.Fixed.delay_secs", "is required")]
    [InlineData("""{"retry_policy":{"backoff":{"Exponential":{"base_secs":1}}}}""", "steps.a.retry_policy.backoff.Exponential.max_secs", "is required")]
    [InlineData("""{"retries":[]}""", "steps.a.retries", "expected {\"limit\", \"delay_ms\", \"backoff\"}")]
    [InlineData("""{"retries":{"backoff":"random"}}""", "steps.a.retries.backoff", "is 'random', expected constant, linear or exponential")]
    [InlineData("""{"policies":[{"name":"retry","config":[]}]}""", "steps.a.policies.retry.config", "expected an object, got an array")]
    [InlineData("""{"policies":[{"name":"timeout","config":{"seconds":-1}}]}""", "steps.a.policies.timeout.seconds", "expected a number of 0 or more")]
    [InlineData("1", "steps.a", "expected a step object")]
    public void A_faulty_member_of_a_step_is_named_with_its_place(string step, string path, string message) =>
        Assert.Contains(new(path, message), Doc.Read(Doc.Around($"\"a\":{step}")).Problems);

    [Fact]
    public void A_backoff_of_another_kind_is_refused() =>
        Assert.Equal("steps.a.retry_policy.backoff", Assert.Single(Doc.Read(Doc.Around("""  "a":{"retry_policy":{"backoff":"Some"}}""")).Problems).Path);

    [Fact]
    public void The_reader_lists_every_problem()
    {
        var problems = Doc.Read("""{"version":2,"steps":{"a":{"kind":"sleep"},"b":{"priority":"high"}}}""").Problems;

        Assert.Equal(["workflow_id", "version", "steps.a.duration_ms", "steps.b.priority"], problems.Select(p => p.Path));
    }

    [Fact]
    public void A_refused_document_gives_no_definition() =>
        Assert.Null(Doc.Read("""{"workflow_id":"w","steps":{},"max_lease_losses":1001}""").Definition);

    [Theory]
    [InlineData(""" "a":{"depends_on":["c"]},"b":{"depends_on":["a"]},"c":{"depends_on":["b"]} """, "a → b → c → a")]
    [InlineData(""" "a":{"depends_on":["a"]} """, "a → a")]
    [InlineData(""" "r":{"depends_on":[]},"a":{"depends_on":["r","b"]},"b":{"depends_on":["a"]} """, "a → b → a")]
    public void A_cycle_of_dependencies_is_refused_by_name(string steps, string cycle) =>
        Assert.Contains($"is part of a cycle: {cycle}", Assert.Single(Doc.Read(Doc.Around(steps)).Problems).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(""" "a":{"successors":{"default":["b"]}},"b":{"successors":{"default":["a"]}} """)]
    [InlineData(""" "a":{},"b":{"predecessors":["a"]} """)]
    [InlineData(""" "a":{},"b":{"or_groups":{"g":["a"]}} """)]
    public void A_step_that_can_never_start_is_refused(string steps) =>
        Assert.Contains(Doc.Read(Doc.Around(steps)).Problems, p => p.Message.StartsWith("can never start", StringComparison.Ordinal));

    [Fact]
    public void More_groups_than_a_join_has_bits_are_refused()
    {
        var groups = string.Join(',', Enumerable.Range(0, 65).Select(g => $"\"g{g}\":[\"a\"]"));

        var problem = Assert.Single(Doc.Read(Doc.Around($$""" "a":{"successors":{"default":["b"] } },"b":{"or_groups":{ {{groups}} } } """)).Problems);

        Assert.Equal(new("steps.b.or_groups", "has more than 64 groups"), problem);
    }

    [Fact]
    public void More_steps_than_allowed_are_refused()
    {
        var steps = string.Join(',', Enumerable.Range(0, WorkflowDefinition.MaxSteps + 1).Select(s => $"\"s{s}\":{{}}"));

        Assert.Equal("steps", Assert.Single(Doc.Read(Doc.Around(steps)).Problems).Path);
    }

    /// <summary>A lone surrogate is legal JSON text and no legal string: wherever it stands, it is a problem and not a fault.</summary>
    [Fact]
    public void Text_that_is_no_Unicode_is_refused_wherever_it_stands()
    {
        const string whole = """
            {"workflow_id":"w","version":"1","steps":{"a":{"name":"a","kind":"waitForEvent","event":"E","timeout_ms":1000,"successors":{"x":["b"]},"display":{"k":"v"}},
            "b":{"predecessors":["a"],"or_groups":{"g":["a"]},"command":"c","required_labels":["l"],"emits":["E"],"accepts":["E"],"policies":[{"name":"p","config":{"k":"v"}}],
            "retries":{"backoff":"linear"}}},"outputs":["b"],"start_event":"S","stop_event":"T","events":{"E":{"types":["t"],"qualified_name":"q","schema":{"title":"x"}}},
            "jobs":{"name":"n","trigger":"t"},"policies":[{"name":"p","config":{"k":"v"}}],"more":{"k":"v"}}
            """;
        Assert.NotNull(Doc.Read(whole).Definition);
        for (var at = whole.IndexOf('"', StringComparison.Ordinal); at >= 0; at = whole.IndexOf('"', at + 1))
        {
            var broken = whole.Insert(at, @"\ud800");
            if (!IsJson(broken)) continue;

            var reading = Doc.Read(broken);
            Assert.True(reading.Definition is null && reading.Problems.Count > 0, broken);
        }
    }

    /// <summary>Every value of a rich document replaced by every kind of value: refused or accepted, never thrown at.</summary>
    [Fact]
    public void Values_of_the_wrong_type_are_problems_and_not_faults()
    {
        const string whole = """
            {"workflow_id":"w","version":"1","max_lease_losses":3,"steps":{"a":{"name":"a","kind":"sleep","duration_ms":5,"successors":{"x":["b"]},"display":{}},
            "b":{"predecessors":["a"],"or_groups":{"g":["a"]},"depends_on":["a"],"command":"c","required_labels":["l"],"policies":[{"name":"retry","config":{"max_retries":2,"wait":1}},
            {"name":"timeout","config":{"seconds":1e308}}],"retries":{"limit":1,"delay_ms":2,"backoff":"linear"},"retry_policy":{"max_retries":1,"backoff":{"Fixed":{"delay_secs":1}}},
            "priority":1,"lease_ttl_secs":9,"timeout_ms":9}},"outputs":["b"],"start_event":"S","stop_event":"T","events":{"E":{"types":["t"],"qualified_name":"q","schema":{}}},
            "jobs":{"name":"n","trigger":"t","from_file":true}}
            """;
        string[] values = ["null", "true", "1e400", "-1", "0.5", "\"\"", "\"a\"", "[]", "[null]", "[[1]]", "{}", """{"a":null}""", """{"default":["a"]}"""];
        var places = Paths(JsonNode.Parse(whole)!).ToList();
        Assert.True(places.Count > 50);
        foreach (var place in places)
        {
            foreach (var value in values)
            {
                var document = JsonNode.Parse(whole)!;
                Replace(document, place, JsonNode.Parse(value));
                var reading = Doc.Read(document.ToJsonString());
                Assert.True(reading.Definition is null != (reading.Problems.Count == 0), $"{string.Join('/', place)} = {value}");
            }
        }
    }

    private static bool IsJson(string text)
    {
        try
        {
            JsonElement.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static IEnumerable<object[]> Paths(JsonNode node) => node switch
    {
        JsonObject owner => owner.SelectMany(m => Paths(m.Value!).Select(p => p.Prepend(m.Key).ToArray()).Prepend([m.Key])),
        JsonArray list => list.SelectMany((item, i) => Paths(item!).Select(p => p.Prepend(i).ToArray()).Prepend([i])),
        _ => [],
    };

    private static void Replace(JsonNode document, object[] path, JsonNode? value)
    {
        var owner = path[..^1].Aggregate(document, (node, at) => at is int i ? node[i]! : node[(string)at]!);
        if (path[^1] is int index) owner[index] = value;
        else owner[(string)path[^1]] = value;
    }
}
