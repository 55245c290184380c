using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Storage.Contracts;

namespace Broker.Api.JobsDialect;

/// <summary>The log of a job, of all runs or of one, in pages of about the same weight.</summary>
internal sealed class LogPages(BrokerEngine engine, LogName log, long after)
{
    private readonly PageWeight weight = new();

    /// <summary>The last page went to the end of what is stored now.</summary>
    public bool AtEnd { get; private set; }

    public async Task<IReadOnlyList<LogRow>> NextAsync(CancellationToken ct)
    {
        var page = log.Run is { } run
            ? await engine.ReadLogsAsync(run.Id, log.Job, after, weight.Rows, ct)
            : await engine.ReadLogsAsync(log.Workflow, log.Job, after, weight.Rows, ct);
        AtEnd = weight.Saw(page.Count, page.Sum(row => (long)row.MessageJson.Length));
        if (page.Count > 0) after = page[^1].Id;
        return page;
    }
}

/// <summary>Name that a log is filed under. <paramref name="Run"/>: the only run whose lines are wanted, or null.</summary>
internal sealed record LogName(string Workflow, string Job, RunRef? Run);
