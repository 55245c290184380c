using Broker.Core.Definitions;
using Broker.Core.Runs;
using Xunit;

namespace Broker.Core.Tests.Definitions;

/// <summary>Steps of the kind <c>map</c> as they are written.</summary>
public sealed class MapReaderTests
{
    [Fact]
    public void A_map_has_its_list_its_window_and_one_task_for_all_items()
    {
        var definition = Doc.Read("""
            {"workflow_id":"w","steps":{
              "a.b":{"successors":{"default":["m"]}}, "a":{"successors":{"default":["m"]}},
              "m":{"kind":"map","items":"results.a.b.c.d","item":{"handler":"h","required_labels":["gpu"],"retries":{"limit":2},"timeouts":{"queue_ms":5},"lease_ttl_secs":9,"priority":3},
                "max_parallel":7,"tolerate":{"failures":2},"collect":"summary","predecessors":["a","a.b"]}}}
            """).Definition!;
        var map = Assert.Single(definition.Maps);
        Assert.Equal((7, 2, MapCollect.Summary), (map.Window, map.Tolerated, map.Collect));
        Assert.Equal((definition.IndexOf["a.b"], "c,d"), (map.Items.Step, string.Join(',', map.Items.Path)));
        Assert.Equal(("gpu,step:h", 2, 5L, 9, 3), (string.Join(',', map.Item.RequiredLabels), map.Item.Retry.MaxRetries, map.Item.Timeouts.QueueMs, map.Item.LeaseSecs, map.Item.Priority));

        // The list itself does not go to each item.
        Assert.Equal([definition.IndexOf["a"]], map.Item.Predecessors);
    }

    [Fact]
    public void Items_have_indexes_and_names_of_their_own()
    {
        var definition = Doc.Read("""{"workflow_id":"w","steps":{"a":{"kind":"map","items":"inputs.x","item":{"command":"c"}},"b":{"kind":"map","items":"inputs.x.y","item":{"command":"d"}}}}""").Definition!;
        var (a, b) = (definition.Maps[0], definition.Maps[1]);
        Assert.Equal((StepDefinition.FirstDynamic, StepDefinition.FirstDynamic + MapDefinition.MostItems), (a.First, b.First));
        var last = b.First + MapDefinition.MostItems - 1;
        Assert.Equal(("b[131071]", "d", last), (definition.NameOf(last), definition.StepOf(last).Command, definition.StepOf(last).Index));
        Assert.Equal(last, definition.IndexOfName("b[131071]"));
        Assert.True(MapDefinition.FirstOf(MapDefinition.MostMaps) < 1 << 24, "a lease id has 24 bits for an index");
        Assert.All((string[])["b[131072]", "b[-1]", "b[01]", "b[ 1]", "b[]", "[1]", "c[1]", "b[1", "b"], name => Assert.Equal(name == "b" ? 1 : null, definition.IndexOfName(name)));
        Assert.True(definition.HasCommands);
        Assert.False(definition.HasWaits);
    }

    [Theory]
    [InlineData("""{"item":{"handler":"h"}}""", "steps.m.items", "is required: where the list is, such as results.STEP, results.STEP.MEMBER or inputs.NAME")]
    [InlineData("""{"items":7,"item":{"handler":"h"}}""", "steps.m.items", "expected a string, got a number")]
    [InlineData("""{"items":"files","item":{"handler":"h"}}""", "steps.m.items", "is 'files', expected results.STEP, results.STEP.MEMBER or inputs.NAME")]
    [InlineData("""{"items":"inputs.","item":{"handler":"h"}}""", "steps.m.items", "is 'inputs.', expected results.STEP, results.STEP.MEMBER or inputs.NAME")]
    [InlineData("""{"items":"results.b","item":{"handler":"h"}}""", "steps.m.items", "reads 'results.b', which names no predecessor of this step")]
    [InlineData("""{"items":"inputs.x"}""", "steps.m.item", "is required: the task of each item, with a handler or a command")]
    [InlineData("""{"items":"inputs.x","item":[]}""", "steps.m.item", "expected an object, got an array")]
    [InlineData("""{"items":"inputs.x","item":{}}""", "steps.m.item", "expected either a handler or a command")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h","command":"c"}}""", "steps.m.item", "expected either a handler or a command")]
    [InlineData("""{"items":"inputs.x","item":{"handler":""}}""", "steps.m.item.handler", "expected 1 to 200 characters, none of them NUL")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h","when":"always"}}""", "steps.m.item.when", "is not known; expected handler, command, required_labels, retries, retry_policy, timeouts, timeout_ms, lease_ttl_secs, priority")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h","timeouts":{"run_ms":1}}}""", "steps.m.item.timeouts.run_ms", "is not known; expected queue_ms, attempt_ms, total_ms")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"max_parallel":0}""", "steps.m.max_parallel", "expected an integer from 1 to 1000")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"max_parallel":1001}""", "steps.m.max_parallel", "expected an integer from 1 to 1000")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"tolerate":3}""", "steps.m.tolerate", "expected an object, got a number")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"tolerate":{"failures":-1}}""", "steps.m.tolerate.failures", "expected an integer from 0 to 131072")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"tolerate":{"errors":1}}""", "steps.m.tolerate.errors", "is not known; expected failures")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"collect":"all"}""", "steps.m.collect", "is 'all', expected results, summary or none")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"command":"c"}""", "steps.m.command", "is for tasks: write it in the map's item")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"timeout_ms":5}""", "steps.m.timeout_ms", "is for tasks: write it in the map's item")]
    [InlineData("""{"items":"inputs.x","item":{"handler":"h"},"retries":{"limit":1}}""", "steps.m.retries", "is for tasks: write it in the map's item")]
    public void A_faulty_map_is_named_with_its_place(string map, string path, string message)
    {
        var problems = Doc.Read($$"""{"workflow_id":"w","steps":{"m":{{map.Insert(1, "\"kind\":\"map\",")}},"b":{} } }""").Problems;
        Assert.Contains(new(path, message), problems);
    }

    [Fact]
    public void A_step_cannot_have_the_name_of_an_item() => Assert.Equal(
        [new("steps.m[1]", "has the name of an item of a map")],
        Doc.Read("""{"workflow_id":"w","steps":{"m":{"kind":"map","items":"inputs.x","item":{"handler":"h"}},"m[1]":{},"m[x]":{}}}""").Problems);

    [Fact]
    public void There_is_a_bound_on_maps()
    {
        var maps = string.Join(',', Enumerable.Range(0, MapDefinition.MostMaps + 1).Select(i => $$"""
            "m{{i}}":{"kind":"map","items":"inputs.x","item":{"handler":"h"} }
            """));
        Assert.Equal([new("steps", "has more than 100 maps")], Doc.Read($$"""{"workflow_id":"w","steps":{ {{maps}} } }""").Problems);
    }

    [Fact]
    public void A_list_keeps_the_text_of_its_values_and_is_bounded()
    {
        var place = new ItemPlace("results.a", 0, []);
        var list = ItemList.Read(place, "[1.0, \"\\u00e9\", {\"a\" : [] }]");
        Assert.Equal(["1.0", "\"\\u00e9\"", "{\"a\" : [] }"], Enumerable.Range(0, list.Count).Select(i => list[i]));
        Assert.Equal("results.a: it has 131073 items, and a map takes at most 131072", ItemList.Read(place, $"[{string.Join(',', new int[MapDefinition.MostItems + 1])}]").Fault?.Message);
        Assert.Equal("results.a: the step gave no result", ItemList.Read(place, null).Fault?.Message);
    }

    [Theory]
    [InlineData("\"a b\"", "a b")]
    [InlineData("{\"os\":\"x\"}", "{\"os\":\"x\"}")]
    [InlineData("null", "")]
    [InlineData("\"\\u0000\"", "\"\\u0000\"")]
    public void The_value_of_an_item_is_a_variable_of_its_command(string item, string value) => Assert.Equal([new("ITEM", value), new("ITEM_INDEX", "3")], ItemVariables.Of(item, 3));
}
