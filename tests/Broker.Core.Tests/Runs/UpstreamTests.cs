using Broker.Core.Runs;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Runs;

/// <summary>Which results a step is given: broker contract 4.4.</summary>
public sealed class UpstreamTests
{
    // e joins a (plain) with any of c, b and any of c, d.
    private const string Join = """
        "a":{"successors":{"default":["e"]}},"b":{"successors":{"default":["e"]}},"c":{"successors":{"default":["e"]}},"d":{"successors":{"default":["e"]}},
        "e":{"predecessors":["a","b","c","d"],"or_groups":{"g":["c","b"],"h":["c","d"]}}
        """;

    private static UpstreamResult[] For(params (int Step, string? Result)[] finished)
    {
        var definition = Doc.Steps(Join);
        return [.. Upstream.For(definition, definition.Find("e")!, finished.ToDictionary(f => f.Step, f => f.Result))];
    }

    [Fact]
    public void A_root_is_given_nothing()
    {
        var definition = Doc.Steps(Join);

        Assert.Empty(Upstream.For(definition, definition.Steps[0], new Dictionary<int, string?>()));
    }

    [Fact]
    public void Each_finished_predecessor_has_an_entry_also_without_a_result() =>
        Assert.Equal([new("a", null), new("c", "3.0")], For((0, null), (2, "3.0")));

    [Fact]
    public void The_first_listed_member_answers_for_whichever_finished() =>
        Assert.Equal([new("a", "1"), new("b", "2"), new("c", "2")], For((0, "1"), (1, "2")));

    [Fact]
    public void A_name_gets_one_upstream_result() =>
        Assert.Equal(["a", "b", "d", "c"], For((0, "1"), (1, "2"), (3, "4")).Select(u => u.Step));

    [Fact]
    public void The_first_listed_member_answers_also_when_it_comes_later_in_a_loop()
    {
        var definition = Doc.Steps("""
            "a":{"successors":{"default":["b"]}},"b":{"predecessors":["a","c"],"or_groups":{"g":["c","a"]},"successors":{"default":["c"]}},"c":{"successors":{"again":["b"]}}
            """);

        Assert.Equal([new("a", "1"), new("c", "1")], Upstream.For(definition, definition.Steps[1], new Dictionary<int, string?> { [0] = "1" }));
    }
}
