using System.Globalization;

namespace Broker.Storage.Contracts;

/// <summary>Topics of <see cref="IChanges"/>.</summary>
public static class Topics
{
    /// <summary>The run's stream got events, or the run ended.</summary>
    public static string Run(long runId) => $"r{runId}";

    /// <summary>The outbox got rows.</summary>
    public const string Outbox = "outbox";

    /// <summary>A subscription was changed.</summary>
    public const string Webhooks = "webhooks";

    /// <summary>Deliveries were queued, or an attempt has ended.</summary>
    public const string Deliveries = "deliveries";

    /// <summary>A schedule was made or changed.</summary>
    public const string Schedules = "schedules";

    /// <summary>A job got log lines; the names as workers know them.</summary>
    public static string Log(string workflow, string step) => string.Create(CultureInfo.InvariantCulture, $"l{workflow.Length}:{workflow}/{step}");

    internal static bool TryRun(string topic, out long runId)
    {
        runId = 0;
        return topic.StartsWith('r') && long.TryParse(topic.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out runId);
    }

    // The length separates the two names: both may hold any character.
    internal static bool TryLog(string topic, out string workflow, out string step)
    {
        (workflow, step) = ("", "");
        var colon = topic.IndexOf(':', StringComparison.Ordinal);
        if (colon < 2 || topic[0] != 'l' || !int.TryParse(topic.AsSpan(1, colon - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)) return false;
        var end = colon + 1 + length;
        if (end >= topic.Length || topic[end] != '/') return false;
        (workflow, step) = (topic[(colon + 1)..end], topic[(end + 1)..]);
        return true;
    }
}
