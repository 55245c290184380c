namespace Broker.Storage.Tables;

/// <summary>
/// Runs the reads of lists and streams, a few at a time. Any number of clients may ask for pages, and each page is bounded. So these
/// reads together take a bounded share of the threads, the connections and the memory. A read ends before its page is written to the
/// client: a slow client holds no turn, no connection and no read transaction.
/// </summary>
internal interface IPageReads
{
    /// <summary>Waits for a turn, in order of arrival, and runs <paramref name="read"/> on a context of its own.</summary>
    Task<T> RunAsync<T>(Func<BrokerDb, Task<T>> read, CancellationToken ct);
}

internal static class PageReadLimit
{
    /// <summary>Reads at the same time.</summary>
    public static int AtOnce => 2 * Environment.ProcessorCount;
}
