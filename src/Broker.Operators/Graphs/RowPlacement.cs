namespace Broker.Operators.Graphs;

/// <summary>
/// Heights of the places. Each is as near to the middle of its neighbours as order and distances of its column allow (isotonic regression): chains are
/// straight lines.
/// </summary>
internal static class RowPlacement
{
    private const int Passes = 4;
    private const int Pitch = GraphLayout.NodeHeight + GraphLayout.RowGap;

    /// <summary>Upper edge of each vertex and dummy, from 0.</summary>
    public static int[] Of(LayeredGraph graph)
    {
        var y = new double[graph.Count];
        foreach (var column in graph.Columns)
        {
            for (var i = 0; i < column.Count; i++) y[column[i]] = (i - ((column.Count - 1) / 2.0)) * Pitch;
        }

        for (var pass = 0; pass < Passes; pass++)
        {
            var toRight = pass % 2 == 0;
            for (var i = 0; i < graph.Columns.Count; i++)
            {
                var column = graph.Columns[toRight ? i : graph.Columns.Count - 1 - i];
                Place(column, node => Wish(toRight ? graph.Before(node) : graph.Next(node), y, y[node]), y);
            }
        }

        var top = graph.Count == 0 ? 0 : (int)Math.Floor(y.Min());
        var rows = new int[graph.Count];

        // Rounded by column, from a rounded first place: the distances stay.
        foreach (var column in graph.Columns)
        {
            var last = int.MinValue;
            foreach (var node in column)
            {
                last = Math.Max((int)Math.Round(y[node]) - top, last == int.MinValue ? 0 : last + Pitch);
                rows[node] = last;
            }
        }

        return rows;
    }

    private static double Wish(IReadOnlyList<int> neighbours, double[] y, double without)
    {
        if (neighbours.Count == 0) return without;
        var sum = 0.0;
        for (var i = 0; i < neighbours.Count; i++) sum += y[neighbours[i]];
        return sum / neighbours.Count;
    }

    // Pools neighbours whose wishes contradict their order, each pool at the mean of its wishes.
    private static void Place(List<int> column, Func<int, double> wish, double[] y)
    {
        var pools = new Stack<(int First, int Count, double Mean)>(column.Count);
        for (var i = 0; i < column.Count; i++)
        {
            var pool = (First: i, Count: 1, Mean: wish(column[i]) - (i * (double)Pitch));
            while (pools.TryPeek(out var before) && before.Mean >= pool.Mean)
            {
                pools.Pop();
                pool = (before.First, before.Count + pool.Count, ((before.Mean * before.Count) + (pool.Mean * pool.Count)) / (before.Count + pool.Count));
            }

            pools.Push(pool);
        }

        foreach (var (first, count, mean) in pools)
        {
            for (var i = first; i < first + count; i++) y[column[i]] = mean + (i * (double)Pitch);
        }
    }
}
