namespace Broker.Storage.Tests.Model;

/// <summary>
/// Whether some order of what happened, each within its begin and end, is one that the reference model allows: Wing and Gong's search.
/// Where nothing was under way, the order of all that came before is certain. So the history falls into pieces that are searched one by one.
/// </summary>
internal static class HistoryCheck
{
    private const int MostSteps = 2_000_000;

    /// <summary>Null when the history can be explained; else what cannot.</summary>
    public static string? Explain(ModelState begin, IReadOnlyList<Happening> history)
    {
        List<ModelState> states = [begin];
        foreach (var piece in Pieces(history))
        {
            var next = Search(states, piece);
            if (next.Count == 0) return Tell(states, piece);
            states = next;
        }

        return null;
    }

    private static IEnumerable<List<Happening>> Pieces(IReadOnlyList<Happening> history)
    {
        var piece = new List<Happening>();
        var end = long.MinValue;
        foreach (var happening in history.OrderBy(h => h.Begin))
        {
            if (piece.Count > 0 && happening.Begin > end)
            {
                yield return piece;
                piece = [];
            }

            piece.Add(happening);
            end = Math.Max(end, happening.End);
        }

        if (piece.Count > 0) yield return piece;
    }

    private static List<ModelState> Search(List<ModelState> begins, List<Happening> piece)
    {
        if (piece.Count > 64) throw new InvalidOperationException($"{piece.Count} operations without a moment of quiet: too many for one search.");
        var all = piece.Count == 64 ? ulong.MaxValue : (1UL << piece.Count) - 1;
        var seen = new HashSet<(ulong, string)>();
        var ends = new List<ModelState>();
        var open = new Stack<(ulong Done, ModelState State)>();
        foreach (var begin in begins) open.Push((0, begin));
        while (open.TryPop(out var at))
        {
            if (!seen.Add((at.Done, at.State.Key()))) continue;
            if (seen.Count > MostSteps) throw new InvalidOperationException("The search does not end.");
            if (at.Done == all)
            {
                ends.Add(at.State);
                continue;
            }

            // A happening that began after another's end comes after it.
            var before = long.MaxValue;
            for (var i = 0; i < piece.Count; i++)
            {
                if ((at.Done & (1UL << i)) == 0) before = Math.Min(before, piece[i].End);
            }

            for (var i = 0; i < piece.Count; i++)
            {
                if ((at.Done & (1UL << i)) != 0 || piece[i].Begin > before) continue;
                foreach (var next in ReferenceModel.After(at.State, piece[i])) open.Push((at.Done | (1UL << i), next));
            }
        }

        return ends;
    }

    private static string Tell(List<ModelState> states, List<Happening> piece) =>
        $"No order explains\n  {string.Join("\n  ", piece)}\nafter\n{states[0].Whole()}";
}
