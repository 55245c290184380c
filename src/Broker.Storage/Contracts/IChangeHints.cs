namespace Broker.Storage.Contracts;

/// <summary>
/// Hints that something changed, for people who look at lists: never the truth, and lost at times. Without a watcher, on this broker or another one, a change
/// costs one look at a field.
/// </summary>
public interface IChangeHints
{
    /// <summary>Every topic may have changed.</summary>
    const string All = "*";

    /// <summary>There is a watcher, on this broker or on another one.</summary>
    bool IsWatched { get; }

    /// <summary>Notes a change. Notes of 250 ms are sent together, and those of many runs become one hint for all topics.</summary>
    void Note(string topic);

    /// <summary>Watches topics until it is disposed.</summary>
    IHintSubscription Watch(IReadOnlyCollection<string> topics);
}

/// <summary>Hints for one watcher.</summary>
public interface IHintSubscription : IDisposable
{
    /// <summary>Topics that changed since the last call, each with its number of hints; empty after the time-out.</summary>
    Task<IReadOnlyDictionary<string, int>> NextAsync(TimeSpan timeout, CancellationToken ct);
}
