using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Runs;

/// <summary>Invariant 23: a run starts only with inputs that its definition takes.</summary>
public sealed class StartInputsTests
{
    private const string Closed = """
        {"workflow_id":"w","steps":{"a":{}},"start_event":"Go",
         "events":{"Go":{"schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}}}
        """;

    private const string Shell = """{"workflow_id":"w","steps":{"a":{"command":"make"}}}""";

    [Theory]
    [InlineData("""{"n":1}""", null)]
    [InlineData("{}", "n: field required")]
    [InlineData("""{"n":"one"}""", "n: ")]
    [InlineData("""{"n":1,"m":2}""", "m: ")]
    [InlineData("[]", "")]
    public void Inputs_are_the_fields_of_a_start_event_with_a_schema(string inputs, string? problem) => Judges(Closed, inputs, problem);

    [Fact]
    public void Clients_of_named_events_may_send_fields_that_the_schema_does_not_name()
    {
        var definition = Doc.Of(Closed);
        var start = new StartRequest(definition, "i") { StartEvent = definition.Events.StartEvent, InputsJson = """{"n":1,"m":2}""" };

        Assert.Empty(StartInputs.Judge(start).Problems);
        Assert.Single(StartInputs.Judge(start with { InputsJson = """{"m":2}""" }).Problems);
        Assert.Empty(StartInputs.Judge(start with { StartEvent = EventDefinition.Any, InputsJson = "{}" }).Problems);
    }

    [Fact] // instances contract 12
    public void Only_a_schema_that_the_definition_gives_counts() =>
        Assert.Empty(StartInputs.Judge(new(Doc.Of("""{"workflow_id":"w","events":{"StartEvent":{}},"steps":{}}"""), "i") { InputsJson = "5" }).Problems);

    [Theory]
    [InlineData(Shell)]
    [InlineData("""{"workflow_id":"w","inputs":{},"steps":{}}""")]
    public void Inputs_that_are_null_are_none(string document)
    {
        var reading = StartInputs.Judge(new(Doc.Of(document), "i") { InputsJson = "null" });
        Assert.Equal(("{}", 0), (reading.InputsJson, reading.Problems.Count));
    }

    [Theory]
    [InlineData("""{"any":[1,{"a":null}]}""")]
    [InlineData("[1]")]
    [InlineData("""{"\ud800":"\udfff\u0000"}""")]
    public void A_definition_without_a_schema_takes_anything_and_leaves_it_as_it_is(string inputs)
    {
        var reading = StartInputs.Judge(new(Doc.Steps("\"a\":{}"), "i") { InputsJson = inputs });
        Assert.Equal((inputs, 0), (reading.InputsJson, reading.Problems.Count));
    }

    [Theory]
    [InlineData("""{"any":[1,{"a":null}],"b":"\u00e9"}""", null)]
    [InlineData("[1]", "expected an object, got an array")]
    [InlineData("""{"a":"\ud800"}""", "a: is not valid Unicode text")]
    [InlineData("""{"a":"x\u0000"}""", "a: holds a NUL character")]
    [InlineData("""{"a b":1,"a-b":2}""", "a-b: becomes the variable INPUT_A_B, as 'a b' does")]
    public void Shell_commands_need_inputs_that_can_be_variables(string inputs, string? problem) => Judges(Shell, inputs, problem);

    [Fact]
    public void Declared_inputs_are_filled_in()
    {
        var definition = Doc.Of("""{"workflow_id":"w","inputs":{"n":{"type":"number","default":7}},"steps":{}}""");

        Assert.Equal("""{"n":7}""", StartInputs.Judge(new(definition, "i")).InputsJson);
        Assert.Equal("/m", Assert.Single(StartInputs.Judge(new(definition, "i") { InputsJson = """{"m":1}""" }).Problems).Path);
    }

    [Fact]
    public void A_start_with_refused_inputs_is_refused_before_anything_else()
    {
        var start = new StartRequest(Doc.Of(Closed), "i") { InputProblems = [new("/n", "field required")] };
        foreach (var mode in Enum.GetValues<StartMode>()) Assert.Equal(StartVerdict.InputsRefused, (start with { Mode = mode }).Judge(exists: true, before: null));
    }

    [Theory]
    [InlineData("""{"a":1,"b":"x"}""", """{"b":"\u0078","a":1.0}""", "")]
    [InlineData("""{"a":1,"c":[1]}""", """{"a":2,"b":1,"c":[1]}""", "a,b")]
    [InlineData("{}", "[1]", "")]
    public void Inputs_differ_by_value(string mine, string standing, string names)
    {
        var differences = new StartRequest(Doc.Of(Shell), "i") { InputsJson = mine }.DifferencesFrom(standing);
        if (standing == "[1]") Assert.Equal([""], differences);
        else Assert.Equal(names, string.Join(',', differences));
    }

    private static void Judges(string document, string inputs, string? problem)
    {
        var problems = StartInputs.Judge(new(Doc.Of(document), "i") { InputsJson = inputs }).Problems;
        if (problem is null) Assert.Empty(problems);
        else Assert.StartsWith(problem, string.Join("; ", problems));
    }
}
