using System.Text.Json;
using Broker.Api.HandlersDialect;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Schemas;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>Every form in which clients send a start event (handlers contract 5, 5.1).</summary>
public sealed class StartEventReaderTests
{
    private static readonly EventCatalog Ask = Definitions.Read(Definitions.Ask).Events;
    private static readonly EventCatalog Greet = Definitions.Read(Definitions.Greet).Events;

    [Theory]
    [InlineData("""{"start_event":{"topic":"x"}}""", """{"topic":"x"}""")]
    [InlineData("""{"start_event":{"topic":"x","n":1.0,"big":12345678901234567890}}""", """{"topic":"x","n":1.0,"big":12345678901234567890}""")]
    [InlineData("""{"start_event":{"topic":"x"},"context":{},"kwargs":{"topic":"y"}}""", """{"topic":"x"}""")]
    [InlineData("""{"start_event":"{\"topic\": \"x\"}"}""", """{"topic": "x"}""")]
    [InlineData("""{"start_event":"","kwargs":{"topic":"y"}}""", """{"topic":"y"}""")]
    [InlineData("""{"kwargs":{"topic":"y"}}""", """{"topic":"y"}""")]
    [InlineData("""{"start_event":null}""", "{}")]
    public void Plain_fields_strings_and_kwargs_are_taken_as_they_are(string request, string inputs) => Accepts(request, inputs);

    [Theory]
    [InlineData("""{"start_event":{"value":{"topic":"x"},"type":"AskStart","qualified_name":null}}""")]
    [InlineData("""{"start_event":{"value":{"topic":"x"},"type":"AskStart"}}""")]
    [InlineData("""{"start_event":{"__is_pydantic":true,"value":{"topic":"x"},"qualified_name":"ask.AskStart"}}""")]
    [InlineData("""{"start_event":{"value":{"topic":"x"},"qualified_name":"other.module.AskStart"}}""")]
    [InlineData("""{"start_event":{"value":{"topic":"x"},"type":"Unknown","qualified_name":"ask.AskStart"}}""")]
    [InlineData("""{"start_event":{"type":"AskStart","qualified_name":null,"data":{"topic":"x"}}}""")]
    [InlineData("""{"start_event":"{\"value\":{\"topic\":\"x\"},\"type\":\"AskStart\"}"}""")]
    public void Envelopes_of_all_ages_are_opened(string request) => Accepts(request, """{"topic":"x"}""");

    [Theory]
    [InlineData("""{"start_event":{"value":{"topic":"x","_data":{"note":"n"}},"type":"AskStart"}}""", """{"topic":"x","note":"n"}""")]
    [InlineData("""{"start_event":{"_data":{"topic":"hi"}}}""", """{"topic":"hi"}""")]
    [InlineData("""{"start_event":{"a":1,"_data":{"topic":"hi","a":2e0}}}""", """{"a":2e0,"topic":"hi"}""")]
    [InlineData("""{"start_event":{"topic":"x","_data":7}}""", """{"topic":"x","_data":7}""")]
    [InlineData("""{"start_event":{"topic":"x","topic":"y"}}""", """{"topic":"y"}""")]
    public void Undeclared_fields_come_out_of_data(string request, string inputs) => Accepts(request, inputs);

    [Fact]
    public void An_object_with_a_type_but_no_qualified_name_is_plain()
    {
        var reading = StartEventReader.Read(JsonElement.Parse("""{"start_event":{"type":"x","other":1}}"""), Greet);

        Assert.Equal(new StartReading("""{"type":"x","other":1}""", Greet.StartEvent, null), reading);
    }

    [Fact]
    public void The_base_start_event_is_known_by_its_original_name()
    {
        var reading = StartEventReader.Read(
            JsonElement.Parse("""{"start_event":{"__is_pydantic":true,"value":{"a":1},"qualified_name":"workflows.events.StartEvent"}}"""), Greet);

        Assert.Equal(("""{"a":1}""", "StartEvent", null), (reading.InputsJson, reading.Event.Name, reading.Problem));
    }

    [Theory]
    [InlineData("""{"start_event":"no json"}""", "expected a JSON object")]
    [InlineData("""{"start_event":"[1]"}""", "expected a JSON object")]
    [InlineData("""{"start_event":"\ud800"}""", "expected a JSON object")]
    [InlineData("""{"start_event":[1]}""", "expected a JSON object")]
    [InlineData("""{"start_event":7}""", "expected a JSON object")]
    [InlineData("""{"start_event":{"value":{"topic":"x"}}}""", "Invalid client data. Must have a type or a qualified name, got {value}")]
    [InlineData("""{"start_event":{"value":7,"type":"AskStart"}}""", "value: expected an object")]
    [InlineData("""{"start_event":{"type":"AskStart","qualified_name":null}}""", "value: field required")]
    [InlineData("""{"start_event":{"value":{},"type":"Nope"}}""",
        "Invalid event type: Nope. Expected one of AskStart, StopEvent, NameAsked, NameGiven, Progress")]
    public void An_unusable_start_event_is_refused_with_the_reason(string request, string reason)
    {
        var problem = StartEventReader.Read(JsonElement.Parse(request), Ask).Problem;

        Assert.StartsWith($"Validation error for 'start_event': {reason}", problem);
    }

    [Fact]
    public void Another_event_is_no_start_event()
    {
        var reading = StartEventReader.Read(JsonElement.Parse("""{"start_event":{"value":{"name":"Ada"},"type":"NameGiven"}}"""), Ask);

        Assert.Equal("Start event must be an instance of AskStart", reading.Problem);
    }

    [Fact]
    public void Undeclared_fields_are_no_error_even_where_the_schema_forbids_them()
    {
        var closed = Definitions.Read("""
            {"workflow_id":"w","version":"1","start_event":"Go","steps":{},
             "events":{"Go":{"schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}}}
            """);

        Assert.Empty(Judge(closed, """{"start_event":{"n":1,"_data":{"extra":true}}}"""));
        Assert.NotEmpty(Judge(closed, """{"start_event":{"n":"one","extra":true}}"""));
        Assert.NotEmpty(Judge(closed, """{"start_event":{"extra":true}}"""));
    }

    [Theory]
    [InlineData("""{"start_event":{}}""", "topic: field required")]
    [InlineData("{}", "topic: field required")]
    [InlineData("""{"start_event":""}""", "topic: field required")]
    [InlineData("""{"start_event":{"topic":1}}""", "topic: ")]
    [InlineData("""{"start_event":null}""", "")]
    public void The_engine_judges_the_fields_unless_the_start_event_is_null(string request, string problem) =>
        Assert.StartsWith(problem, string.Join("; ", Judge(Definitions.Read(Definitions.Ask), request)));

    [Fact]
    public void Kwargs_must_be_an_object() =>
        Assert.Equal("Validation error for 'kwargs': expected an object", StartEventReader.Read(JsonElement.Parse("""{"kwargs":[1]}"""), Greet).Problem);

    [Fact]
    public void Lone_surrogates_and_NUL_pass_through_as_text()
    {
        const string fields = """{"\ud800":"\udfff","nul\u0000":"\u0000"}""";

        Assert.Equal(new StartReading(fields, Greet.StartEvent, null), StartEventReader.Read(JsonElement.Parse($$"""{"\udc00":1,"start_event":{{fields}}}"""), Greet));
    }

    private static void Accepts(string request, string inputs)
    {
        var reading = StartEventReader.Read(JsonElement.Parse(request), Ask);
        Assert.Equal((inputs, null), (reading.InputsJson, reading.Problem));
    }

    // As the engine judges what was read.
    private static IReadOnlyList<SchemaError> Judge(WorkflowDefinition definition, string request)
    {
        var reading = StartEventReader.Read(JsonElement.Parse(request), definition.Events);
        Assert.Null(reading.Problem);
        return StartInputs.Judge(new(definition, "i") { InputsJson = reading.InputsJson, StartEvent = reading.Event }).Problems;
    }
}
