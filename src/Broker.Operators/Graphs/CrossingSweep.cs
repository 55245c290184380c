namespace Broker.Operators.Graphs;

/// <summary>Orders each column by the middle of its neighbours, to the right and to the left in turn: fewer lines cross.</summary>
internal static class CrossingSweep
{
    private const int Sweeps = 8;

    // More places than that are swept half as often: a sweep sorts them all.
    private const int Many = 20_000;

    public static void Order(LayeredGraph graph)
    {
        var place = new double[graph.Count];
        foreach (var column in graph.Columns) Number(column, place);
        var key = new double[graph.Count];
        var sweeps = graph.Count > Many ? Sweeps / 2 : Sweeps;
        for (var sweep = 0; sweep < sweeps; sweep++)
        {
            var toRight = sweep % 2 == 0;
            for (var i = 0; i < graph.Columns.Count; i++)
            {
                var column = graph.Columns[toRight ? i : graph.Columns.Count - 1 - i];
                foreach (var node in column) key[node] = Middle(toRight ? graph.Before(node) : graph.Next(node), place, place[node]);
                Sort(column, key, place);
                Number(column, place);
            }
        }
    }

    // Equal keys keep their order.
    private static void Sort(List<int> column, double[] key, double[] place) =>
        column.Sort((a, b) => key[a].CompareTo(key[b]) is var byKey && byKey != 0 ? byKey : place[a].CompareTo(place[b]));

    // From 0 to 1, so that columns of different lengths compare.
    private static void Number(List<int> column, double[] place)
    {
        for (var i = 0; i < column.Count; i++) place[column[i]] = (i + 0.5) / column.Count;
    }

    private static double Middle(IReadOnlyList<int> neighbours, double[] place, double without)
    {
        if (neighbours.Count == 0) return without;
        var sum = 0.0;
        for (var i = 0; i < neighbours.Count; i++) sum += place[neighbours[i]];
        return sum / neighbours.Count;
    }
}
