using Broker.Operators;
using Broker.Ui.Routing;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Pages;

/// <summary>Waits, workers, queues and the audit trail.</summary>
internal static class WorkPages
{
    public static async Task<IResult> WaitingAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var kind = query.Text("for") is "people" or "events" ? query.Text("for") : null;
        var list = await api.ListWaitingAsync(new() { For = kind, Cursor = query.Text("cursor") }, ct);
        return PageResult.Show<WaitingPage>(new() { [nameof(WaitingPage.Page)] = page, [nameof(WaitingPage.Waits)] = list, [nameof(WaitingPage.For)] = kind });
    }

    public static async Task<IResult> WorkersAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var list = await api.ListWorkersAsync(new() { Cursor = query.Text("cursor") }, ct);
        return PageResult.Show<WorkersPage>(new() { [nameof(WorkersPage.Page)] = page, [nameof(WorkersPage.Workers)] = list });
    }

    public static async Task<IResult> WorkerAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        var worker = await api.GetWorkerAsync(new PageQuery(http.Request).Segment("worker"), ct);
        return PageResult.Show<WorkerPage>(new() { [nameof(WorkerPage.Page)] = page, [nameof(WorkerPage.Worker)] = worker });
    }

    public static async Task<IResult> QueuesAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        return PageResult.Show<QueuesPage>(new() { [nameof(QueuesPage.Page)] = page, [nameof(QueuesPage.Queues)] = (await api.ListQueuesAsync(ct)).Items });
    }

    public static async Task<IResult> SystemAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var page = await PageResult.ContextAsync(http, api, ct);
        return PageResult.Show<SystemPage>(new() { [nameof(SystemPage.Page)] = page, [nameof(SystemPage.Facts)] = await api.GetSystemAsync(ct) });
    }

    public static async Task<IResult> AuditAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new PageQuery(http.Request);
        var page = await PageResult.ContextAsync(http, api, ct);
        var list = await api.ListAuditAsync(new() { Action = query.Text("action"), Workflow = query.Text("workflow"), Key = query.Text("key"), Cursor = query.Text("cursor") }, ct);
        return PageResult.Show<AuditPage>(new() { [nameof(AuditPage.Page)] = page, [nameof(AuditPage.Entries)] = list });
    }
}
