using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>The API for operators: runs of every dialect alike. Each route calls one method of <see cref="IOperatorApi"/>.</summary>
internal static class OperatorApi
{
    public const string Tag = "Operators";
    public const string Prefix = "/api/v1";

    public static void MapOperatorApi(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup(Prefix).WithTags(Tag).RefusesWith(OperatorProblems.SendAsync).AddEndpointFilter(OperatorFilter.InvokeAsync);
        api.MapGet("/me", MeRoute.GetAsync).WithName("GetMe").WithSummary("The caller, its scopes and the broker's version")
            .Answers<Me>().Takes()
            .RequireScope(Scope.Any).ByWorkflow();
        MapRuns(api);
    }

    private static void MapRuns(RouteGroupBuilder api)
    {
        api.MapGet("/runs", RunListRoutes.ListAsync).WithName("ListRuns").WithSummary("Runs of every dialect, newest first")
            .WithDescription("At most 5,000 runs are examined. Where that is not enough, `complete` is false, and `next` goes on from `searched_to`.")
            .Lists<RunSummary>().Refuses(400).Takes([.. RunListRoutes.Choice, RunListRoutes.Order, PageParameters.Limit, PageParameters.Cursor])
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/runs/count", RunListRoutes.CountAsync).WithName("CountRuns").WithSummary("Number of runs that fit, up to a bound")
            .WithDescription("At most 20,000 runs are examined. Where that is not enough, `complete` is false, and `searched_to` says how far the count came.")
            .Answers<RunCount>().Refuses(400).Takes([.. RunListRoutes.Choice, RunListRoutes.Max])
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/runs/{workflow}/{instance}", RunRoutes.GetAsync).WithName("GetRun").WithSummary("One run with its values, and the actions that it takes now")
            .Answers<RunDetail>().Refuses(400, 404).Takes(PageParameters.Run)
            .RequireScope(Scope.Read).ByWorkflow();
    }
}

/// <summary>Answers of these routes.</summary>
internal static class OperatorAnswers
{
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) => route.Produces<T>(status, JsonAnswer.ContentType);

    /// <summary>A page of items, shown by one.</summary>
    public static RouteHandlerBuilder Lists<T>(this RouteHandlerBuilder route) => route.Answers<Listing<T>>().WithExample(responseJson:
        $$"""{"items": [{{ExampleBook.Of(typeof(T))?.ToJsonString()}}], "next": "9Zl2mB0q1kYAAAAAAAAAAQ", "as_of": "2030-01-31T12:00:00.25Z", "complete": true}""");

    /// <summary>Every parameter of the query; others are refused.</summary>
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, params IEnumerable<QueryParameter> parameters) => route.WithMetadata([.. parameters]);

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) route.Produces<OperatorProblem>(status, OperatorProblems.ContentType);
        return route;
    }
}
