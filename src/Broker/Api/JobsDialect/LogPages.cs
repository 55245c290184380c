using Broker.Engine;
using Broker.Storage;

namespace Broker.Api.JobsDialect;

/// <summary>
/// A log in pages of about the same weight: a chunk is a line from one worker and megabytes of output from another, and every client
/// that reads slowly holds a page.
/// </summary>
internal sealed class LogPages(BrokerEngine engine, string workflow, string job, long after)
{
    /// <summary>Characters that a page should hold.</summary>
    public const int Characters = 64 * 1024;

    private const int FirstPage = 4;
    private const int LargestPage = 256;

    private int size = FirstPage;

    /// <summary>The last page went to the end of what is stored now.</summary>
    public bool AtEnd { get; private set; }

    public async Task<IReadOnlyList<LogRow>> NextAsync(CancellationToken ct)
    {
        var page = await engine.ReadLogsAsync(workflow, job, after, size, ct);
        AtEnd = page.Count < size;
        if (page.Count == 0) return page;

        after = page[^1].Id;
        var weight = page.Sum(row => (long)row.MessageJson.Length);
        if (weight > Characters) size = Math.Max(1, size / 2);
        else if (!AtEnd && weight < Characters / 2) size = Math.Min(LargestPage, size * 2);
        return page;
    }
}
