using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Workflows, and steps that wait for events.</summary>
internal static class WorkflowReadRoutes
{
    public static readonly QueryParameter Search = QueryParameter.Text("q", "Text that the name holds, in any case.");

    public static readonly QueryParameter Version = QueryParameter.Text("version", "A version; default: the one that a start runs.");

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

    public static async Task VersionsAsync(HttpContext http, IOperatorApi api, string workflow, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListVersionsAsync(workflow, ct), OperatorJson.Default.ListingWorkflowVersion);

    public static async Task WaitingAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = new WaitQuery
        {
            For = query.Text("for") is null ? null : query.Word("for", "", "people", "events"),
            Types = query.List("type"),
            Workflows = query.List("workflow"),
            Overdue = query.Flag("overdue"),
            Cursor = query.Cursor,
            Limit = query.Limit(),
        };
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListWaitingAsync(chosen, ct), OperatorJson.Default.ListingWaitingStep);
    }
}
