using Broker.Core.Conditions;
using Xunit;

namespace Broker.Core.Tests.Conditions;

public sealed class ExpressionTests
{
    private static readonly AScope Scope = new()
    {
        Inputs = new()
        {
            ["dry"] = "true",
            ["wet"] = "false",
            ["count"] = "3.0",
            ["none"] = "0",
            ["version"] = "3.10",
            ["target"] = "\"prod\"",
            ["empty"] = "\"\"",
            ["tags"] = """["a", 2, true]""",
            ["map"] = "{}",
            ["nothing"] = "null",
        },
        Results = new() { ["build"] = "success", ["a-b"] = "failure" },
        Outputs = new() { ["build.version"] = "7.1", ["a b.c d"] = "it's", ["steps.scan.hits"] = "2" },
        Variables = new() { ["CI"] = "true", ["ZERO"] = "0" },
        Outcomes = new() { ["scan"] = "skipped" },
    };

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    [InlineData("null", false)]
    [InlineData("0", false)]
    [InlineData("-0.0e5", false)]
    [InlineData("1e-400", true)]
    [InlineData("''", false)]
    [InlineData("'0'", true)]
    [InlineData("'false'", true)]
    [InlineData("inputs.dry", true)]
    [InlineData("inputs.wet", false)]
    [InlineData("!inputs.wet", true)]
    [InlineData("inputs.none", false)]
    [InlineData("inputs.count", true)]
    [InlineData("inputs.missing", false)]
    [InlineData("inputs.nothing", false)]
    [InlineData("inputs.empty", false)]
    [InlineData("inputs.tags", true)]
    [InlineData("inputs.map", true)]
    [InlineData("inputs.count == 3", true)]
    [InlineData("inputs.count == '3'", false)]
    [InlineData("inputs.version == '3.10'", true)]
    [InlineData("inputs.version == 3.1", true)]
    [InlineData("1e2 == 100", true)]
    [InlineData("inputs.dry == true", true)]
    [InlineData("inputs.dry == 'true'", true)]
    [InlineData("inputs.target == 'prod'", true)]
    [InlineData("inputs.target == 'Prod'", false)]
    [InlineData("inputs.target != 'test' && inputs.dry", true)]
    [InlineData("inputs['target'] == 'prod'", true)]
    [InlineData("inputs.missing == ''", true)]
    [InlineData("inputs.missing == null", true)]
    [InlineData("needs.build.result == 'success'", true)]
    [InlineData("needs['a-b'].result == 'failure'", true)]
    [InlineData("needs.a-b.result == 'failure'", true)]
    [InlineData("needs.build.outputs.version == '7.1'", true)]
    [InlineData("needs[ 'a b' ].outputs['c d'] == 'it''s'", true)]
    [InlineData("env.CI == true", true)]
    [InlineData("env.ZERO", true)]
    [InlineData("env.ZERO == 0", true)]
    [InlineData("steps.scan.outcome == 'skipped'", true)]
    [InlineData("steps.scan.outputs.hits == 2", true)]
    [InlineData("matrix.os", false)]
    [InlineData("contains('abc', 'bc')", true)]
    [InlineData("contains('abc', 'BC')", false)]
    [InlineData("contains(inputs.tags, 'a')", true)]
    [InlineData("contains(inputs.tags, 2.0)", true)]
    [InlineData("contains(inputs.tags, 'true')", true)]
    [InlineData("contains(inputs.tags, 'tru')", false)]
    [InlineData("startsWith(inputs.target, 'pr')", true)]
    [InlineData("startsWith(inputs.missing, 'pr')", false)]
    [InlineData("endsWith('a.md', '.md')", true)]
    [InlineData("contains(inputs.target, 'x') == false", true)]
    [InlineData("false && false || true", true)]
    [InlineData("false && (false || true)", false)]
    [InlineData("true || false && false", true)]
    [InlineData("!false == true", true)]
    [InlineData("!(true && true)", false)]
    [InlineData(" ${{ inputs.dry }} ", true)]
    [InlineData("${{inputs.target == '}}'}}", false)]
    [InlineData("inputs.dry\n&& inputs.count == 3\n", true)]
    [InlineData("success()", true)]
    [InlineData("failure()", false)]
    [InlineData("cancelled()", false)]
    [InlineData("always ( )", true)]
    public void A_condition_is_decided(string text, bool expected) => Assert.Equal(expected, Read(text).IsTrue(Scope));

    [Theory]
    [InlineData("true", false, false)]
    [InlineData("false || failure()", true, false)]
    [InlineData("always()", true, true)]
    [InlineData("!cancelled()", true, false)]
    [InlineData("failure() && inputs.notify", true, false)]
    [InlineData("contains('always()', 'always')", false, false)]
    public void A_text_without_a_status_function_asks_for_success(string text, bool afterFailure, bool afterCancel)
    {
        Assert.Equal(afterFailure, Read(text).IsTrue(new AScope { HasFailed = true, Inputs = new() { ["notify"] = "true" } }));
        Assert.Equal(afterCancel, Read(text).IsTrue(new AScope { IsCancelled = true }));
    }

    [Theory]
    [InlineData("", 1, "a value is missing")]
    [InlineData("${{ }}", 5, "a value is missing")]
    [InlineData("true true", 6, "'t' does not belong here")]
    [InlineData("inputs.a = 'b'", 10, "'=' is no operator here")]
    [InlineData("inputs.a & inputs.b", 10, "'&' is no operator here")]
    [InlineData("1 < 2", 3, "'<' is no operator here")]
    [InlineData("a == b == c", 1, "there is no 'a'")]
    [InlineData("1 == 2 == 3", 8, "comparisons do not chain")]
    [InlineData("(true", 6, "')' is missing")]
    [InlineData("true)", 5, "')' does not belong here")]
    [InlineData("'abc", 1, "no closing quote")]
    [InlineData("\"abc\"", 1, "single quotes")]
    [InlineData("01", 1, "not a number")]
    [InlineData("1.", 1, "not a number")]
    [InlineData("1.2.3", 1, "not a number")]
    [InlineData("-", 1, "not a number")]
    [InlineData("3x", 1, "not a number")]
    [InlineData("inputs", 1, "write inputs.NAME")]
    [InlineData("inputs.a.b", 1, "write inputs.NAME")]
    [InlineData("inputs.", 8, "a name is missing")]
    [InlineData("inputs[0]", 8, "write a name in single quotes")]
    [InlineData("inputs['a'", 11, "']' is missing")]
    [InlineData("needs.build", 1, "needs.build.result or needs.build.outputs.NAME")]
    [InlineData("steps.a.conclusion", 1, "steps.a.outcome")]
    [InlineData("github.ref == 'x'", 1, "there is no 'github'")]
    [InlineData("true && main", 9, "text stands in single quotes")]
    [InlineData("success(1)", 1, "success() takes no arguments")]
    [InlineData("contains('a')", 1, "takes 2 arguments, not 1")]
    [InlineData("contains('a',)", 14, "')' does not belong here")]
    [InlineData("fromJSON('[]')", 1, "there is no function 'fromJSON'")]
    [InlineData("(inputs.a || 'x') == 'x'", 1, "&& and || give no value")]
    [InlineData("'x' == (inputs.a && 'x')", 8, "&& and || give no value")]
    [InlineData("contains(inputs.a || 'x', 'x')", 10, "&& and || give no value")]
    [InlineData("${{ true }} && ${{ true }}", 10, "'}' does not belong here")]
    [InlineData("true && é", 9, "U+00E9")]
    [InlineData("a\0", 1, "there is no 'a'")]
    [InlineData("true\0", 5, "U+0000")]
    public void A_fault_is_named_with_its_column(string text, int column, string message)
    {
        var (expression, problem, at) = Expression.Parse(text);

        Assert.Null(expression);
        Assert.Contains(message, problem, StringComparison.Ordinal);
        Assert.Equal(column, at);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("!", "")]
    [InlineData("contains(", ", 'a')")]
    public void Nesting_has_a_bound(string open, string close)
    {
        string Nested(int levels) => $"{Repeat(open, levels)}true{Repeat(close, levels)}";

        Assert.NotNull(Expression.Parse(Nested(ExpressionParser.MaxDepth)).Expression);
        Assert.Contains("nested deeper", Expression.Parse(Nested(ExpressionParser.MaxDepth + 1)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Length_has_a_bound_and_a_long_chain_needs_no_stack()
    {
        var chain = $"true{Repeat("&&true", (ExpressionParser.MaxLength - 4) / 6)}";

        Assert.True(Read(chain).IsTrue(Scope));
        Assert.Contains("longer than", Expression.Parse($"{chain}&&true").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_value_that_it_reads_is_known_once_and_in_order()
    {
        var read = Read("needs.a.outputs.x == inputs.y || !contains(needs.b.result, needs.a.outputs.x) || always() && env.Z == steps.s.outcome");

        Assert.Equal(["needs.a.outputs.x", "inputs.y", "needs.b.result", "env.Z", "steps.s.outcome"], read.Lookups.Select(lookup => lookup.ToString()));
        Assert.Equal(["a", "b"], read.Needs);
        Assert.True(read.HasStatusFunction);
    }

    [Fact]
    public void Lookups_can_be_replaced()
    {
        var bound = Read("matrix.os == 'linux' && !contains(matrix['py'], env.X)").Replace(lookup =>
            lookup.Kind is LookupKind.Matrix ? new Term.Constant(ConditionValue.Of(lookup.Name == "os" ? "linux" : "it's")) : null);

        Assert.Equal("'linux' == 'linux' && !contains('it''s', env.X)", bound.ToString());
    }

    private static Expression Read(string text)
    {
        var (expression, problem, column) = Expression.Parse(text);
        Assert.True(expression is not null, $"column {column}: {problem}");
        return expression;
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
