using Broker.Operators.Where;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Where;

/// <summary>The language of <c>where</c>: forms, faults with their columns, properties.</summary>
public sealed class WhereExpressionTests
{
    private static readonly string[] Pieces =
    [
        "workflow", "status", "instance", "tag", ".", "branch", "=", "!=", "~", "<", ">", "\"", "\\", ",", " ", "\t", "*", "ci", "failed", "active", "since", "1h30m", "duration", "2030-01-31",
        "error", "run", "42", "-1", "é", "\ud83d", "\0", "created", "worker", "step", "x=y",
    ];

    [Theory]
    [InlineData("", "")]
    [InlineData("  workflow=ci  ", "workflow=ci")]
    [InlineData("WORKFLOW=ci Status=Failed,cancelled", "workflow=ci status=Failed,cancelled")]
    [InlineData("tag.branch=main tag.\"my key\"=\"a b\"", "tag.branch=main tag.\"my key\"=\"a b\"")]
    [InlineData("instance=abc* instance!=\"abc*\"", "instance=abc* instance!=\"abc*\"")]
    [InlineData("error~timeout error!=TimeoutError", "error~timeout error!=TimeoutError")]
    [InlineData("error~\"say \\\"no\\\" \\\\ maybe\"", "error~\"say \\\"no\\\" \\\\ maybe\"")]
    [InlineData("since=1h until=2030-01-31 created>2030-01-31T12:00:00Z created<2030-01-31T12:00:00+01:00 ended>1d", "since=1h until=2030-01-31 created>2030-01-31T12:00:00Z created<2030-01-31T12:00:00+01:00 ended>1d")]
    [InlineData("duration>5m duration<1h30m run>2 run=1,2 version=7 step=test worker=w-3", "duration>5m duration<1h30m run>2 run=1,2 version=7 step=test worker=w-3")]
    [InlineData("workflow=a=b", "workflow=a=b")]
    public void An_expression_is_read_and_printed(string text, string printed)
    {
        Assert.True(WhereExpression.TryParse(text, out var expression, out var error), error?.ToString());
        Assert.Equal(printed, expression.ToString());
    }

    [Theory]
    [InlineData("state=failed", 1, "expected a field")]
    [InlineData("workflow=ci status=done", 20, "expected one of queued")]
    [InlineData("status=failed,", 15, "expected one of queued")]
    [InlineData("workflow", 9, "expected = or != after workflow")]
    [InlineData("workflow~ci", 9, "expected = or != after workflow")]
    [InlineData("workflow=", 10, "expected a value")]
    [InlineData("tag=main", 4, "expected a point")]
    [InlineData("tag.=main", 5, "expected the name of a tag")]
    [InlineData("tag.\"=main", 5, "expected a closing quote")]
    [InlineData("error~\"x", 7, "expected a closing quote")]
    [InlineData("error~\"x\\n\"", 10, "expected a quote or a backslash")]
    [InlineData("error~a\"b\"", 8, "expected no quote within a value")]
    [InlineData("error~\"a\"b", 10, "expected a space")]
    [InlineData("error~a,b", 8, "expected one value")]
    [InlineData("since=1x", 7, "expected an instant")]
    [InlineData("since=1h,2h", 9, "expected one value")]
    [InlineData("duration>5", 10, "expected a length of time")]
    [InlineData("duration>=5m", 10, "expected a length of time")]
    [InlineData("run>x", 5, "expected a whole number")]
    [InlineData("run=-1", 5, "expected a whole number")]
    public void A_fault_has_its_column_and_the_expectation(string text, int column, string message)
    {
        Assert.False(WhereExpression.TryParse(text, out var expression, out var error));
        Assert.Same(WhereExpression.All, expression);
        Assert.Equal(column, error!.Column);
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Length_and_numbers_of_an_expression_are_bounded()
    {
        Assert.True(WhereExpression.TryParse(string.Join(' ', Enumerable.Repeat("run>1", WhereExpression.MostTerms)), out _, out _));
        Assert.False(WhereExpression.TryParse(string.Join(' ', Enumerable.Repeat("run>1", WhereExpression.MostTerms + 1)), out _, out _));
        Assert.True(WhereExpression.TryParse($"workflow={string.Join(',', Enumerable.Repeat("a", WhereExpression.MostValues))}", out _, out _));
        Assert.False(WhereExpression.TryParse($"workflow={string.Join(',', Enumerable.Repeat("a", WhereExpression.MostValues + 1))}", out _, out _));
        Assert.False(WhereExpression.TryParse(new string(' ', WhereExpression.LongestText + 1), out _, out _));
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("1h30m", 5400)]
    [InlineData("2d", 172_800)]
    [InlineData("1w", 604_800)]
    [InlineData("0ms", 0)]
    [InlineData("", null)]
    [InlineData("h", null)]
    [InlineData("1", null)]
    [InlineData("1y", null)]
    [InlineData("1.5h", null)]
    [InlineData("99999999999w", null)]
    [InlineData("9999999999999s", null)]
    public void A_length_of_time_has_numbers_with_units(string text, int? seconds)
    {
        Assert.Equal(seconds is not null, WhereValues.TryDuration(text, out var duration));
        Assert.Equal(seconds ?? 0, duration.TotalSeconds);
    }

    [Fact]
    public void An_instant_is_utc_unless_it_has_an_offset_and_a_time_ago_counts_back()
    {
        var now = new DateTimeOffset(2030, 1, 31, 12, 0, 0, TimeSpan.Zero);
        foreach (var (text, expected) in new[]
        {
            ("2030-01-31", "2030-01-31T00:00:00Z"), ("2030-01-31T10:00", "2030-01-31T10:00:00Z"), ("2030-01-31T10:00:00+01:00", "2030-01-31T09:00:00Z"),
            ("2030-01-31T10:00:00.25Z", "2030-01-31T10:00:00.25Z"), ("1h", "2030-01-31T11:00:00Z"),
        })
        {
            Assert.True(WhereValues.TryInstant(text, now, out var instant), text);
            Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), instant);
        }

        Assert.True(WhereValues.TryInstant("1h", DateTimeOffset.MinValue, out var earliest));
        Assert.Equal(DateTimeOffset.MinValue, earliest);
        Assert.False(WhereValues.TryInstant("yesterday", now, out _));
    }

    [Fact]
    public void Any_text_gives_an_expression_or_a_fault_within_the_text() =>
        Prop.ForAll(
            Texts().ToArbitrary(),
            text => WhereExpression.TryParse(text, out _, out var error) ? error is null : error is { Message.Length: > 0 } && error.Column >= 1 && error.Column <= text.Length + 1)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void A_printed_expression_is_read_again_as_the_same() =>
        Prop.ForAll(
            Expressions().ToArbitrary(),
            text => WhereExpression.TryParse(text, out var first, out var fault) && WhereExpression.TryParse(first.ToString(), out var second, out _) && fault is null && Same(first, second))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static bool Same(WhereExpression left, WhereExpression right) =>
        left.Terms.Count == right.Terms.Count
        && left.Terms.Zip(right.Terms).All(pair => (pair.First.Field, pair.First.Key, pair.First.Operator) == (pair.Second.Field, pair.Second.Key, pair.Second.Operator)
            && pair.First.Values.Select(value => (value.Text, value.Prefix)).SequenceEqual(pair.Second.Values.Select(value => (value.Text, value.Prefix))));

    private static Gen<string> Texts() => Gen.OneOf(
        from count in Gen.Choose(0, 12)
        from pieces in Gen.Elements(Pieces).ArrayOf(count)
        select string.Concat(pieces),
        from text in ArbMap.Default.GeneratorFor<string>()
        select text ?? "");

    // Values of any characters, in quotes where they need them.
    private static Gen<string> Expressions() =>
        from count in Gen.Choose(0, 6)
        from terms in (
            from field in Gen.Elements("workflow", "instance", "version", "error", "tag.k", "tag.\"a b\"", "step")
            from value in ArbMap.Default.GeneratorFor<NonEmptyString>()
            from more in Gen.Elements("", ",plain", ",\"quoted, too\"", ",x*")
            select $"{field}={new WhereValue(value.Get, IsQuoted: true)}{more}").ArrayOf(count)
        select string.Join("  ", terms);
}
