namespace Broker.Storage.Contracts;

/// <summary>How long ended runs are kept, by how they ended; zero keeps them for good.</summary>
public sealed record RetentionTimes(TimeSpan Succeeded, TimeSpan Failed, TimeSpan Cancelled)
{
    /// <summary>The same for all.</summary>
    public static RetentionTimes Of(TimeSpan all) => new(all, all, all);

    /// <summary>Whether anything is ever removed.</summary>
    public bool Removes => Succeeded > TimeSpan.Zero || Failed > TimeSpan.Zero || Cancelled > TimeSpan.Zero;
}

/// <param name="Looked">Runs that were looked at.</param>
/// <param name="Removed">Those of them that are gone.</param>
/// <param name="Finished">Everything that is old enough has been looked at: the next round begins anew.</param>
public readonly record struct RetentionRound(int Looked, int Removed, bool Finished);

/// <summary>Takes away what has ended long ago.</summary>
public interface IRetention
{
    /// <summary>
    /// Looks at the next part of the old runs and removes those whose time is up, with steps, events and lines. The current run of an
    /// instance goes last, so that an instance that is found has a current run. One round is bounded, whatever there is.
    /// </summary>
    Task<RetentionRound> RemoveEndedAsync(RetentionTimes keep, CancellationToken ct);
}
