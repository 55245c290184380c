using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Settings;

namespace Broker.Api.InstancesDialect;

/// <summary>
/// Workflows and their instances under a base path. Clients of two ages exist: some write <c>X/workflows/NAME/instances</c>, some
/// <c>X/NAME/instances</c>. Both work, and what both could mean is the first, since a literal segment beats a parameter in routing.
/// </summary>
internal static class InstancesDialectApi
{
    public const string Tag = "Instances dialect";

    private static readonly QueryParameter PageSize = new("pageSize", "Rows of a page; 25 when left out.", PageSizes.Largest) { Least = 1 };

    private static readonly QueryParameter[] History =
    [
        new("runNumber", "Number of the run, from 0; the newest when left out."), PageSize,
        Cursor("stepsCursor"), Cursor("eventsCursor"), Cursor("logsCursor"),
        QueryParameter.Flag("includeLogs", "With log lines; false when left out."),
        QueryParameter.Text("logLevel", "Only lines of this level.", "debug", "info", "warn", "error"),
        QueryParameter.Text("logCategory", "Only lines of this category."),
        QueryParameter.Text("order", "Order of each list; desc when left out.", "asc", "desc"),
    ];

    public static void MapInstancesDialect(this IEndpointRouteBuilder routes, BrokerSettings settings)
    {
        var basePath = InstancePaths.Base(settings);
        var api = routes.MapGroup("").WithTags(Tag).AddEndpointFilter(InstancesFilter.InvokeAsync)
            .RefusesWith(
                InstanceError.Form,
                static (http, status, message) => InstanceError.Refused(status, message).SendAsync(http),
                static (http, status, message) => (InstanceError.Refused(status, message) with { Message = message }).SendAsync(http))
            .WithErrorExample(404, InstanceError.UnknownInstance.Message).WithErrorExample(409, InstanceError.Terminal.Message).WithErrorExample(400, InstanceError.Validation.Message);

        api.MapGet($"{basePath}/workflows", InstancesRoutes.ListWorkflows)
            .WithName("ListInstanceWorkflows").WithSummary("Registered workflows; also at the base path with a trailing slash")
            .Produces<WorkflowNamesDto>()
            .RequireScope(Scope.Read).ByWorkflow();
        MapTick(api, basePath, "");
        MapInstances(api.MapGroup($"{basePath}/workflows/{{workflowName}}/instances"), "");
        MapInstances(api.MapGroup($"{basePath}/{{workflowName}}/instances").WithMetadata(new FlatPath(), Alias.Mark), "Flat");

        // At root as well: these paths collide with nothing. The list of workflows there belongs to the handlers dialect.
        var root = api.MapGroup("").WithMetadata(Alias.Mark);
        MapTick(root, "", "AtRoot");
        MapInstances(root.MapGroup("/workflows/{workflowName}/instances"), "AtRoot");

        MapUnknown(api, $"{basePath}/workflows/{{**rest}}");
        MapUnknown(api, $"{basePath}/{{workflowName}}/instances/{{**rest}}");
        MapUnknown(api, $"{basePath}/_runner/{{**rest}}");
        MapUnknown(api, "/workflows/{workflowName}/instances/{**rest}");
        MapUnknown(api, "/_runner/{**rest}");
    }

    private static QueryParameter Cursor(string name) => QueryParameter.Text(name, "Cursor of the page that is asked for, from the page before.");

    private static void MapInstances(RouteGroupBuilder instances, string variant)
    {
        instances.MapGet("", InstancesRoutes.ListInstances)
            .WithName($"ListInstances{variant}").WithSummary("Instances by descending id, or with a status by descending last update")
            .TakesQuery(QueryParameter.Text("status", "Only instances in that status; `active`, on flat paths, stands for several.", InstancesStatuses.Asked), PageSize, Cursor("cursor"))
            .WithDescription(PageSizes.Text)
            .Produces<InstancePageDto>().Fails(400, 404).WithErrorExample(404, InstanceError.UnknownWorkflow.Message)
            .RequireScope(Scope.Read).ByWorkflow();
        instances.MapPost("", InstancesRoutes.Create)
            .WithName($"CreateInstance{variant}").WithSummary("Start an instance; an id in use is a conflict")
            .TakesJson<CreateInstanceDto>().Produces<InstanceStatusDto>().Fails(400, 404, 409, 413, 422, 429).WithErrorExample(409, InstanceError.AlreadyExists.Message).WithErrorExample(422, InstanceError.KeyReused.Message).WithMetadata(StartsOnce.Mark).WithErrorExample(404, InstanceError.UnknownWorkflow.Message)
            .RequireScope(Scope.Create).ByWorkflow();
        instances.MapPost("/batch", InstancesRoutes.CreateBatch)
            .WithName($"CreateInstances{variant}").WithSummary("Start up to 100 instances, all or none; ids in use are skipped")
            .TakesJson<CreateInstancesDto>().Produces<InstanceStatusesDto>().Fails(400, 404, 413, 429).WithErrorExample(404, InstanceError.UnknownWorkflow.Message)
            .RequireScope(Scope.Create).ByWorkflow();
        instances.MapGet("/{instanceId}", InstancesRoutes.Details)
            .WithName($"GetInstance{variant}").WithSummary("Status, metadata and the current step")
            .Produces<InstanceDetailsDto>().Fails(400, 404)
            .RequireScope(Scope.Read).ByWorkflow();
        instances.MapGet("/{instanceId}/history", InstancesRoutes.History)
            .WithName($"GetInstanceHistory{variant}").WithSummary("Steps, events and (with includeLogs=true) log lines of a run")
            .TakesQuery(History)
            .WithDescription($"{PageSizes.Text} It holds for each of the three lists. A step that waits for a worker is `waiting` with 0 attempts.")
            .Produces<InstanceHistoryDto>().Fails(400, 404)
            .RequireScope(Scope.Read).ByWorkflow();
        instances.MapPost("/{instanceId}/pause", InstancesRoutes.Pause)
            .WithName($"PauseInstance{variant}").WithSummary("Hand out nothing more; a running step ends first")
            .Produces<OkDto>().Fails(400, 404, 409)
            .RequireScope(Scope.Manage).ByWorkflow();
        instances.MapPost("/{instanceId}/resume", InstancesRoutes.Resume)
            .WithName($"ResumeInstance{variant}").WithSummary("Go on after a pause")
            .Produces<OkDto>().Fails(400, 404)
            .RequireScope(Scope.Manage).ByWorkflow();
        instances.MapPost("/{instanceId}/restart", InstancesRoutes.Restart)
            .WithName($"RestartInstance{variant}").WithSummary("A new run with the same params, in any state")
            .Produces<OkDto>().Fails(400, 404)
            .RequireScope(Scope.Manage).ByWorkflow();
        instances.MapPost("/{instanceId}/terminate", InstancesRoutes.Terminate)
            .WithName($"TerminateInstance{variant}").WithSummary("End the current run at once")
            .Produces<OkDto>().Fails(400, 404, 409)
            .RequireScope(Scope.Manage).ByWorkflow();
        instances.MapPost("/{instanceId}/events", InstancesRoutes.SendEvent)
            .WithName($"SendInstanceEvent{variant}").WithSummary("Send an event; the answer holds the status before it took effect")
            .TakesJson<SendEventDto>().Produces<EventStatusDto>().Fails(400, 404, 409, 413)
            .RequireScope(Scope.Event).ByWorkflow();
    }

    private static void MapTick(RouteGroupBuilder api, string basePath, string variant) =>
        api.MapPost($"{basePath}/_runner/tick", InstancesRoutes.Tick)
            .WithName($"TickRunner{variant}").WithSummary("Do what is due now, instead of at the scheduler's next turn")
            .MayTakeJson<TickDto>().Produces<TickedDto>().Fails(400, 403, 413).WithErrorExample(403, InstanceError.TickDisabled.Message)
            .RequireScope(Scope.Tick);

    // Last in order: another dialect's route under the same path is found first.
    private static void MapUnknown(RouteGroupBuilder api, string pattern) =>
        api.Map(pattern, InstancesRoutes.UnknownRoute).WithOrder(int.MaxValue).ExcludeFromDescription().RequireScope(Scope.Any).ByWorkflow();

    private static RouteHandlerBuilder Fails(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) route.Produces<InstanceErrorDto>(status);
        return route;
    }

    // A body is read as JSON, whatever its content type says; routing would refuse what is not named here.
    private static RouteHandlerBuilder MayTakeJson<T>(this RouteHandlerBuilder route) where T : notnull =>
        route.Accepts<T>(isOptional: true, "application/json", "*/*");

    private static RouteHandlerBuilder TakesJson<T>(this RouteHandlerBuilder route) where T : notnull => route.MayTakeJson<T>().WithMetadata(NeedsBody.Mark);
}
