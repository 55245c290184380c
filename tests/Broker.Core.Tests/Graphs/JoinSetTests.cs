using System.Collections.Immutable;
using Broker.Core.Definitions;
using Broker.Core.Graphs;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Graphs;

/// <summary>Joins: broker contract 4.3, and jobs contract 6.4 for the need of success.</summary>
public sealed class JoinSetTests
{
    private static (JoinSet Next, ImmutableArray<int> Ready) Finish(JoinSet joins, WorkflowDefinition definition, int step, string? branch = null, bool succeeded = true) =>
        JoinSet.Read(joins.Write()).Finish(definition, definition.Steps[step], branch, succeeded);

    [Fact]
    public void A_plain_join_waits_for_all_and_then_leaves_the_set()
    {
        var definition = Doc.Steps(""" "a":{"successors":{"default":["c"]}},"b":{"successors":{"default":["c"]}},"c":{} """);

        var (one, none) = Finish(JoinSet.Empty, definition, 1);
        var (two, ready) = Finish(one, definition, 0, succeeded: false);

        Assert.Empty(none);
        Assert.Equal(1, one.Count);
        Assert.Equal([2], ready);
        Assert.Null(two.Write());
    }

    [Fact]
    public void An_any_of_join_fires_with_its_first_member_and_never_again()
    {
        var definition = Doc.Steps("""
            "a":{"successors":{"default":["d"]}},"b":{"successors":{"default":["d"]}},"c":{"successors":{"default":["d"]}},"d":{"or_groups":{"g":["a","b","c"]}}
            """);

        var (one, first) = Finish(JoinSet.Empty, definition, 1);
        var (two, second) = Finish(one, definition, 0);
        var (three, third) = Finish(two, definition, 2);

        Assert.Equal([3], first);
        Assert.Empty(second);
        Assert.Empty(third);
        Assert.Equal(0, three.Count);
    }

    [Fact]
    public void A_join_below_a_branch_that_was_not_chosen_never_starts()
    {
        var definition = Doc.Steps(""" "a":{"successors":{"x":["b"],"default":["c"]}},"b":{"successors":{"default":["d"]}},"c":{"successors":{"default":["d"]}},"d":{} """);

        var (one, branches) = Finish(JoinSet.Empty, definition, 0);
        var (_, join) = Finish(one, definition, 2);

        Assert.Equal([2], branches);
        Assert.Empty(join);
        Assert.Equal([1], Finish(JoinSet.Empty, definition, 0, "x").Ready);
        Assert.Equal([2], Finish(JoinSet.Empty, definition, 0, "y").Ready);
    }

    [Fact]
    public void A_dependency_that_was_skipped_does_not_do()
    {
        var definition = Doc.Steps(""" "a":{"depends_on":[]},"b":{"depends_on":["a"]} """);

        Assert.Empty(Finish(JoinSet.Empty, definition, 0, succeeded: false).Ready);
        Assert.Equal([1], Finish(JoinSet.Empty, definition, 0).Ready);
    }

    [Fact]
    public void Two_loops_into_each_other_start_whichever_is_entered_first_and_the_other_once()
    {
        var definition = Doc.Steps("""
            "r":{"successors":{"a":["a"],"b":["b"]}},"a":{"predecessors":["r","b"],"or_groups":{"g":["r","b"]},"successors":{"default":["b"]}},
            "b":{"predecessors":["r","a"],"or_groups":{"g":["r","a"]},"successors":{"default":["a"]}}
            """);

        foreach (var (branch, entry, other) in new[] { ("a", 1, 2), ("b", 2, 1) })
        {
            var (one, first) = Finish(JoinSet.Empty, definition, 0, branch);
            var (two, second) = Finish(one, definition, entry);
            Assert.Equal([entry], first);
            Assert.Equal([other], second);
            Assert.Empty(Finish(two, definition, other).Ready);
        }
    }

    [Fact]
    public void Sixty_four_groups_fit_the_stored_form()
    {
        var groups = string.Join(',', Enumerable.Range(0, 64).Select(g => $"\"g{g}\":[\"m{g}\"]"));
        var members = string.Join(',', Enumerable.Range(0, 64).Select(g => $$"""  "m{{g}}":{"successors":{"default":["z"] } }"""));
        var definition = Doc.Steps($$"""{{members}},"z":{"or_groups":{ {{groups}} } }""");
        var joins = JoinSet.Empty;
        var ready = ImmutableArray<int>.Empty;
        for (var i = 63; i >= 0; i--)
        {
            Assert.Empty(ready);
            (joins, ready) = Finish(joins, definition, i);
        }

        Assert.Equal([64], ready);
    }
}
