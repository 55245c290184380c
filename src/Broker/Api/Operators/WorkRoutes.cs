using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;
using Broker.Operators.Where;

namespace Broker.Api.Operators;

/// <summary>Queues, workers, causes over all runs, and the audit trail.</summary>
internal static class WorkRoutes
{
    /// <summary>Parameters that choose workers.</summary>
    public static IReadOnlyList<QueryParameter> Workers { get; } =
    [
        QueryParameter.Text("status", "fresh: seen within the worker timeout.", "fresh", "silent"),
        QueryParameter.Text("label", "Labels that a worker offers, all of them; separated by commas."),
        QueryParameter.Text("workflow", "Only workers that serve this workflow by name."),
        QueryParameter.Flag("busy", "Only workers that hold a lease."),
        PageParameters.Limit,
        PageParameters.Cursor,
    ];

    /// <summary>Parameters that choose entries of the audit trail.</summary>
    public static IReadOnlyList<QueryParameter> Entries { get; } =
    [
        QueryParameter.Text("action", "Exactly this action."),
        QueryParameter.Text("workflow", "Exactly this workflow."),
        QueryParameter.Text("key", "Exactly this key id."),
        QueryParameter.Text("since", "At that instant or later: an instant, a day, or a time ago such as `1h`."),
        PageParameters.Limit,
        PageParameters.Cursor,
    ];

    public static async Task QueuesAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListQueuesAsync(ct), OperatorJson.Default.ListingWorkQueue);

    public static async Task WorkersAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new WorkerQuery
        {
            Status = query.Text("status") is null ? null : query.Word("status", "", "fresh", "silent"),
            Labels = query.List("label"),
            Workflow = query.Text("workflow"),
            Busy = query.Flag("busy"),
        });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListWorkersAsync(chosen, ct), OperatorJson.Default.ListingWorkerInfo);
    }

    public static async Task WorkerAsync(HttpContext http, IOperatorApi api, string worker, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetWorkerAsync(worker, ct), OperatorJson.Default.WorkerInfo);

    public static async Task ExplainAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ExplainAsync(RunListRoutes.ChoiceOf(new OperatorQuery(http.Request)), ct), OperatorJson.Default.RunsExplanation);

    public static async Task AuditAsync(HttpContext http, IOperatorApi api, TimeProvider clock, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        DateTimeOffset? since = null;
        if (query.Text("since") is { } text)
        {
            if (!WhereValues.TryInstant(text, clock.GetUtcNow(), out var instant)) throw OperatorException.BadParameter("since", "expected an instant such as 2030-01-31T12:00:00Z, a day, or a time ago such as 1h");
            since = instant;
        }

        var chosen = query.Page(new AuditQuery { Action = query.Text("action"), Workflow = query.Text("workflow"), Key = query.Text("key"), Since = since });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListAuditAsync(chosen, ct), OperatorJson.Default.ListingAuditRecord);
    }
}
