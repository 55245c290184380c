using Broker.Engine;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;
using Broker.Operators.Graphs;

namespace Broker.Api.Operators;

/// <summary>Workflows, and steps that wait for events.</summary>
internal static class WorkflowReadRoutes
{
    public static readonly QueryParameter Search = QueryParameter.Text("q", "Text that the name holds, in any case.");

    public static readonly QueryParameter Version = QueryParameter.Text("version", "A version; default: the one that a start runs.");

    public static readonly QueryParameter Fold = new("fold", "More steps than that with the same predecessors and successors are drawn as one; default 8.", 1000) { Least = 1 };

    /// <summary>Parameters that choose waits.</summary>
    public static IReadOnlyList<QueryParameter> Waits { get; } =
    [
        QueryParameter.Text("for", "Waits for people, or for other events.", "people", "events"),
        QueryParameter.Text("type", "Event types, separated by commas."),
        QueryParameter.Text("workflow", "Names of workflows, separated by commas."),
        QueryParameter.Flag("overdue", "Only waits whose time has passed."),
        PageParameters.Limit,
        PageParameters.Cursor,
    ];

    public static async Task ListAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListWorkflowsAsync(query.Text("q"), query.Cursor, query.Limit(), ct), OperatorJson.Default.ListingWorkflowSummary);
    }

    public static async Task GetAsync(HttpContext http, IOperatorApi api, string workflow, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetWorkflowAsync(workflow, new OperatorQuery(http.Request).Text("version"), ct), OperatorJson.Default.WorkflowDetail);

    public static async Task ApplyAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, CancellationToken ct)
    {
        var file = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.WorkflowText, isOptional: false, ct);
        using var turn = new DefinitionTurn();
        await turn.EnterAsync(file.Text?.Length ?? 0, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ApplyAsync(workflow, file, ct), OperatorJson.Default.AppliedWorkflow);
    }

    public static async Task VersionsAsync(HttpContext http, IOperatorApi api, string workflow, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListVersionsAsync(workflow, ct), OperatorJson.Default.ListingWorkflowVersion);

    public static async Task GraphAsync(HttpContext http, IOperatorApi api, string fingerprint, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        int? fold = query.Text("fold") is null ? null : query.Number("fold", GraphLayout.UsualFold, 1, 1000);
        var graph = await api.GetGraphAsync(fingerprint, fold, ct);

        // For the caller's own browser: another key may not know the workflow.
        http.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, graph, OperatorJson.Default.GraphGeometry);
    }

    public static async Task WaitingAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new WaitQuery
        {
            For = query.Text("for") is null ? null : query.Word("for", "", "people", "events"),
            Types = query.List("type"),
            Workflows = query.List("workflow"),
            Overdue = query.Flag("overdue"),
        });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListWaitingAsync(chosen, ct), OperatorJson.Default.ListingWaitingStep);
    }
}
