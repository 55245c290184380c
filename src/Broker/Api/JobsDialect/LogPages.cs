using Broker.Engine;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>A log in pages of about the same weight.</summary>
internal sealed class LogPages(BrokerEngine engine, string workflow, string job, long after)
{
    private readonly PageWeight weight = new();

    /// <summary>The last page went to the end of what is stored now.</summary>
    public bool AtEnd { get; private set; }

    public async Task<IReadOnlyList<LogRow>> NextAsync(CancellationToken ct)
    {
        var page = await engine.ReadLogsAsync(workflow, job, after, weight.Rows, ct);
        AtEnd = weight.Saw(page.Count, page.Sum(row => (long)row.MessageJson.Length));
        if (page.Count > 0) after = page[^1].Id;
        return page;
    }
}
