using System.Diagnostics;
using Broker.Operators.Graphs;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Graphs;

/// <summary>Geometry of graphs: what no drawing may break, on random graphs with circles, wide joins and long lines.</summary>
public sealed class GraphLayoutTests
{
    private static readonly Arbitrary<IReadOnlyList<GraphNode>> Graphs = Arb.From(
        from count in Gen.Choose(0, 40)
        from density in Gen.Choose(0, 12)
        from circles in Gen.Choose(0, 2)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select (IReadOnlyList<GraphNode>)Random(count, density, circles, seed));

    [Fact]
    public void No_two_steps_overlap() => Check(graph =>
    {
        var places = Places(GraphLayout.Of(graph)).ToList();
        return places.All(a => places.All(b => a == b || !Overlap(a, b)));
    });

    [Fact]
    public void No_line_runs_under_a_step_and_each_ends_at_its_steps() => Check(graph =>
    {
        var drawn = GraphLayout.Of(graph);
        var places = Places(drawn).ToList();
        return drawn.Edges.All(edge =>
        {
            var points = Points(edge).ToList();
            var (from, to) = (points[0], points[^1]);
            return from == (drawn.X[edge[0]] + drawn.NodeWidth, drawn.Y[edge[0]] + (drawn.NodeHeight / 2))
                && to == (drawn.X[edge[1]], drawn.Y[edge[1]] + (drawn.NodeHeight / 2))
                && points.All(p => p.X >= 0 && p.Y >= 0 && p.X <= drawn.Width && p.Y <= drawn.Height)
                && points.Zip(points.Skip(1)).All(segment => places.All(place => !Crosses(segment.First, segment.Second, place, drawn)));
        });
    });

    [Fact]
    public void Every_pair_of_neighbours_has_a_line_and_there_are_no_others() => Check(graph =>
    {
        var drawn = GraphLayout.Of(graph, fold: null);
        var lines = drawn.Edges.Select(edge => (edge[0], edge[1])).Order().ToList();
        return lines.SequenceEqual(graph.SelectMany((node, i) => node.Successors.Distinct().Select(to => (i, to))).Order());
    });

    [Fact]
    public void The_order_of_the_definition_moves_no_step() => Check(graph =>
    {
        var order = Enumerable.Range(0, graph.Count).Order(Comparer<int>.Create((a, b) => (a * 7919 % 41).CompareTo(b * 7919 % 41))).ToArray();
        var place = new int[graph.Count];
        for (var i = 0; i < order.Length; i++) place[order[i]] = i;
        var shuffled = order.Select(i => graph[i] with { Successors = [.. graph[i].Successors.Select(to => place[to]).Reverse()] }).ToList();
        var (one, two) = (GraphLayout.Of(graph), GraphLayout.Of(shuffled));
        return order.Select((from, to) => (one.X[from], one.Y[from]) == (two.X[to], two.Y[to])).All(same => same)
            && one.Edges.Select(edge => string.Join(',', edge.Skip(2))).Order(StringComparer.Ordinal)
                .SequenceEqual(two.Edges.Select(edge => string.Join(',', edge.Skip(2))).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    });

    [Fact]
    public void The_same_graph_is_drawn_the_same_way() => Check(graph =>
    {
        var (one, two) = (GraphLayout.Of(graph), GraphLayout.Of(graph));
        return one.X.SequenceEqual(two.X) && one.Y.SequenceEqual(two.Y) && one.Edges.Zip(two.Edges).All(pair => pair.First.SequenceEqual(pair.Second));
    });

    [Fact]
    public void A_chain_is_a_straight_line_and_a_fan_is_a_stack()
    {
        var chain = GraphLayout.Of([Node("a", 1), Node("b", 2), Node("c")]);
        Assert.Single(chain.Y.Distinct());
        Assert.Equal([0, 240, 480], chain.X);
        Assert.Equal([[0, 1, 160, 16, 240, 16], [1, 2, 400, 16, 480, 16]], chain.Edges);
        Assert.Equal((640, 32), (chain.Width, chain.Height));

        List<GraphNode> fan = [Node("start", [.. Enumerable.Range(1, 9)])];
        for (var i = 1; i <= 9; i++) fan.Add(Node($"shard-{i}"));
        var folded = GraphLayout.Of(fan);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], Assert.Single(folded.Stacks));
        Assert.Single(folded.Edges);
        Assert.Single(folded.Y.Skip(1).Distinct());
        Assert.Empty(GraphLayout.Of(fan, fold: 9).Stacks);
        Assert.Equal(9, GraphLayout.Of(fan, fold: null).Edges.Count);
    }

    [Fact]
    public void A_line_back_and_a_line_to_itself_run_above_all_steps()
    {
        var drawn = GraphLayout.Of([Node("a", 1), Node("b", 0, 1)]);
        Assert.Equal(3, drawn.Edges.Count);
        Assert.All(drawn.Edges.Where(edge => edge[0] == 1), edge => Assert.True(Points(edge).Min(p => p.Y) < drawn.Y.Min()));
        Assert.Equal(0, GraphLayout.Of([]).Width);
    }

    /// <summary>Limits of the console's budget: 200 ms and 2 s, times 5 for machines under load.</summary>
    [Theory]
    [InlineData(5_000, 1_000)]
    [InlineData(20_000, 10_000)]
    public void A_large_graph_is_drawn_within_its_budget(int steps, int budgetMs)
    {
        foreach (var graph in (IReadOnlyList<GraphNode>[])[Random(steps, 3, 1, 7), Layers(steps, 50), Layers(steps, 2)])
        {
            GraphLayout.Of(graph.Take(0).ToList());
            var began = Stopwatch.GetTimestamp();
            var drawn = GraphLayout.Of(graph);
            var took = Stopwatch.GetElapsedTime(began);
            TestContext.Current.TestOutputHelper?.WriteLine($"{steps} steps, {drawn.Edges.Count} lines: {took.TotalMilliseconds:f0} ms");
            Assert.True(took.TotalMilliseconds < budgetMs, $"{steps} steps took {took.TotalMilliseconds:f0} ms");
        }
    }

    private static void Check(Func<IReadOnlyList<GraphNode>, bool> property) => Prop.ForAll(Graphs, property).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static GraphNode Node(string name, params int[] successors) => new(name, "task", successors);

    // Each step leads to some later ones; some lines lead back.
    private static List<GraphNode> Random(int count, int density, int circles, int seed)
    {
        var random = new Random(seed);
        var nodes = new List<GraphNode>(count);
        for (var i = 0; i < count; i++)
        {
            var next = new HashSet<int>();
            if (i + 1 < count)
            {
                for (var k = random.Next(0, Math.Max(density, 1)); k > 0; k--) next.Add(i + 1 + random.Next(0, Math.Min(count - i - 1, 200)));
            }

            if (count > 0 && random.Next(0, 20) < circles) next.Add(random.Next(0, i + 1));
            nodes.Add(new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"n{random.Next(0, 1000)}-{i}"), i % 7 == 0 ? "sleep" : "task", [.. next]));
        }

        return nodes;
    }

    // Columns of that width; each step follows two of the column before.
    private static IReadOnlyList<GraphNode> Layers(int count, int width) =>
    [
        .. Enumerable.Range(0, count).Select(i => Node(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"s{i}"),
            [.. new[] { i + width, i + width + 1 }.Where(to => to < count && to / width == (i / width) + 1)])),
    ];

    private static IEnumerable<(int X, int Y)> Points(IReadOnlyList<int> edge) => edge.Skip(2).Chunk(2).Select(point => (point[0], point[1]));

    // A stack is one place.
    private static IEnumerable<(int X, int Y)> Places(GraphGeometry drawn)
    {
        var hidden = drawn.Stacks.SelectMany(stack => stack.Skip(1)).ToHashSet();
        return Enumerable.Range(0, drawn.X.Count).Where(i => !hidden.Contains(i)).Select(i => (drawn.X[i], drawn.Y[i]));
    }

    private static bool Overlap((int X, int Y) a, (int X, int Y) b) =>
        Math.Abs(a.X - b.X) < GraphLayout.NodeWidth && Math.Abs(a.Y - b.Y) < GraphLayout.NodeHeight;

    // Whether a segment enters the inside of a step: it is cut to the step's columns, and its heights there are compared.
    private static bool Crosses((int X, int Y) from, (int X, int Y) to, (int X, int Y) place, GraphGeometry drawn)
    {
        var (left, right) = from.X <= to.X ? (from, to) : (to, from);
        double begin = Math.Max(left.X, place.X), end = Math.Min(right.X, place.X + drawn.NodeWidth);
        if (begin > end || (begin == end && (begin == place.X || begin == place.X + drawn.NodeWidth) && left.X != right.X)) return false;
        if (left.X == right.X)
            return left.X > place.X && left.X < place.X + drawn.NodeWidth && Math.Max(left.Y, right.Y) > place.Y && Math.Min(left.Y, right.Y) < place.Y + drawn.NodeHeight;
        double At(double x) => left.Y + ((right.Y - left.Y) * (x - left.X) / (right.X - left.X));
        return Math.Max(At(begin), At(end)) > place.Y && Math.Min(At(begin), At(end)) < place.Y + drawn.NodeHeight;
    }
}
