using Broker.Core.Runs;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Runs;

public sealed class FinalValueTests
{
    private static string Of(string outputs, params (int Step, string? Result)[] finished) => FinalValue.Of(
        Doc.Of($$"""{"workflow_id":"w","steps":{"a":{},"b\"é":{},"c":{} },"outputs":[{{outputs}}] }"""), finished.ToDictionary(f => f.Step, f => f.Result));

    [Fact]
    public void A_run_without_output_steps_that_ran_is_null() => Assert.Equal("null", Of(""));

    [Fact]
    public void A_single_output_is_returned_character_by_character() => Assert.Equal(" {\"n\" : 1.0} ", Of("", (0, " {\"n\" : 1.0} ")));

    [Fact]
    public void A_single_output_without_a_result_is_null() => Assert.Equal("null", Of("", (2, null)));

    [Fact]
    public void Several_outputs_are_an_object_by_step_in_order_of_the_outputs()
    {
        var value = System.Text.Json.JsonElement.Parse(Of("\"c\",\"b\\\"é\"", (1, "1e2"), (2, null), (0, "0")));

        Assert.Equal(["c", "b\"é"], value.EnumerateObject().Select(m => m.Name));
        Assert.Equal(["null", "1e2"], value.EnumerateObject().Select(m => m.Value.GetRawText()));
    }

    [Theory]
    [InlineData(" {}", true)]
    [InlineData("[{}]", false)]
    [InlineData("\"{\"", false)]
    public void An_object_is_known_by_its_first_character(string json, bool isObject) => Assert.Equal(isObject, FinalValue.IsObject(json));

    [Theory]
    [InlineData("Done", """{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}""", """{"n":1,"more":2}""", null)]
    [InlineData("Done", """{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}""", """{"n":"x"}""", "ValidationError")]
    [InlineData("Done", null, """{"n":"x"}""", null)]
    [InlineData("Done", """{"type":"object"}""", "3", "TypeError")]
    [InlineData("StopEvent", """{"properties":{"result":{"type":"string"}},"required":["result"]}""", "\"x\"", null)]
    [InlineData("StopEvent", """{"properties":{"result":{"type":"string"}},"required":["result"]}""", "1", "ValidationError")]
    [InlineData("StopEvent", """{"properties":{"result":{"type":"string"}},"required":["result"]}""", "null", "ValidationError")]
    [InlineData("StopEvent", """{"type":"object","properties":{}}""", "[1]", null)]
    public void A_value_must_fit_the_schema_of_the_stop_event_where_there_is_one(string stop, string? schema, string value, string? fault)
    {
        var events = schema is null ? "" : $$""","events":{"{{stop}}":{"schema":{{schema}} } } """;
        var definition = Doc.Of($$"""{"workflow_id":"w","steps":{},"stop_event":"{{stop}}"{{events}} }""");

        Assert.Equal(fault, FinalValue.Fault(definition.Events, value)?.Name);
    }
}
