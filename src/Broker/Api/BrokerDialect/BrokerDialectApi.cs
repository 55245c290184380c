using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;

namespace Broker.Api.BrokerDialect;

/// <summary>The broker dialect: workers register the definitions they can run, pull single steps and report them.</summary>
internal static class BrokerDialectApi
{
    public const string Tag = "Broker dialect";

    /// <summary>Where the dialect is served once more, whole: at root <c>GET /workflows</c> belongs to another one.</summary>
    public const string Prefix = "/broker";

    public static void MapBrokerDialect(this IEndpointRouteBuilder routes)
    {
        Map(GroupAt(routes, ""));
        Map(GroupAt(routes, Prefix).NamedWith("Prefixed").WithMetadata(Alias.Mark));
        GroupAt(routes, Prefix).MapGet("/workflows", RepositoryRoutes.WorkflowsAsync).Describe("ListRepositoryWorkflows", QueryForms.None,
                "The workflows of every repository, in order of registration")
            .Produces<RepositoryWorkflow[]>()
            .RequireScope(Scope.Read | Scope.Worker);
    }

    private static RouteGroupBuilder GroupAt(IEndpointRouteBuilder routes, string prefix) => routes.MapGroup(prefix).WithTags(Tag)
        .RefusesWith(BrokerResponses.Form, static (http, status, message) => BrokerResponses.Fail(http, status, message))
        .WithErrorExample(404, "unknown worker_id 'w-81': register again");

    private static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/repository/register", RepositoryRoutes.RegisterAsync).Describe("RegisterRepository", QueryForms.None,
                "Store where workflow code lives; the same name again replaces the entry")
            .Takes<RepositoryRegistration>().Produces(204).Refuses(400, 413, 422)
            .RequireScope(Scope.Worker);
        api.MapGet("/repository", RepositoryRoutes.GetAsync).Describe("GetRepository", QueryForms.Repository,
                "One repository by name, or a page of all in order of registration (an array). `credentials` is filled in for keys with the scope of that name, and empty for others")
            .WithMetadata(RefusedToPages.Mark).Produces<RepositoryInfo>().OrProduces<RepositoryInfo[]>().Produces(404).Refuses(400)
            .RequireScope(Scope.Read | Scope.Worker | Scope.Credentials);

        api.MapPost("/worker/register", WorkerRoutes.RegisterAsync).Describe("RegisterWorker", QueryForms.None,
                "Register workflow schemas; answers with a new worker id. All or nothing")
            .Takes<WorkflowSchema[]>().Produces<string>().Refuses(400, 409, 413, 422, 429)
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/worker/keep-alive", WorkerRoutes.KeepAliveAsync).Describe("KeepAlive", QueryForms.Worker,
                "Sign of life; no body. 404: the worker must register again")
            .Produces(204).AnswersWithHeader(204, DrainNotice.Header).Refuses(400, 404)
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapGet("/workers", WorkerRoutes.ListAsync).Describe("ListWorkers", QueryForms.None,
                "Workers seen within the worker timeout, in order of registration")
            .Produces<WorkerInfo[]>()
            .RequireScope(Scope.Read);

        api.MapPost("/workflow/dispatch", DispatchRoutes.DispatchAsync).Describe("Dispatch", QueryForms.None,
                "Start a run of a workflow; answers with the new instance id")
            .Takes<Dispatch>().Produces<string>().Refuses(400, 409, 413, 422, 429).WithMetadata(StartsOnce.Mark)
            .RequireScope(Scope.Create).ByWorkflow();
        api.MapGet("/workflow/step", StepRoutes.ClaimAsync).Describe("ClaimStep", QueryForms.Claim,
                "Take the next step; 204 when there is none. With count: an array")
            .WithMetadata(NoHead.Mark, RefusedToPages.Mark).Produces<StepAssignment>().OrProduces<StepAssignment[]>().Produces(204).AnswersWithHeader(200, DrainNotice.Header).AnswersWithHeader(204, DrainNotice.Header).Refuses(400, 404)
            .RequireScope(Scope.Worker).ByWorkflow().EndsWithKey();
        api.MapPost("/workflow/step", StepRoutes.ReportAsync).Describe("ReportStep", QueryForms.Report,
                "Report how a step ended. A report on a step that the worker does not hold, or on a run that is gone, is ignored with 204. An array of reports, or claim: 200")
            .Takes<StepOutcome>().WithMetadata(new OtherForm(typeof(StepOutcome[]))).Produces(204).Produces<ReportsAndClaims>().OrProduces<StepVerdict[]>().AnswersWithHeader(200, DrainNotice.Header).Refuses(400, 404, 413, 422)
            .RequireScope(Scope.Worker).ByWorkflow().EndsWithKey();
        api.MapPost("/workflow/step/events", LeaseRoutes.PublishAsync).Describe("PublishStepEvents", QueryForms.Worker,
                "Extension: publish events on the run's stream while the step runs")
            .Takes<StepPublication>().Produces(204).Refuses(400, 404, 409, 413, 422)
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/workflow/step/heartbeat", LeaseRoutes.HeartbeatAsync).Describe("RenewSteps", QueryForms.Worker,
                "Extension: renew the leases of steps that take long")
            .Takes<HeldStep[]>().Produces<HeldStepVerdict[]>().AnswersWithHeader(200, DrainNotice.Header).Refuses(400, 404, 413, 422)
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/workflow/step/release", LeaseRoutes.ReleaseAsync).Describe("ReleaseStep", QueryForms.Worker,
                "Extension: hand a step back; it costs no retry")
            .Takes<HeldStep>().Produces(204).Refuses(400, 404, 409, 413, 422)
            .RequireScope(Scope.Worker).ByWorkflow();

        api.MapGet("/status", DispatchRoutes.StatusAsync).Describe("Status", QueryForms.None, "The broker answers")
            .Produces<StatusInfo>()
            .RequireScope(Scope.Any).ByWorkflow();
    }

    /// <summary>Names are unique in the API document.</summary>
    private static RouteGroupBuilder NamedWith(this RouteGroupBuilder group, string suffix)
    {
        ((IEndpointConventionBuilder)group).Finally(route =>
        {
            if (route.Metadata.OfType<IEndpointNameMetadata>().LastOrDefault() is { } named) route.Metadata.Add(new EndpointNameMetadata(named.EndpointName + suffix));
        });
        return group;
    }

    /// <summary>The form is what makes a plain request delegate appear in the OpenAPI document.</summary>
    private static RouteHandlerBuilder Describe(this IEndpointConventionBuilder route, string name, QueryForm query, string summary) =>
        new RouteHandlerBuilder([route.WithMetadata(query.Metadata)]).WithName(name).WithSummary(summary);

    private static RouteHandlerBuilder Takes<T>(this RouteHandlerBuilder route)
        where T : notnull => route.Accepts<T>(JsonAnswer.ContentType);

    private static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses) route.Produces<RequestRefused>(status);
        return route;
    }
}
