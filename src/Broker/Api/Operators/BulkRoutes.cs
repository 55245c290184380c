using System.Globalization;
using Broker.Auth;
using Broker.Engine;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Actions on many runs.</summary>
internal static class BulkRoutes
{
    public static void MapBulk(this RouteGroupBuilder api)
    {
        api.MapPost("/bulk", PlanAsync).WithName("PlanBulk").WithSummary("Try an action on many runs, or start it at once")
            .WithDescription(
                "Without `dry_run: false` nothing is changed: the answer says what would happen, and `confirm` starts it within 10 minutes. 202 for an action that was started. "
                + "Actions: retry, cancel, pause, resume, restart, terminate, delete (needs the scope delete too), tag, send_event (needs event too).")
            .TakesJson<NewBulk>(isOptional: false).Answers<BulkPlan>().Answers<BulkPlan>(StatusCodes.Status202Accepted).Refuses(400, 403, 413, 422).Takes()
            .RequireScope(Scope.Manage).ByWorkflow();
        api.MapGet("/bulk", ListAsync).WithName("ListBulk").WithSummary("Actions on many runs, newest first")
            .WithDescription("For a key that is limited to workflows: those of keys with some of the same limits.")
            .Lists<BulkState>().Refuses(400).Takes(PageParameters.Limit, PageParameters.Cursor)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/bulk/{bulk}", GetAsync).WithName("GetBulk").WithSummary("One action on many runs, with its progress")
            .Answers<BulkState>().Refuses(400, 404).Takes()
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/bulk/{bulk}/results", ResultsAsync).WithName("ListBulkResults").WithSummary("Outcome of an action for each of its runs")
            .Lists<BulkResult>().Refuses(400, 404)
            .Takes(QueryParameter.Text("outcome", $"Any of {string.Join(", ", RunWords.BulkOutcomes)}, separated by commas."), PageParameters.Limit, PageParameters.Cursor)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapPost("/bulk/{bulk}/start", StartAsync).WithName("StartBulk").WithSummary("Start an action that was tried")
            .WithDescription("`count` is the number of runs that the trial said. Where more than 1 % and 10 runs differ by now, the answer is 409 `changed`.")
            .TakesJson<BulkStart>(isOptional: false).Answers<BulkState>(StatusCodes.Status202Accepted).Refuses(400, 403, 404, 409, 413, 422).Takes()
            .RequireScope(Scope.Manage).ByWorkflow();
        api.MapPost("/bulk/{bulk}/stop", StopAsync).WithName("StopBulk").WithSummary("End an action before its last run")
            .WithDescription("Runs that the action was done to stay so.")
            .TakesJson<BulkStop>(isOptional: true).Answers<BulkState>().Refuses(400, 404, 409, 413, 422).Takes()
            .RequireScope(Scope.Manage).ByWorkflow();
    }

    private static async Task PlanAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.NewBulk, isOptional: false, ct);
        var plan = await api.PlanBulkAsync(body, ct);
        await JsonAnswer.SendAsync(http.Response, plan.Confirm is null ? StatusCodes.Status202Accepted : StatusCodes.Status200OK, plan, OperatorJson.Default.BulkPlan);
    }

    private static async Task ListAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListBulkAsync(query.Cursor, query.Limit(), ct), OperatorJson.Default.ListingBulkState);
    }

    private static async Task GetAsync(HttpContext http, IOperatorApi api, string bulk, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetBulkAsync(IdOf(bulk), ct), OperatorJson.Default.BulkState);

    private static async Task ResultsAsync(HttpContext http, IOperatorApi api, string bulk, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new BulkResultQuery { Outcomes = query.Words("outcome", RunWords.BulkOutcomes) });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListBulkResultsAsync(IdOf(bulk), chosen, ct), OperatorJson.Default.ListingBulkResult);
    }

    private static async Task StartAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string bulk, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.BulkStart, isOptional: false, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status202Accepted, await api.StartBulkAsync(IdOf(bulk), body, ct), OperatorJson.Default.BulkState);
    }

    private static async Task StopAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string bulk, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.BulkStop, isOptional: true, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.StopBulkAsync(IdOf(bulk), body, ct), OperatorJson.Default.BulkState);
    }

    private static long IdOf(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : throw OperatorException.NotFound($"There is no action '{text}' on many runs.");
}
