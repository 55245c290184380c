namespace Broker.Storage.Tests.Model;

/// <summary>
/// Makes a failing schedule small: leaves moves out, and takes rounds apart, as long as the rest still fails. The machine decides which moves
/// meet, so each candidate is played several times.
/// </summary>
/// <param name="plays">Fails a schedule: what is wrong with it, or null.</param>
/// <param name="tries">How often a candidate is played before it counts as sound.</param>
/// <param name="budget">Plays in all.</param>
internal sealed class Shrinker(Func<Schedule, Task<string?>> plays, int tries, int budget)
{
    private int left = budget;

    /// <summary>The smallest that was found to fail, and how.</summary>
    public async Task<(Schedule Schedule, string Fault)> ShrinkAsync(Schedule failing, string fault)
    {
        var best = (failing, fault);
        if (failing.IsLoose) best = await BetterAsync(best, failing with { IsLoose = false });
        best = await WithoutAsync(best);
        best = await ApartAsync(best);
        return await WithoutAsync(best);
    }

    private async Task<(Schedule Schedule, string Fault)> WithoutAsync((Schedule Schedule, string Fault) best)
    {
        for (var size = Math.Max(best.Schedule.Moves.Count / 2, 1); size >= 1; size /= 2)
        {
            for (var at = 0; at < best.Schedule.Moves.Count && left > 0;)
            {
                var moves = best.Schedule.Moves;
                var smaller = best.Schedule with { Moves = [.. moves.Take(at), .. moves.Skip(at + size)] };
                var next = await BetterAsync(best, smaller);
                if (ReferenceEquals(next.Schedule, best.Schedule)) at += size;
                best = next;
            }
        }

        return best;
    }

    // One move a round where that fails too: then the order is all that matters.
    private async Task<(Schedule Schedule, string Fault)> ApartAsync((Schedule Schedule, string Fault) best)
    {
        foreach (var round in best.Schedule.Moves.Select(m => m.Round).Distinct().OrderDescending().ToList())
        {
            var moves = best.Schedule.Moves;
            var crowd = moves.Where(m => m.Round == round).ToList();
            if (crowd.Count < 2 || left <= 0) continue;
            foreach (var order in (IEnumerable<Move>[])[crowd, Enumerable.Reverse(crowd)])
            {
                var apart = best.Schedule with
                {
                    Moves =
                    [
                        .. moves.Where(m => m.Round < round),
                        .. order.Select((m, i) => m with { Round = round + i }),
                        .. moves.Where(m => m.Round > round).Select(m => m with { Round = m.Round + crowd.Count - 1 }),
                    ],
                };
                var next = await BetterAsync(best, apart);
                if (ReferenceEquals(next.Schedule, best.Schedule)) continue;
                best = next;
                break;
            }
        }

        return best;
    }

    private async Task<(Schedule Schedule, string Fault)> BetterAsync((Schedule Schedule, string Fault) best, Schedule candidate)
    {
        for (var i = 0; i < tries && left-- > 0; i++)
        {
            if (await plays(candidate) is { } fault) return (candidate, fault);
        }

        return best;
    }
}
