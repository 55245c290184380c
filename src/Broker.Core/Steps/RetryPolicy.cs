namespace Broker.Core.Steps;

/// <summary>How the delay before a retry grows.</summary>
public enum Backoff
{
    /// <summary>No delay.</summary>
    None,

    /// <summary>The same delay each time.</summary>
    Fixed,

    /// <summary>Delay × retry number.</summary>
    Linear,

    /// <summary>min(base × 2^n, max): n is the number of the attempt being prepared, 1 for the first retry (jobs contract 6.5).</summary>
    Exponential,

    /// <summary>Delay × 2^(n-1): the instances dialect's exponential form.</summary>
    Doubling,
}

/// <summary>Retries after the first attempt, and the pause before each. Times are milliseconds.</summary>
public sealed record RetryPolicy(int MaxRetries, Backoff Backoff = Backoff.None, long BaseMs = 0, long MaxMs = RetryPolicy.LongestMs)
{
    /// <summary>No delay is longer than this (365 days), whatever the arithmetic says.</summary>
    public const long LongestMs = 365L * 24 * 60 * 60 * 1000;

    /// <summary>One attempt only.</summary>
    public static RetryPolicy Never { get; } = new(0);

    /// <summary>Share of the pause (0 to 1) that chance may take away, so that retries of many steps spread.</summary>
    public double Jitter { get; init; }

    /// <summary>Only failures of these names or exit codes are retried; empty: all. Lost leases and time-outs are not judged by it.</summary>
    public RetryRules On { get; init; } = RetryRules.Empty;

    /// <summary>Failures of these names or exit codes are final.</summary>
    public RetryRules NotOn { get; init; } = RetryRules.Empty;

    public bool Allows(int attempt) => attempt < MaxRetries;

    /// <summary>Whether a failure that a worker reported may be retried.</summary>
    public bool Covers(StepError error) => (On.IsEmpty || On.Match(error)) && !NotOn.Match(error);

    /// <summary>The pause before retry number <paramref name="retry"/> (from 1), less what chance takes away.</summary>
    /// <param name="retry">Number of the retry.</param>
    /// <param name="chance">From 0 to below 1, another one for each attempt.</param>
    public TimeSpan DelayBefore(int retry, double chance)
    {
        var whole = DelayBefore(retry);
        return Jitter == 0 ? whole : whole * (1 - (Math.Clamp(Jitter, 0, 1) * chance));
    }

    /// <summary>The pause before retry number <paramref name="retry"/> (from 1). Never overflows, never negative.</summary>
    public TimeSpan DelayBefore(int retry)
    {
        var n = Math.Max(retry, 1);
        var cap = Math.Clamp(MaxMs, 0, LongestMs);
        var unit = Math.Clamp(BaseMs, 0, LongestMs);
        var delay = Backoff switch
        {
            Backoff.None => 0,
            Backoff.Fixed => unit,
            Backoff.Linear => Multiply(unit, n),
            Backoff.Exponential => Double(unit, n),
            Backoff.Doubling => Double(unit, n - 1),
        };
        return TimeSpan.FromMilliseconds(Math.Min(delay, cap));
    }

    private static long Multiply(long unit, int n) => unit > LongestMs / n ? LongestMs : unit * n;

    // A shift beyond 62 would wrap; LongestMs has 35 bits, so past that every unit has reached the cap.
    private static long Double(long unit, int times) =>
        unit == 0 ? 0 : times >= 36 || unit > LongestMs >> times ? LongestMs : unit << times;
}
