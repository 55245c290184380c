namespace Broker.Operators.Graphs;

/// <summary>
/// Lines between places. They slope only between two columns, and cross a column level, in a place of their own. Lines that run above all steps climb and
/// descend between two columns.
/// </summary>
internal sealed class LineRouting(LayeredGraph graph, int[] rows)
{
    private const int Pitch = GraphLayout.NodeWidth + GraphLayout.ColumnGap;
    private const int Turn = GraphLayout.ColumnGap / 4;

    private readonly int tracks = Math.Min(graph.Above.Count, GraphLayout.MostTracks);

    /// <summary>Height above all steps that lines take.</summary>
    public int Height => tracks == 0 ? 0 : (tracks * GraphLayout.TrackHeight) + GraphLayout.RowGap;

    /// <summary>Width left of the first column that lines take.</summary>
    public int Margin => tracks == 0 ? 0 : Turn;

    /// <summary>Width with the lines that turn outside of the first and the last column.</summary>
    public int Width => graph.Columns.Count == 0 ? 0 : (graph.Columns.Count * Pitch) - GraphLayout.ColumnGap + (2 * Margin);

    public IReadOnlyList<IReadOnlyList<int>> Of(GraphFolding folding)
    {
        var lines = new List<(int From, int To, List<int> Points)>();
        foreach (var (from, to, over) in graph.Lines) lines.Add((from, to, Through(from, to, over)));
        for (var i = 0; i < graph.Above.Count; i++) lines.Add((graph.Above[i].From, graph.Above[i].To, Above(graph.Above[i].From, graph.Above[i].To, i % GraphLayout.MostTracks)));
        return
        [
            .. lines.OrderBy(line => line.From).ThenBy(line => line.To)
                .Select(line => (IReadOnlyList<int>)[folding.Members[line.From][0], folding.Members[line.To][0], .. line.Points]),
        ];
    }

    private List<int> Through(int from, int to, IReadOnlyList<int> over)
    {
        List<int> points = [Left(from) + GraphLayout.NodeWidth, Middle(from)];
        foreach (var dummy in over) points.AddRange([Left(dummy), Middle(dummy), Left(dummy) + GraphLayout.NodeWidth, Middle(dummy)]);
        points.AddRange([Left(to), Middle(to)]);
        return points;
    }

    // Right of the step, up, along its track, down left of the other step.
    private List<int> Above(int from, int to, int track)
    {
        var (up, down, level) = (Left(from) + GraphLayout.NodeWidth + Turn, Left(to) - Turn, track * GraphLayout.TrackHeight);
        return [up - Turn, Middle(from), up, Middle(from), up, level, down, level, down, Middle(to), down + Turn, Middle(to)];
    }

    private int Left(int node) => Margin + (graph.Layer[node] * Pitch);

    private int Middle(int node) => Height + rows[node] + (GraphLayout.NodeHeight / 2);
}
