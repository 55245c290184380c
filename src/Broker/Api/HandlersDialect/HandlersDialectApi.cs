using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Startup;

namespace Broker.Api.HandlersDialect;

/// <summary>The handlers dialect at its documented paths, and once more in the newest servers' form (handlers contract 1, 12).</summary>
internal static class HandlersDialectApi
{
    private const string Tag = "Handlers dialect";
    private const string Json = JsonAnswer.ContentType;

    /// <summary>Without it routing refuses what clients send: a body with no content type, or a wrong one.</summary>
    private const string AnyType = "*/*";

    /// <summary>Its clients expect plain text, and send credentials from web pages.</summary>
    public static DialectPaths Paths { get; } = new(
        ["workflows", "handlers", "events", "results", "agents", "health"],
        static (http, status, message) => HandlersErrors.TextAsync(http.Response, status, message),
        WithCredentials: true);

    private static readonly QueryParameter[] StreamParameters =
    [
        QueryParameter.Flag("sse", "True (when left out): server-sent events. False: one JSON object a line."),
        QueryParameter.Flag("include_internal", "With internal events; false when left out."),
        QueryParameter.Flag("include_qualified_name", "With the qualified names of events; true when left out."),
        QueryParameter.Number("acquire_timeout", "Seconds to wait while another client reads the same queue; 1 when left out."),
        QueryParameter.TextOrInteger("after_sequence", "Events behind that number, or `now`: those that are published later."),
    ];

    private static readonly HeaderParameter LastEventId = new("Last-Event-ID", "With `sse`: number of the last event that was read; the stream goes on behind it.");

    public static void MapHandlersDialect(this IEndpointRouteBuilder routes)
    {
        Map(routes, HandlersMount.Root);
        Map(routes, HandlersMount.Current);
    }

    private static void Map(IEndpointRouteBuilder routes, HandlersMount mount)
    {
        var api = routes.MapGroup(mount.Prefix).WithTags(Tag).WithMetadata(mount)
            .RefusesWith(HandlersErrors.FormOf(mount), (http, status, message) => HandlersErrors.ErrorAsync(http, mount, status, message))
            .WithErrorExample(404, HandlersErrors.HandlerNotFound);
        if (mount.Prefix.Length > 0) api.WithMetadata(Alias.Mark);
        var errors = mount.ErrorsAsJson ? Json : "text/plain";
        var failure = mount.ErrorsAsJson ? typeof(HandlerDto) : typeof(string);
        var message = mount.ErrorsAsJson ? typeof(HandlersErrorDto) : typeof(string);

        api.MapGet("/health", WorkflowRoutes.HealthAsync).Named(mount, "Health", "Health check")
            .Produces<StatusDto>(200, Json).Produces<StatusDto>(503, Json)
            .AllowAnonymous().WithMetadata(AnswersBeforeStart.Mark);
        api.MapGet("/workflows", WorkflowRoutes.ListAsync).Named(mount, "ListWorkflows", "List workflows")
            .Produces<WorkflowNamesDto>(200, Json)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapPost("/workflows/{name}/run", RunRoutes.RunAsync).Named(mount, "RunWorkflow", "Run workflow (wait)")
            .Accepts<RunRequestDto>(isOptional: true, Json, AnyType).Produces<HandlerDto>(200, Json).Refuses(message, errors, 400, 404, 409, 413, 422, 429, 503)
            .Refuses(failure, errors, 500).WithMetadata(StartsOnce.Mark).WithErrorExample(404, HandlersErrors.WorkflowNotFound)
            .RequireScope(Scope.Create).ByWorkflow().EndsWithKey();
        api.MapPost("/workflows/{name}/run-nowait", RunRoutes.RunNowaitAsync).Named(mount, "RunWorkflowNowait", "Run workflow (no-wait)")
            .Accepts<RunRequestDto>(isOptional: true, Json, AnyType).Produces<HandlerDto>(200, Json).Refuses(message, errors, 400, 404, 409, 413, 422, 429).WithMetadata(StartsOnce.Mark).WithErrorExample(404, HandlersErrors.WorkflowNotFound)
            .RequireScope(Scope.Create).ByWorkflow();
        api.MapGet("/workflows/{name}/schema", WorkflowRoutes.SchemaAsync).Named(mount, "GetWorkflowSchema", "Get JSON schema for start event")
            .Produces<WorkflowSchemaDto>(200, Json).Refuses(message, errors, 404).WithErrorExample(404, HandlersErrors.WorkflowNotFound)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/workflows/{name}/events", WorkflowRoutes.EventsAsync).Named(mount, "ListWorkflowEvents", "List workflow events")
            .Produces<WorkflowEventsDto>(200, Json).Refuses(message, errors, 404).WithErrorExample(404, "Workflow 'invoice' not found")
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/workflows/{name}/representation", WorkflowRoutes.RepresentationAsync)
            .Named(mount, "GetWorkflowRepresentation", "Get the representation of the workflow")
            .Produces<WorkflowGraphDto>(200, Json).Refuses(message, errors, 404).WithErrorExample(404, HandlersErrors.WorkflowNotFound)
            .RequireScope(Scope.Read).ByWorkflow();

        api.MapGet("/handlers", HandlerRoutes.ListAsync).Named(mount, "ListHandlers", "Get handlers").Produces<HandlersListDto>(200, Json)
            .Refuses(message, errors, 400)
            .TakesQuery(
                QueryParameter.Texts("status", "Only handlers in that status.", "running", "completed", "failed", "cancelled"),
                QueryParameter.Texts("workflow_name", "Only handlers of that workflow."),
                new QueryParameter("limit", "Extension: most handlers of a page; 100 when left out with `cursor`.", 1000) { Least = 1 },
                QueryParameter.Text("cursor", "Extension: the `cursor` of the page before."))
            .WithDescription(
                "All handlers, oldest first. `status` and `workflow_name` may be repeated: values of one are alternatives, blank ones count for nothing, "
                + "and a word that is no status matches no handler. An extension: `limit` (1 to 1000) or `cursor` asks for one page, and the answer then "
                + "has the `cursor` of the next.")
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/handlers/{handler_id}", HandlerRoutes.GetAsync).Named(mount, "GetHandler", "Get handler")
            .Produces<HandlerDto>(200, Json).Produces<HandlerDto>(202, Json).Refuses(message, errors, 404).Produces<HandlerDto>(500, Json)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapPost("/handlers/{handler_id}/cancel", HandlerRoutes.CancelAsync).Named(mount, "CancelHandler", "Stop and delete handler")
            .Produces<StatusDto>(200, Json).Refuses(message, errors, 404).TakesQuery(QueryParameter.Flag("purge", "Deletes the handler, in any state; false when left out."))
            .RequireScope(Scope.Manage).ByWorkflow();
        api.MapGet("/results/{handler_id}", HandlerRoutes.ResultAsync).Named(mount, "GetResult", "Get workflow result")
            .Produces<HandlerDto>(200, Json).Produces<HandlerDto>(202, Json).Refuses(message, errors, 404).Refuses(failure, errors, 500)
            .RequireScope(Scope.Read).ByWorkflow();

        api.MapGet("/events/{handler_id}", EventRoutes.StreamAsync).Named(mount, "StreamEvents", "Stream workflow events").WithMetadata(NoHead.Mark)
            .Produces<StreamEventDto>(200, "text/event-stream", "application/x-ndjson").Produces(204).Refuses(message, errors, 400, 404, 409, 429)
            .TakesQuery(StreamParameters).TakesHeader(LastEventId)
            .AddEndpointFilter(StreamSlots.FilterAsync)
            .RequireScope(Scope.Read).ByWorkflow().EndsWithKey();
        api.MapPost("/events/{handler_id}", EventRoutes.SendAsync).Named(mount, "SendEvent", "Send event to workflow")
            .Accepts<SendEventDto>(Json, AnyType).Produces<StatusDto>(200, Json).Refuses(message, errors, 400, 404, 409, 413)
            .RequireScope(Scope.Event).ByWorkflow();

        MapRefusals(api, mount);
    }

    /// <summary>
    /// Wrong methods and unknown paths below this dialect's first segments. Any other endpoint that matches comes first, so that nothing
    /// of another dialect is hidden.
    /// </summary>
    private static void MapRefusals(RouteGroupBuilder api, HandlersMount mount)
    {
        (string Template, string Methods)[] known =
        [
            ("/health", "GET"), ("/workflows", "GET"), ("/workflows/{name}/run", "POST"), ("/workflows/{name}/run-nowait", "POST"),
            ("/workflows/{name}/schema", "GET"), ("/workflows/{name}/events", "GET"), ("/workflows/{name}/representation", "GET"), ("/handlers", "GET"),
            ("/handlers/{handler_id}", "GET"), ("/handlers/{handler_id}/cancel", "POST"), ("/results/{handler_id}", "GET"), ("/events/{handler_id}", "GET, POST"),
        ];
        string[] below = mount.Prefix.Length > 0 ? ["/{**rest}"] : ["/workflows/{**rest}", "/handlers/{**rest}", "/results/{**rest}", "/events/{**rest}"];
        foreach (var (template, methods) in known)
        {
            api.Map(template, MethodNotAllowedAsync).WithMetadata(new AllowedMethods(methods)).WithOrder(int.MaxValue - 1).ExcludeFromDescription()
                .RequireScope(Scope.Any).ByWorkflow();
        }

        foreach (var template in below)
            api.Map(template, NotFoundAsync).WithOrder(int.MaxValue).ExcludeFromDescription().RequireScope(Scope.Any).ByWorkflow();
    }

    private static Task MethodNotAllowedAsync(HttpContext http, HandlersMount mount)
    {
        http.Response.Headers.Allow = http.GetEndpoint()!.Metadata.GetRequiredMetadata<AllowedMethods>().Names;
        return HandlersErrors.ErrorAsync(http, mount, StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");
    }

    private static Task NotFoundAsync(HttpContext http, HandlersMount mount) => HandlersErrors.NotFoundAsync(http, mount, "Not Found");

    private static RouteHandlerBuilder Named(this RouteHandlerBuilder route, HandlersMount mount, string name, string summary) =>
        route.WithName($"{mount.Name}{name}").WithSummary(summary);

    private static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, Type body, string contentType, params int[] statuses)
    {
        foreach (var status in statuses) route.WithMetadata(new ProducesResponseTypeMetadata(status, body, [contentType]));
        return route;
    }

    private sealed record AllowedMethods(string Names);
}
