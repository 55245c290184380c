namespace Broker.Operators.Graphs;

/// <summary>
/// Layered layout: columns by longest path, places for lines that cross columns, sweeps that reduce crossings, and places near those of neighbours.
/// Pure and deterministic, also by the order in which the steps are given: names decide where nothing else does.
/// </summary>
public static class GraphLayout
{
    /// <summary>Width of a step in pixels.</summary>
    public const int NodeWidth = 160;

    /// <summary>Height of a step in pixels.</summary>
    public const int NodeHeight = 32;

    internal const int ColumnGap = 80;
    internal const int RowGap = 16;

    // Height of a line that runs above all steps.
    internal const int TrackHeight = 8;
    internal const int MostTracks = 20;

    /// <summary>Steps with the same predecessors and successors beyond which they are drawn as one.</summary>
    public const int UsualFold = 8;

    /// <summary>Places all steps and lines.</summary>
    /// <param name="nodes">Steps in order of the definition.</param>
    /// <param name="fold">More steps than that with the same predecessors and successors are drawn as one; null: none are.</param>
    public static GraphGeometry Of(IReadOnlyList<GraphNode> nodes, int? fold = UsualFold)
    {
        var stacks = GraphFolding.Of(nodes, fold);
        var graph = LayeredGraph.Of(nodes, stacks);
        CrossingSweep.Order(graph);
        var rows = RowPlacement.Of(graph);
        var lines = new LineRouting(graph, rows);
        var top = lines.Height;
        var (x, y) = (new int[nodes.Count], new int[nodes.Count]);
        for (var i = 0; i < nodes.Count; i++)
        {
            var vertex = stacks.VertexOf[i];
            (x[i], y[i]) = (lines.Margin + (graph.Layer[vertex] * (NodeWidth + ColumnGap)), top + rows[vertex]);
        }

        var bottom = 0;
        for (var vertex = 0; vertex < graph.Count; vertex++) bottom = Math.Max(bottom, rows[vertex] + NodeHeight);
        return new(
            lines.Width, top + bottom, NodeWidth, NodeHeight, x, y, [.. nodes.Select(node => node.Name)], [.. nodes.Select(node => node.Kind)], lines.Of(stacks),
            [.. stacks.Members.Where(members => members.Count > 1)]);
    }
}
