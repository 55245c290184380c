using Xunit;

namespace Broker.Core.Tests.Definitions;

public sealed class JoinReadingTests
{
    /// <summary>
    /// c is startable as soon as a is, by both of its groups; b adds nothing. Counting c twice once made the count of e, a plain edge
    /// and two groups, step over zero.
    /// </summary>
    [Fact]
    public void A_step_whose_groups_share_members_counts_once_for_those_below_it()
    {
        var definition = Doc.Steps("""
            "a":{"successors":{"default":["c"]}},"b":{"successors":{"default":["c"]}},"c":{"or_groups":{"g":["a"],"h":["a","b"]},"successors":{"default":["d","e"]}},
            "d":{"successors":{"default":["e"]}},"e":{"predecessors":["c","d"],"or_groups":{"g":["d"],"h":["d"]}}
            """);

        Assert.Equal([2], definition.Find("e")!.Plain);
        Assert.Equal(2, definition.Find("e")!.AnyOf.Length);
    }
}
