using System.Text.Json;
using Broker.Core.Definitions;
using Xunit;

namespace Broker.Core.Tests.Definitions;

/// <summary>Declared inputs: how they are read, and what a start may give.</summary>
public sealed class InputCatalogTests
{
    private const string Declared = """
        "tag":{"required":true,"description":"what to ship"},"count":{"type":"number","default":1.0},"dry-run":{"type":"boolean"},
        "stage":{"type":"choice","options":["test","live"],"default":"test"},"note":{"type":"string"},"size":{"type":"number"},"zone":{"type":"choice","options":["a"]}
        """;

    [Fact]
    public void A_definition_without_inputs_declares_none() => Assert.Null(Doc.Steps("\"a\":{}").Inputs);

    [Fact]
    public void Each_input_is_read_with_its_defaults()
    {
        var inputs = Of(Declared);

        Assert.Equal(["tag", "count", "dry-run", "stage", "note", "size", "zone"], inputs.All.Select(input => input.Name));
        var stage = inputs.Find("stage")!;
        Assert.Equal((InputType.Choice, false, "\"test\"", true), (stage.Type, stage.Required, stage.DefaultJson, stage.HasDefault));
        Assert.Equal(["test", "live"], stage.Options);
        Assert.Equal((InputType.Text, true, "what to ship"), (inputs.Find("tag")!.Type, inputs.Find("tag")!.Required, inputs.Find("tag")!.Description));
        Assert.Equal("INPUT_DRY_RUN", inputs.Find("dry-run")!.Variable);
    }

    [Theory]
    [InlineData("""{"tag":"v1"}""", """{"tag":"v1","count":1.0,"dry-run":false,"stage":"test","note":"","size":0,"zone":""}""")]
    [InlineData("""{"size":1e2,"tag":"\u00e9","stage":"live","dry-run":true,"count":null}""", """{"tag":"\u00e9","count":1.0,"dry-run":true,"stage":"live","note":"","size":1e2,"zone":""}""")]
    public void Missing_inputs_get_their_defaults_and_given_ones_stay_as_written(string given, string completed)
    {
        var reading = Of(Declared).Complete(JsonElement.Parse(given));

        Assert.Empty(reading.Problems);
        Assert.Equal(completed, reading.InputsJson);
    }

    [Theory]
    [InlineData("""{}""", "/tag", "is required")]
    [InlineData("""{"tag":null}""", "/tag", "is required")]
    [InlineData("""{"tag":5}""", "/tag", "expected a string, got a number")]
    [InlineData("""{"tag":"a\u0000"}""", "/tag", "holds a NUL character or half of a surrogate pair")]
    [InlineData("""{"tag":"a","tag":"b"}""", "/tag", "is there twice")]
    [InlineData("""{"tag":"a","count":"1"}""", "/count", "expected a number, got a string")]
    [InlineData("""{"tag":"a","dry-run":"true"}""", "/dry-run", "expected true or false, got a string")]
    [InlineData("""{"tag":"a","stage":"prod"}""", "/stage", "is 'prod', expected one of test, live")]
    [InlineData("""{"tag":"a","a/b":1}""", "/a~1b", "is not declared; the workflow has tag, count, dry-run, stage, note, size, zone")]
    [InlineData("[]", "", "expected an object, got an array")]
    public void A_wrong_input_is_named_with_its_place(string given, string path, string message)
    {
        var problem = Assert.Single(Of(Declared).Complete(JsonElement.Parse(given)).Problems);
        Assert.Equal((path, message), (problem.Path, problem.Message));
    }

    [Fact]
    public void All_problems_are_named() => Assert.Equal(
        ["/count", "/dry-run", "/tag"], Of(Declared).Complete(JsonElement.Parse("""{"count":"1","dry-run":0}""")).Problems.Select(problem => problem.Path));

    [Fact]
    public void Inputs_that_no_shell_could_take_are_refused() =>
        Assert.Equal("has more than 65536 bytes", Assert.Single(Of(Declared).Complete(JsonElement.Parse($$"""{"tag":"{{new string('x', 65536)}}"} """)).Problems).Message);

    [Theory]
    [InlineData("[]", "inputs", "expected an object, got an array")]
    [InlineData("""{"a":5}""", "inputs.a", "expected an object, got a number")]
    [InlineData("""{"1a":{}}""", "inputs.1a", "expected a name of 1 to 100 letters, digits, '_' and '-', no digit or '-' first")]
    [InlineData("""{"a":{"type":"int"}}""", "inputs.a.type", "is 'int', expected string, number, boolean or choice")]
    [InlineData("""{"a":{"tpye":"string"}}""", "inputs.a.tpye", "is not known; an input has type, required, default, options, description")]
    [InlineData("""{"a":{"required":"yes"}}""", "inputs.a.required", "expected true or false, got a string")]
    [InlineData("""{"a":{"type":"number","default":"1"}}""", "inputs.a.default", "expected a number, got a string")]
    [InlineData("""{"a":{"options":["x"]}}""", "inputs.a.options", "only a choice has options")]
    [InlineData("""{"a":{"type":"choice"}}""", "inputs.a.options", "is required: the values of the choice")]
    [InlineData("""{"a":{"type":"choice","options":["x"],"default":"y"}}""", "inputs.a.default", "is 'y', expected one of x")]
    [InlineData("""{"a-b":{},"A_B":{}}""", "inputs.A_B", "becomes the variable INPUT_A_B, as 'a-b' does")]
    public void A_faulty_declaration_is_named_with_its_place(string inputs, string path, string message)
    {
        var document = $$"""{"workflow_id":"w","inputs":{{inputs}},"steps":{ } }""";

        Assert.Contains(new(path, message), Doc.Read(document).Problems);
        Assert.Null(DefinitionReader.Read(JsonElement.Parse(document), isStored: true).Definition!.Inputs);
    }

    [Theory]
    [InlineData("\"a'b\\n\"", "a'b\n")]
    [InlineData("1.0", "1.0")]
    [InlineData("true", "true")]
    [InlineData("null", "")]
    [InlineData("""{"a":[1, 2]}""", """{"a":[1, 2]}""")]
    public void A_value_becomes_the_text_of_its_variable(string json, string text) => Assert.Equal(text, InputVariables.ValueOf(JsonElement.Parse(json)));

    private static InputCatalog Of(string inputs) => Doc.Of($$"""{"workflow_id":"w","inputs":{ {{inputs}} },"steps":{ } }""").Inputs!;
}
