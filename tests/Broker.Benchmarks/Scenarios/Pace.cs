using System.Diagnostics;

namespace Broker.Benchmarks.Scenarios;

/// <summary>
/// Turns at a steady rate, dealt to workers in order. A late worker takes its next turn at once, so that the rate holds. The rate begins
/// with the first request for a turn.
/// </summary>
internal sealed class Pace(double perSecond, int workers)
{
    private readonly Lazy<long> start = new(Stopwatch.GetTimestamp);
    private volatile bool isOver;

    /// <summary>Returns when the worker's turn comes.</summary>
    public Task TurnAsync(int worker, long turn, CancellationToken ct)
    {
        var early = TimeSpan.FromSeconds(((turn * workers) + worker) / perSecond) - Stopwatch.GetElapsedTime(start.Value);
        return isOver || early <= TimeSpan.Zero ? Task.CompletedTask : Task.Delay(early, TimeProvider.System, ct);
    }

    /// <summary>Ends all waits, now and later.</summary>
    public void End() => isOver = true;
}
