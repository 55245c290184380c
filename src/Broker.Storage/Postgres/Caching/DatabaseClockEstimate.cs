using System.Diagnostics;

namespace Broker.Storage.Postgres.Caching;

/// <summary>
/// Estimate of the database's clock between two exchanges: its last reading, and the time that has passed here since. It does not run backwards unless the
/// database's does, and is behind it by the time that an answer travels.
/// </summary>
internal sealed class DatabaseClockEstimate
{
    /// <summary>For so long two clocks do not drift apart.</summary>
    private static readonly TimeSpan Good = TimeSpan.FromSeconds(1);

    private readonly Lock turn = new();
    private long ahead;
    private long observedAt;
    private long last;

    public void Observe(long micros)
    {
        lock (turn)
        {
            var at = Stopwatch.GetTimestamp();
            var candidate = micros - Micros(at);

            // The answer with the shortest way is the most exact.
            if (candidate > ahead || candidate < ahead - (long)Good.TotalMicroseconds || Stopwatch.GetElapsedTime(observedAt, at) >= Good) (ahead, observedAt) = (candidate, at);
            last = IsFar(micros, last) ? micros : Math.Max(micros, last);
        }
    }

    /// <summary>Null: the last reading is too old.</summary>
    public long? Now()
    {
        lock (turn)
        {
            var at = Stopwatch.GetTimestamp();
            if (observedAt == 0 || Stopwatch.GetElapsedTime(observedAt, at) >= Good) return null;
            return last = Math.Max(last, ahead + Micros(at));
        }
    }

    /// <summary>Another server has another clock.</summary>
    public void Forget()
    {
        lock (turn) (ahead, observedAt, last) = (0, 0, 0);
    }

    /// <summary>Whether a reading is so far off that the clock has been set.</summary>
    public static bool IsFar(long micros, long expected) => Math.Abs(micros - expected) >= (long)Good.TotalMicroseconds;

    private static long Micros(long timestamp) => (long)(timestamp * (1_000_000d / Stopwatch.Frequency));
}
