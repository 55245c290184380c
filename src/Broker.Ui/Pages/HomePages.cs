using Broker.Operators;
using Broker.Operators.Where;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>The overview: figures that say whether anything is wrong.</summary>
internal static class HomePages
{
    private const int Newest = 8;
    private const int MostCounted = 1000;

    public static async Task<IResult> ShowAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        var queues = await api.ListQueuesAsync(ct);
        var workers = await api.ListWorkersAsync(new() { Limit = Limits.LargestPage }, ct);
        var overview = new HomeFacts(
            await CountAsync("status=active"),
            await CountAsync("status=failed since=1h"),
            await CountAsync("status=failed since=24h"),
            await api.ListWaitingAsync(new() { For = "people", Limit = Newest }, ct),
            queues.Items,
            workers,
            await api.ExplainAsync(new(WhereExpression.All), ct),
            await ListAsync("status=failed"),
            await ListAsync(""));
        return PageResult.Show<HomePage>(new() { [nameof(HomePage.Page)] = page, [nameof(HomePage.Facts)] = overview });

        Task<RunCount> CountAsync(string where) => api.CountRunsAsync(QueryOf(where), MostCounted, ct);
        async Task<IReadOnlyList<RunSummary>> ListAsync(string where) => (await api.ListRunsAsync(QueryOf(where) with { Limit = Newest }, ct)).Items;
    }

    private static RunQuery QueryOf(string where) =>
        WhereExpression.TryParse(where, out var expression, out var error) ? new(expression) : throw new InvalidOperationException(error!.ToString());
}

/// <summary>Figures of the overview.</summary>
public sealed record HomeFacts(
    RunCount Active, RunCount FailedLastHour, RunCount FailedLastDay, Listing<WaitingStep> People, IReadOnlyList<WorkQueue> Queues, Listing<WorkerInfo> Workers,
    RunsExplanation Stuck, IReadOnlyList<RunSummary> NewestFailed, IReadOnlyList<RunSummary> Newest)
{
    public IEnumerable<WorkQueue> Starved => Queues.Where(queue => queue.WorkersAble == 0 && queue.Depth.Count > 0);

    public int Silent => Workers.Items.Count(worker => worker.Status == "silent");

    public int SilentWithLeases => Workers.Items.Count(worker => worker is { Status: "silent", Leases: > 0 });
}
