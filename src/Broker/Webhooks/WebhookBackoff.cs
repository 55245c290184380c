namespace Broker.Webhooks;

/// <summary>Pauses between the attempts of a delivery: 5 s, doubled each time up to an hour, each 20 % shorter or longer at random.</summary>
internal static class WebhookBackoff
{
    /// <summary>Attempts of a delivery; about five and a half hours pass before the last.</summary>
    public const int Most = 14;

    private const double Jitter = 0.2;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>The pause after so many failed attempts; null: that was the last one.</summary>
    /// <param name="tries">Failed attempts, 1 or more.</param>
    /// <param name="random">From 0 to below 1.</param>
    public static TimeSpan? After(int tries, double random)
    {
        if (tries >= Most) return null;
        var pause = TimeSpan.FromSeconds(Math.Min(First.TotalSeconds * Math.Pow(2, tries - 1), Longest.TotalSeconds));
        return pause * (1 - Jitter + (2 * Jitter * random));
    }
}
