using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Core.Schemas;
using Xunit;

namespace Broker.Core.Tests.Schemas;

public sealed class PatternTests
{
    [Theory]
    [InlineData("b", "abc", true)]
    [InlineData("^a$", "a\n", false)]
    [InlineData(@"^\d$", "٣", false)]
    [InlineData(@"^\D$", "٣", true)]
    [InlineData(@"^\w$", "é", false)]
    [InlineData(@"^\W$", "é", true)]
    [InlineData(@"^\W$", "😀", true)]
    [InlineData(@"^\s$", "\uFEFF", true)]
    [InlineData(@"^\s$", "\u0085", false)]
    [InlineData(@"^\S+$", "a b", false)]
    [InlineData("^.$", "😀", true)]
    [InlineData("^..$", "😀", false)]
    [InlineData("^.$", "\u2028", false)]
    [InlineData("^[^a]$", "😀", true)]
    [InlineData("^[^😀]$", "😀", false)]
    [InlineData("^[^😀]$", "😁", true)]
    [InlineData("^[😀-😂]+$", "😀😁😂", true)]
    [InlineData("^[😀-😂]+$", "😃", false)]
    [InlineData("^[a-😂]$", "\uFFFD", true)]
    [InlineData("^😀+$", "😀😀", true)]
    [InlineData(@"^\u{1F600}$", "😀", true)]
    [InlineData(@"^\ud83d\ude00$", "😀", true)]
    [InlineData(@"^\x41\u0042\cJ\t\/\-\.$", "AB\n\t/-.", true)]
    [InlineData(@"^[\b\-\]]$", "\b", true)]
    [InlineData(@"^[\w-]+$", "a-b", true)]
    [InlineData(@"^[\s\S]+$", "a\n😀", true)]
    [InlineData("^[]$", "a", false)]
    [InlineData("[]|b", "b", true)]
    [InlineData("^[^]$", "\n", true)]
    [InlineData("^[[]$", "[", true)]
    [InlineData("^[a-z&&[b]$", "&", true)]
    [InlineData("^a{2,3}?$", "aaa", true)]
    [InlineData("^a{,2}$", "a{,2}", true)]
    [InlineData("^{}]$", "{}]", true)]
    [InlineData(@"^\p{Lu}\p{Letter}\P{L}$", "Aé1", true)]
    [InlineData(@"^\p{L}$", "𠮷", true)]
    [InlineData(@"^[^\p{L}]$", "𠮷", false)]
    [InlineData(@"^\P{L}$", "😀", true)]
    [InlineData(@"^\p{gc=Nd}$", "٣", true)]
    [InlineData(@"\bfoo\b", "a foo.", true)]
    [InlineData(@"\bfoo\b", "afoo", false)]
    [InlineData(@"^o\Bo$", "oo", true)]
    [InlineData("^(?=.*[0-9])(?!x)[a-z0-9]+$", "a1", true)]
    [InlineData("^(?=.*[0-9])(?!x)[a-z0-9]+$", "x1", false)]
    [InlineData("(?<=a)b", "ab", true)]
    [InlineData("^(?<year>[0-9]{4})$", "2026", true)]
    [InlineData("^a b#c$", "a b#c", true)]
    [InlineData("^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false)]
    [InlineData("^(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))$", "2024-02-29", true)]
    public void A_pattern_means_what_it_means_in_a_browser(string pattern, string text, bool matches) =>
        Assert.Equal(matches, Compile(pattern).Validate(JsonElement.Parse(JsonValue.Create(text).ToJsonString())).Count == 0);

    [Theory]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("a)(")]
    [InlineData("[a")]
    [InlineData("[b-a]")]
    [InlineData(@"[\d-z]")]
    [InlineData("a**")]
    [InlineData("*a")]
    [InlineData("a{3,1}")]
    [InlineData(@"\")]
    [InlineData(@"(a)\1")]
    [InlineData(@"(?<n>a)\k<n>")]
    [InlineData("(?i)a")]
    [InlineData("(?P<n>a)")]
    [InlineData("(?>a)")]
    [InlineData(@"\Aa\z")]
    [InlineData(@"\01")]
    [InlineData(@"\u12")]
    [InlineData(@"\u{110000}")]
    [InlineData(@"\ud800")]
    [InlineData(@"\p{Script=Greek}")]
    [InlineData(@"\p{Nonsense}")]
    [InlineData("a{99999999999}")]
    public void A_pattern_that_could_mean_something_else_is_refused(string pattern)
    {
        var schema = new JsonObject { ["pattern"] = pattern }.ToJsonString();

        Assert.False(JsonSchema.TryCompile(JsonElement.Parse(schema), out _, out var problems));
        Assert.StartsWith("#/pattern: ", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_that_runs_away_ends_the_whole_check()
    {
        var texts = string.Join(',', Enumerable.Repeat($"\"{new string('a', 60)}b\"", 100));
        Assert.True(JsonSchema.TryCompile(JsonElement.Parse("""{"items":{"pattern":"^(?!b)(a|aa)+$"}}"""), out var schema, out _));

        var error = Assert.Single(schema.Validate(JsonElement.Parse($"[{texts}]")));

        Assert.Equal("0: the pattern takes too long on this text", error.ToString());
    }

    [Fact]
    public void Patterns_that_would_take_long_to_prepare_are_refused()
    {
        var schema = new JsonObject { ["pattern"] = string.Concat(Enumerable.Repeat(@"\p{L}", 10_000)) }.ToJsonString();

        Assert.False(JsonSchema.TryCompile(JsonElement.Parse(schema), out _, out var problems));
        Assert.EndsWith("too long together, sets written out", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_too_long_for_the_linear_engine_is_still_judged()
    {
        var schema = Compile($"^{string.Concat(Enumerable.Repeat(".", 500))}$");

        Assert.Empty(schema.Validate(JsonElement.Parse($"\"{new string('a', 500)}\"")));
        Assert.Single(schema.Validate(JsonElement.Parse($"\"{new string('a', 501)}\"")));
    }

    [Fact]
    public void A_repetition_too_big_for_the_linear_engine_still_compiles() =>
        Assert.Empty(Compile(@"^(?:[\p{L}0-9]{1,500}-){0,300}$").Validate(JsonElement.Parse("\"ab-cd-\"")));

    private static JsonSchema Compile(string pattern)
    {
        var json = new JsonObject { ["pattern"] = pattern }.ToJsonString();
        Assert.True(JsonSchema.TryCompile(JsonElement.Parse(json), out var schema, out var problems), string.Join("; ", problems));
        return schema;
    }
}
