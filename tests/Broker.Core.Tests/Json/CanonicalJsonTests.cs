using System.Globalization;
using System.Text;
using System.Text.Json;
using Broker.Core.Json;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Json;

public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData("1", "1.0")]
    [InlineData("1", "10e-1")]
    [InlineData("100", "1E+2")]
    [InlineData("0", "-0")]
    [InlineData("0", "-0.00e-99999999999999999999")]
    [InlineData("1e999999999999999999999", "10e999999999999999999998")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890.000")]
    [InlineData("""{"a":1,"b":[2]}""", """{ "b" : [ 2.0 ], "\u0061" : 1 }""")]
    [InlineData("\"é/😀\"", "\"\\u00e9\\/\\ud83d\\uDE00\"")]
    [InlineData("\"\\ud800\"", "\"\\uD800\"")]
    [InlineData("{\"\\ud800\":1,\"a\":2}", "{\"a\":2,\"\\uD800\":1}")]
    public void Equal_values_have_equal_text(string one, string other) => Assert.Equal(Of(one), Of(other));

    [Theory]
    [InlineData("1", "-1")]
    [InlineData("1", "\"1\"")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567891")]
    [InlineData("1e999999999", "1e999999998")]
    [InlineData("0", "false")]
    [InlineData("null", "\"null\"")]
    [InlineData("[1,2]", "[2,1]")]
    [InlineData("[]", "{}")]
    [InlineData("[[]]", "[]")]
    [InlineData("\"\\ud800\"", "\"\\\\ud800\"")]
    [InlineData("\"\\ud800\"", "\"\\ud801\"")]
    [InlineData("\"\\udc00\\ud800\"", "\"\\ud800\\udc00\"")]
    [InlineData("{\"a\":\"b,c\"}", "{\"a\":\"b\",\"c\":null}")]
    [InlineData("{\"a\":1}", "{\"a\":1,\"a\":1}")]
    public void Different_values_have_different_text(string one, string other) => Assert.NotEqual(Of(one), Of(other));

    [Theory]
    [InlineData("""{"b":[1.50,-0,true,null],"a":"x\ty"}""", """{"a":"x\u0009y","b":[15e-1,0,true,null]}""")]
    [InlineData("[]", "[]")]
    [InlineData("{}", "{}")]
    public void The_text_is_itself_JSON(string json, string expected) => Assert.Equal(expected, Of(json));

    [Theory]
    [InlineData("""{"a":1,"b":2}""", null)]
    [InlineData("""[{"a":1},{"a":2}]""", null)]
    [InlineData("""{"a":1,"\u0061":2}""", "/a")]
    [InlineData("""{"x":[0,{"a/b":1,"c~d":{"k":1,"k":2}}]}""", "/x/1/c~0d/k")]
    [InlineData("""{"a/b":1,"a/b":1}""", "/a~1b")]
    [InlineData("""{"a\ud83d\ude00":1,"a😀":1}""", "/a😀")]
    public void Repeated_names_are_found_with_their_place(string json, string? path)
    {
        Assert.Equal(path is not null, CanonicalJson.HasDuplicateKeys(JsonElement.Parse(json), out var found));
        Assert.Equal(path ?? "", found);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_do_not_throw()
    {
        var value = JsonElement.Parse([(byte)'"', 0xC0, 0xFF, (byte)'"']);

        Assert.Equal("\"\uFFFD\uFFFD\"", CanonicalJson.Of(value));
    }

    [Fact]
    public void Nesting_too_deep_for_the_stack_is_an_exception_and_not_the_end_of_the_process()
    {
        const int depth = 5_000;
        using var document = JsonDocument.Parse(new string('[', depth) + new string(']', depth), new JsonDocumentOptions { MaxDepth = depth });
        var deep = document.RootElement;
        Exception?[] thrown = [null, null];
        // A stack of its own size: how deep the runner's would reach differs from machine to machine.
        var small = new Thread(
            () => thrown = [Record.Exception(() => CanonicalJson.Of(deep)), Record.Exception(() => CanonicalJson.HasDuplicateKeys(deep, out _))],
            maxStackSize: 256 * 1024);
        small.Start();
        small.Join();

        Assert.All(thrown, exception => Assert.IsType<InsufficientExecutionStackException>(exception));
    }

    [Fact]
    public void Any_spelling_of_a_value_gives_the_same_text() =>
        Prop.ForAll(Values().ToArbitrary(), Seeds(), (value, seed) => Of(value.Spell(null)) == Of(value.Spell(new Random(seed)))).QuickCheckThrowOnFailure();

    [Fact]
    public void Two_values_have_the_same_text_only_if_they_are_equal() =>
        Prop.ForAll(Values().ToArbitrary(), Values().ToArbitrary(), (one, other) => one.Equal(other) == (Of(one.Spell(null)) == Of(other.Spell(null))))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void The_text_of_the_text_is_the_text() =>
        Prop.ForAll(Values().ToArbitrary(), value => Of(Of(value.Spell(null))) == Of(value.Spell(null))).QuickCheckThrowOnFailure();

    [Fact]
    public void Numbers_compare_as_decimals_do() =>
        Prop.ForAll(Decimals(), Decimals(), (a, b) => Math.Sign(Number(a).CompareTo(Number(b))) == a.CompareTo(b)).QuickCheckThrowOnFailure();

    [Fact]
    public void Multiples_are_found_as_decimals_find_them() =>
        Prop.ForAll(Decimals(), Decimals(), (a, b) => b <= 0 || Number(a).IsMultipleOf(Number(b)) == (a % b == 0)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_huge_exponent_costs_nothing()
    {
        var (huge, tiny) = (JsonNumber.Parse("1e999999999"u8), JsonNumber.Parse("3e-999999999"u8));

        Assert.True(huge.CompareTo(tiny) > 0);
        Assert.True(huge.IsInteger);
        Assert.False(tiny.IsInteger);
        Assert.False(huge.IsMultipleOf(tiny));
        Assert.True(huge.IsMultipleOf(JsonNumber.Parse("1024e-9999"u8)));
        Assert.Equal("1e999999999", huge.ToString());
    }

    [Fact]
    public void Multiples_of_long_numbers_are_exact()
    {
        var seven = JsonNumber.Parse("7"u8);
        // 142857 * 7 = 999999, so a row of nines of a length divisible by six is a multiple.
        Assert.True(JsonNumber.Parse(Encoding.ASCII.GetBytes(new string('9', 6 * 50_000))).IsMultipleOf(seven));
        Assert.False(JsonNumber.Parse(Encoding.ASCII.GetBytes(new string('9', (6 * 50_000) + 1))).IsMultipleOf(seven));
    }

    private static string Of(string json) => CanonicalJson.Of(JsonElement.Parse(json));

    private static JsonNumber Number(decimal value) => JsonNumber.Parse(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    private static Arbitrary<int> Seeds() => Gen.Choose(0, int.MaxValue).ToArbitrary();

    private static Arbitrary<decimal> Decimals() =>
        (from units in Gen.Choose(-5000, 5000) from scale in Gen.Choose(0, 4) select new decimal(Math.Abs(units), 0, 0, units < 0, (byte)scale)).ToArbitrary();

    private static Gen<Value> Values() => Gen.Sized(size => Values(Math.Min(size, 12)));

    private static Gen<Value> Values(int size)
    {
        // Few different leaves, so that equal values turn up often.
        var leaf = Gen.OneOf(
            Gen.Elements<Value>(new Value.Literal("null"), new Value.Literal("true"), new Value.Literal("false")),
            from digits in Gen.Choose(-30, 30) from power in Gen.Choose(-2, 2) select (Value)new Value.Number(digits, power),
            from text in Texts() select (Value)new Value.Text(text));
        if (size == 0) return leaf;
        var smaller = Values(size / 3);
        return Gen.OneOf(
            leaf,
            from items in smaller.ListOf(2) select (Value)new Value.List([.. items]),
            from names in Texts().ListOf(3)
            from values in smaller.ListOf(3)
            select (Value)new Value.Map(names.Zip(values).DistinctBy(member => member.First).ToDictionary(member => member.First, member => member.Second)));
    }

    private static Gen<string> Texts() =>
        from units in Gen.Elements('a', '"', '\\', 'é', '\ud83d', '\ude00', '\n', '/').ListOf(2) select string.Concat(units);
}
