using System.Text.Json;
using Broker.Ui.Parts;
using Xunit;

namespace Broker.Tests.Console;

/// <summary>Parts of pages that turn stored text into what is shown.</summary>
public sealed class ConsolePartTests
{
    [Theory]
    [InlineData("""{"a":1,"b":[1.50,-2e400,{"c":null}],"d":"x\"y","e":{},"f":[]}""")]
    [InlineData("[]")]
    [InlineData("\"text with { and , and \\\\\"")]
    [InlineData("12345678901234567890123456789")]
    [InlineData(""" { "spaced" : [ true , false ] } """)]
    public void Json_in_lines_is_the_same_json_to_the_digit(string json)
    {
        var shown = string.Concat(JsonTokens.Of(json).Select(token => token.Text));
        Assert.Equal(Compact(json), Compact(shown));
    }

    [Fact]
    public void Each_token_has_its_kind() => Assert.Equal(
        ["name a", "string b", "name n", "number 1", "name t", "word true"],
        JsonTokens.Of("""{"a":"b","n":1,"t":true}""").Where(token => token.Kind != "text").Select(token => $"{token.Kind} {token.Text.Trim('"')}"));

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("\u001b[32mok\u001b[0m done", "[ansi-32:ok] done")]
    [InlineData("\u001b[1;31mbad\u001b[22m still", "[ansi-31 bold:bad][ansi-31: still]")]
    [InlineData("10 %\r100 %", "100 %")]
    [InlineData("\u001b]0;title\u0007\u001b[2Kkept\u001b", "0;titlekept")]
    public void Colours_of_a_terminal_become_classes_and_other_sequences_go(string line, string expected) =>
        Assert.Equal(expected, string.Concat(AnsiText.Of(line).Select(part => part.Class is null ? part.Text : $"[{part.Class}:{part.Text}]")));

    [Theory]
    [InlineData(850, "850 ms")]
    [InlineData(12_100, "12.1 s")]
    [InlineData(72_000, "1 m 12 s")]
    [InlineData(11_040_000, "3 h 04 m")]
    [InlineData(190_800_000, "2 d 5 h")]
    public void A_duration_has_two_units_at_most(long milliseconds, string expected) => Assert.Equal(expected, Words.Duration(milliseconds));

    [Fact]
    public void A_schema_becomes_fields_in_its_order()
    {
        var fields = SchemaField.Of(new("""{"type":"object","required":["n"],"properties":{"n":{"type":"integer"},"s":{"enum":["a","b"],"default":"b"},"o":{"type":"object"},"b":{"type":"boolean","description":"yes or no"}}}"""))!;
        Assert.Equal(["n integer True", "s string False", "o json False", "b boolean False"], fields.Select(field => $"{field.Name} {field.Kind} {field.Required}"));
        Assert.Equal(("b", "a,b", "yes or no"), (fields[1].Default, string.Join(',', fields[1].Choices), fields[3].Description));
        Assert.Null(SchemaField.Of(new("{}")));
        Assert.Null(SchemaField.Of(new("true")));
    }

    private static string Compact(string json)
    {
        using var document = JsonDocument.Parse(json);
        return string.Concat(document.RootElement.GetRawText().Where(c => !char.IsWhiteSpace(c)));
    }
}
