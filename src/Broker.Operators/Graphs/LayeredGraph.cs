namespace Broker.Operators.Graphs;

/// <summary>
/// Vertices in columns. A line that crosses columns has a place of its own (a dummy) in each of them; lines of one vertex share theirs. A line that
/// leads back, or that is too long for this, runs above all columns.
/// </summary>
internal sealed class LayeredGraph
{
    // Longer lines run above: places for each crossed column would be the square of the number of steps.
    private const int LongestSpan = 64;

    private readonly List<List<int>> forward = [];
    private readonly List<List<int>> backward = [];

    private LayeredGraph(int vertices, int[] layer)
    {
        Vertices = vertices;
        Layer = [.. layer];
        for (var i = 0; i < vertices; i++)
        {
            forward.Add([]);
            backward.Add([]);
        }
    }

    /// <summary>Number of vertices; dummies are numbered behind them.</summary>
    public int Vertices { get; }

    /// <summary>Vertices and dummies.</summary>
    public int Count => Layer.Count;

    /// <summary>Column of each.</summary>
    public List<int> Layer { get; }

    /// <summary>Each column from top to bottom.</summary>
    public List<List<int>> Columns { get; } = [];

    /// <summary>Lines: from a vertex to a vertex over these dummies.</summary>
    public List<(int From, int To, IReadOnlyList<int> Over)> Lines { get; } = [];

    /// <summary>Lines that run above all columns.</summary>
    public List<(int From, int To)> Above { get; } = [];

    public IReadOnlyList<int> Next(int node) => forward[node];

    public IReadOnlyList<int> Before(int node) => backward[node];

    public static LayeredGraph Of(IReadOnlyList<GraphNode> nodes, GraphFolding folding)
    {
        var count = folding.Members.Count;
        var successors = new int[count][];
        for (var v = 0; v < count; v++)
            successors[v] = [.. folding.Members[v].SelectMany(step => nodes[step].Successors).Select(step => folding.VertexOf[step]).Distinct().Order()];
        var isBack = BackEdges.Of(successors);
        var graph = new LayeredGraph(count, LayersOf(successors, isBack));
        for (var v = 0; v < count; v++)
        {
            var chain = new List<int>();
            for (var k = 0; k < successors[v].Length; k++)
            {
                var to = successors[v][k];
                if (isBack[v][k] || graph.Layer[to] - graph.Layer[v] > LongestSpan) graph.Above.Add((v, to));
                else graph.Add(v, to, chain);
            }
        }

        for (var node = 0; node < graph.Count; node++)
        {
            while (graph.Columns.Count <= graph.Layer[node]) graph.Columns.Add([]);
            graph.Columns[graph.Layer[node]].Add(node);
        }

        return graph;
    }

    private void Add(int from, int to, List<int> chain)
    {
        var span = Layer[to] - Layer[from];
        while (chain.Count < span - 1)
        {
            var dummy = Count;
            Layer.Add(Layer[from] + chain.Count + 1);
            forward.Add([]);
            backward.Add([]);
            Link(chain.Count == 0 ? from : chain[^1], dummy);
            chain.Add(dummy);
        }

        int[] over = [.. chain.Take(span - 1)];
        Link(over.Length == 0 ? from : over[^1], to);
        Lines.Add((from, to, over));
    }

    private void Link(int left, int right)
    {
        forward[left].Add(right);
        backward[right].Add(left);
    }

    // The longest path to each vertex, without lines that lead back.
    private static int[] LayersOf(int[][] successors, bool[][] isBack)
    {
        var (layer, missing) = (new int[successors.Length], new int[successors.Length]);
        for (var v = 0; v < successors.Length; v++)
        {
            for (var k = 0; k < successors[v].Length; k++) missing[successors[v][k]] += isBack[v][k] ? 0 : 1;
        }

        var ready = new Queue<int>(Enumerable.Range(0, successors.Length).Where(v => missing[v] == 0));
        while (ready.TryDequeue(out var v))
        {
            for (var k = 0; k < successors[v].Length; k++)
            {
                if (isBack[v][k]) continue;
                var to = successors[v][k];
                layer[to] = Math.Max(layer[to], layer[v] + 1);
                if (--missing[to] == 0) ready.Enqueue(to);
            }
        }

        return layer;
    }
}

/// <summary>Lines that close a circle, found by depth-first search in order of the vertices.</summary>
internal static class BackEdges
{
    private const byte Open = 1, Closed = 2;

    public static bool[][] Of(int[][] successors)
    {
        var isBack = Array.ConvertAll(successors, next => new bool[next.Length]);
        var (state, place) = (new byte[successors.Length], new int[successors.Length]);
        var path = new Stack<int>();

        // Vertices that no other leads to come first: then lines lead back as they are read.
        var hasBefore = new bool[successors.Length];
        foreach (var next in successors) Array.ForEach(next, to => hasBefore[to] = true);
        foreach (var root in Enumerable.Range(0, successors.Length).OrderBy(v => hasBefore[v]))
        {
            if (state[root] != 0) continue;
            state[root] = Open;
            path.Push(root);
            while (path.TryPeek(out var v))
            {
                if (place[v] == successors[v].Length)
                {
                    state[path.Pop()] = Closed;
                    continue;
                }

                var k = place[v]++;
                var to = successors[v][k];
                isBack[v][k] = state[to] == Open;
                if (state[to] != 0) continue;
                state[to] = Open;
                path.Push(to);
            }
        }

        return isBack;
    }
}
