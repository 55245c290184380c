using System.Text.Json.Nodes;
using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Operators;
using Broker.Operators.Graphs;

namespace Broker.Api.Operators;

/// <summary>The API for operators: runs of every dialect alike. Each route calls one method of <see cref="IOperatorApi"/>.</summary>
internal static class OperatorApi
{
    public const string Tag = "Operators";
    public const string Prefix = "/api/v1";

    public static void MapOperatorApi(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup(Prefix).WithTags(Tag).RefusesWith(ProblemAnswer.Form with { Example = ExampleOf }, ProblemAnswer.SendAsync).AddEndpointFilter(OperatorFilter.InvokeAsync)
            .WithErrorExample(404, "There is no instance 'build-812' in workflow 'ci'.");
        api.MapGet("/me", MeRoute.GetAsync).WithName("GetMe").WithSummary("The caller, its scopes and the broker's version")
            .Answers<Me>().Takes()
            .RequireScope(Scope.Any).ByWorkflow();
        MapRuns(api);
    }

    private static JsonNode ExampleOf(int status, string message)
    {
        var own = status switch
        {
            400 => OperatorException.BadParameter("limit", $"expected an integer from 1 to {Limits.LargestPage}"),
            409 => new OperatorException(status, "not_allowed", "The run has ended (succeeded).") { RunStatus = "succeeded" },
            422 => new OperatorException(status, "invalid_body", "/reason expected a string", "/reason") { Errors = [new("/reason", "expected a string")] },
            _ => null,
        };
        return own is null ? ProblemAnswer.Form.Example(status, message) : ProblemAnswer.ExampleOf(own);
    }

    private static void MapRuns(RouteGroupBuilder api)
    {
        api.MapGet("/runs", RunListRoutes.ListAsync).WithName("ListRuns").WithSummary("Runs of every dialect, newest first")
            .WithDescription("At most 5,000 runs are examined. Where that is not enough, `complete` is false, and `next` goes on from `searched_to`.")
            .Lists<RunSummary>().Refuses(400).Takes([.. RunListRoutes.Choice, RunListRoutes.Order, PageParameters.Limit, PageParameters.Cursor])
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/runs/count", RunListRoutes.CountAsync).WithName("CountRuns").WithSummary("Number of runs that fit, up to a bound")
            .WithDescription("At most 20,000 runs are examined. Where that is not enough, `complete` is false, and `searched_to` says how far the count came.")
            .Answers<RunCount>().Refuses(400).Takes([.. RunListRoutes.Choice, RunListRoutes.Max, OverviewRoutes.Group])
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/runs/{workflow}/{instance}", RunRoutes.GetAsync).WithName("GetRun").WithSummary("One run with its values, and the actions that it takes now")
            .WithDescription("With `wait` the answer comes when the run has ended, or after so many seconds.")
            .Answers<RunDetail>().Refuses(400, 404).Takes(PageParameters.Run, RunRoutes.Wait)
            .RequireScope(Scope.Read).ByWorkflow().EndsWithKey();
        MapOneRun(api.MapGroup("/runs/{workflow}/{instance}"));
        MapStreams(api.MapGroup("/runs/{workflow}/{instance}"));
        MapSteering(api.MapGroup("/runs/{workflow}/{instance}"));
        MapWorkflows(api);
        MapWork(api);
        api.MapWebhooks();
        api.MapSchedules();
        api.MapTypedEvents();
        api.MapBulk();
        api.MapOverviews();
        api.MapHolds();
        api.MapHands();
        api.MapChanges();
    }

    private static void MapSteering(RouteGroupBuilder run)
    {
        run.MapPost("/cancel", SteerRoutes.CancelAsync).WithName("CancelRun").WithSummary("End the newest run; steps that run after a cancel get `grace_ms`").Steers();
        run.MapPost("/terminate", SteerRoutes.TerminateAsync).WithName("TerminateRun").WithSummary("End the newest run at once").Steers();
        run.MapPost("/pause", SteerRoutes.PauseAsync).WithName("PauseRun").WithSummary("Hand out no further step of the newest run").Steers();
        run.MapPost("/resume", SteerRoutes.ResumeAsync).WithName("ResumeRun").WithSummary("Hand out the steps of a paused run again").Steers();
        run.MapPost("/restart", SteerRoutes.RestartAsync).WithName("RestartRun").WithSummary("Start a further run with the same inputs; the newest one is ended").Steers();
        run.MapPost("/retry", RerunRoutes.RetryAsync).WithName("RetryRun").WithSummary("Start a further run that keeps the steps which finished")
            .WithDescription("Runs what failed or was cancelled again, with all that follows it; `steps` names further steps. The run before stays as it is. 200 for `dry_run`.")
            .TakesJson<RunRetry>(isOptional: true).Answers<RunRerun>(StatusCodes.Status201Created).Answers<RunRerun>().Refuses(400, 404, 409, 413, 422).Takes()
            .RequireScope(Scope.Manage).ByWorkflow();
        run.MapPost("/fork", RerunRoutes.ForkAsync).WithName("ForkRun").WithSummary("Start a new instance that keeps finished steps of a run")
            .WithDescription("Runs `from` again with all that follows it, beside what failed, was cancelled or has not ended. Needs the scopes create and manage. 200 for `dry_run`.")
            .TakesJson<RunFork>(isOptional: true).Answers<RunRerun>(StatusCodes.Status201Created).Answers<RunRerun>().Refuses(400, 403, 404, 409, 413, 422).Takes(PageParameters.Run)
            .RequireScope(Scope.Manage).ByWorkflow();
        run.MapDelete("", SteerRoutes.DeleteAsync).WithName("DeleteRun").WithSummary("Delete an instance with all its runs").Steers(Scope.Delete);
        run.MapPost("/events", SteerRoutes.SendEventAsync).WithName("SendRunEvent").WithSummary("Send an event to the newest run")
            .TakesJson<NewEvent>(isOptional: false).Answers<EventReceipt>().Refuses(400, 404, 409, 413, 422).Takes()
            .RequireScope(Scope.Event).ByWorkflow();
        run.MapPut("/tags", SteerRoutes.TagAsync).WithName("TagRun").WithSummary("Replace the tags of a run")
            .WithDescription("The body is an object of up to 16 tags: names with a string or a number each, of 200 characters at most.")
            .TakesJson<RawJson>(isOptional: false).Answers<RunTagSet>().WithExample(requestJson: """{"branch": "main", "attempt": 3}""").Refuses(400, 404, 413, 422).Takes(PageParameters.Run)
            .RequireScope(Scope.Manage).ByWorkflow();
    }

    private static void MapOneRun(RouteGroupBuilder run)
    {
        run.MapGet("/steps", RunRoutes.StepsAsync).WithName("ListRunSteps").WithSummary("Steps of a run in order of the definition, also those that were not reached")
            .Lists<StepSummary>().Refuses(400, 404).Takes(PageParameters.Run, RunRoutes.Statuses, PageParameters.Limit, PageParameters.Cursor)
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/states", RunRoutes.StatesAsync).WithName("GetRunStates").WithSummary("Status of every step of a run, in little space")
            .WithDescription("For drawings of thousands of steps, beside the graph of the definition: the places of `states` are those of its `label`.")
            .Answers<StepStates>().Refuses(400, 404).Takes(PageParameters.Run)
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/steps/{step}", RunRoutes.StepAsync).WithName("GetRunStep").WithSummary("One step, and every cause why it is not running")
            .Answers<StepDetail>().Refuses(400, 404).Takes(PageParameters.Run).WithErrorExample(404, "There is no step 'test' in workflow 'ci', version '7'.")
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/steps/{step}/attempts", RunRoutes.AttemptsAsync).WithName("ListStepAttempts").WithSummary("Attempts of a step, oldest first")
            .WithDescription("The last 100 attempts that did not succeed, and the present or the last one.")
            .Lists<StepAttempt>().Refuses(400, 404).Takes(PageParameters.Run).WithErrorExample(404, "There is no step 'test' in workflow 'ci', version '7'.")
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/steps/{step}/items", RunRoutes.ItemsAsync).WithName("ListStepItems").WithSummary("Items of a map in order of its list")
            .WithDescription("Items that have begun, or that a worker may take; the others have no state yet. A page ends early where its values and results are longer than 4 MiB.")
            .Lists<StepItem>().Refuses(400, 404).Takes(PageParameters.Run, RunRoutes.ItemStatuses, PageParameters.Limit, PageParameters.Cursor)
            .WithErrorExample(404, "Step 'test' of workflow 'ci' is no map.")
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/explain", RunRoutes.ExplainAsync).WithName("ExplainRun").WithSummary("Why a run stands still: its open steps, grouped by cause")
            .Answers<RunExplanation>().Refuses(400, 404).Takes(PageParameters.Run)
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/events", RunHistoryRoutes.EventsAsync).WithName("ListRunEvents").WithSummary("Events that were sent to a run, or that it published")
            .Lists<RunEvent>().Refuses(400, 404)
            .Takes(
                PageParameters.Run, QueryParameter.Text("direction", "in: sent to the run; out: published by it. Default in.", "in", "out"), QueryParameter.Text("type", "Only of this type."),
                QueryParameter.Flag("internal", "With internal events."), PageParameters.Limit, PageParameters.Cursor)
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/logs", RunHistoryRoutes.LogsAsync).WithName("ListRunLogs").WithSummary("Lines that the steps of a run wrote")
            .WithDescription("`format=text` answers the whole choice as plain text, one line each. A read examines 20,000 lines at most; `next` goes on.")
            .Produces<LogListing>(StatusCodes.Status200OK, JsonAnswer.ContentType, RunHistoryRoutes.PlainText).Refuses(400, 404)
            .Takes([
                .. RunHistoryRoutes.Lines, QueryParameter.Id("before", "The last lines before this id."), QueryParameter.Flag("tail", "The last lines of the log."),
                QueryParameter.Text("format", "Default json.", "json", "text")])
            .RequireScope(Scope.Read).ByWorkflow();
        run.MapGet("/logs/find", RunHistoryRoutes.FindAsync).WithName("FindInRunLogs").WithSummary("Lines of a run that hold a text")
            .Answers<LogListing>().Refuses(400, 404)
            .Takes([.. RunHistoryRoutes.Lines, QueryParameter.Text("q", "The text."), QueryParameter.Flag("case", "Upper and lower case differ.")])
            .RequireScope(Scope.Read).ByWorkflow();
    }

    private static void MapStreams(RouteGroupBuilder run)
    {
        run.MapGet("/events/stream", FollowRoutes.EventsAsync).WithName("StreamRunEvents").WithSummary("Events that a run publishes: stored ones, then new ones as they come")
            .WithDescription("Events named `event`, with an id that `Last-Event-ID` resumes from. An event `end` follows the last one of a run that has ended; a stream that ends without it goes on elsewhere.")
            .Streams().Takes(PageParameters.Run, FollowRoutes.After);
        run.MapGet("/logs/stream", FollowRoutes.LogsAsync).WithName("StreamRunLogs").WithSummary("Lines of a run: stored ones, then new ones within a second")
            .WithDescription("Events named `log`, with an id that `Last-Event-ID` resumes from. An event `end` follows the last one of a run that has ended; a stream that ends without it goes on elsewhere.")
            .Streams().Takes([.. RunHistoryRoutes.Lines.Where(parameter => parameter.Name is not ("after" or "limit")), FollowRoutes.After]);
    }

    private static void MapWorkflows(RouteGroupBuilder api)
    {
        api.MapGet("/workflows", WorkflowReadRoutes.ListAsync).WithName("ListAllWorkflows").WithSummary("Workflows of every dialect, in order of their first registration")
            .Lists<WorkflowSummary>().Refuses(400).Takes(WorkflowReadRoutes.Search, PageParameters.Limit, PageParameters.Cursor)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/workflows/{workflow}", WorkflowReadRoutes.GetAsync).WithName("ShowWorkflow").WithSummary("A workflow with its steps, events and document")
            .Answers<WorkflowDetail>().Refuses(400, 404).Takes(WorkflowReadRoutes.Version).WithErrorExample(404, "There is no workflow 'ci'.")
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapPut("/workflows/{workflow}", WorkflowReadRoutes.ApplyAsync).WithName("ApplyWorkflow").WithSummary("Make a workflow what a workflow file says")
            .WithDescription("The version is made from the content: the same file again is `unchanged`. Every problem of the file is listed with its line. A workflow from the broker's own folder is a 409 `from_file`.")
            .TakesJson<WorkflowText>(isOptional: false).Answers<AppliedWorkflow>().Refuses(400, 403, 409, 413, 422).Takes()
            .RequireScope(Scope.Create).ByWorkflow();
        api.MapGet("/workflows/{workflow}/versions", WorkflowReadRoutes.VersionsAsync).WithName("ListVersions").WithSummary("Versions of a workflow, the one registered last first; at most 200")
            .Lists<WorkflowVersion>().Refuses(400, 404).Takes().WithErrorExample(404, "There is no workflow 'ci'.")
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/definitions/{fingerprint}/graph", WorkflowReadRoutes.GraphAsync).WithName("GetGraph").WithSummary("The graph of a definition as it is drawn")
            .WithDescription("Computed from the definition alone: the answer never changes, and browsers keep it.")
            .Answers<GraphGeometry>().Refuses(400, 404).Takes(WorkflowReadRoutes.Fold)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapPost("/workflows/{workflow}/runs", SteerRoutes.StartAsync).WithName("StartRun").WithSummary("Start a run, or check whether it could start")
            .WithDescription("201 for a run that this request started. 200 for one that was there (`if_exists: attach`, or a repeated `Idempotency-Key`), and for `dry_run`.")
            .TakesJson<NewRun>(isOptional: true).Answers<StartedRun>(StatusCodes.Status201Created).Answers<StartedRun>().Refuses(400, 404, 409, 413, 422, 429).Takes().WithMetadata(StartsOnce.Mark).WithErrorExample(404, "There is no workflow 'ci'.")
            .RequireScope(Scope.Create).ByWorkflow();
        api.MapGet("/waiting", WorkflowReadRoutes.WaitingAsync).WithName("ListWaiting").WithSummary("Steps that wait for events, the wait that ends first first")
            .WithDescription("An event is for people when its definition has the ancestor `HumanResponseEvent`.")
            .Lists<WaitingStep>().Refuses(400).Takes(WorkflowReadRoutes.Waits)
            .RequireScope(Scope.Read).ByWorkflow();
    }

    private static void MapWork(RouteGroupBuilder api)
    {
        api.MapGet("/queues", WorkRoutes.QueuesAsync).WithName("ListQueues").WithSummary("Queues with claimable or leased steps, the deepest first; at most 1,000")
            .WithDescription("A queue is counted up to 10,000 steps. `workers_able` 0 means that its steps starve. A limited key sees the steps of its workflows alone.")
            .Lists<WorkQueue>().Refuses(400).Takes()
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/workers", WorkRoutes.WorkersAsync).WithName("ListAllWorkers").WithSummary("Workers of every dialect in order of registration, with their leases")
            .WithDescription("For a key that is limited to workflows: those that serve some of the same and no others.")
            .Lists<WorkerInfo>().Refuses(400).Takes(WorkRoutes.Workers)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/workers/{worker}", WorkRoutes.WorkerAsync).WithName("ShowWorker").WithSummary("One worker, with up to 200 of its leases")
            .Answers<WorkerInfo>().Refuses(400, 404).Takes().WithErrorExample(404, "There is no worker 'w-81'.")
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/explain", WorkRoutes.ExplainAsync).WithName("ExplainRuns").WithSummary("Why open runs stand still, grouped by cause")
            .WithDescription("Looks at 1,000 open runs and 5,000 of their steps at most; then `complete` is false.")
            .Answers<RunsExplanation>().Refuses(400).Takes(RunListRoutes.Choice)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/audit", WorkRoutes.AuditAsync).WithName("ListAudit").WithSummary("Who did what, newest first")
            .WithDescription(
                "Each condition is exact. Actions: start, cancel, terminate, pause, resume, restart, purge, send_event, register, register_worker, register_repository, create_key, revoke_key, end_session, create_webhook, change_webhook, delete_webhook, test_webhook, replay_delivery, put_schedule, "
                + "delete_schedule, pause_schedule, resume_schedule, trigger_schedule, backfill_schedule, begin_maintenance, end_maintenance.")
            .Lists<AuditRecord>().Refuses(400).Takes(WorkRoutes.Entries)
            .RequireScope(Scope.Admin);
    }
}

/// <summary>Answers of these routes.</summary>
internal static class OperatorAnswers
{
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) => route.Produces<T>(status, JsonAnswer.ContentType);

    /// <summary>A page of items, shown by one.</summary>
    public static RouteHandlerBuilder Lists<T>(this RouteHandlerBuilder route) => route.Answers<Listing<T>>().WithExample(responseJson:
        $$"""{"items": [{{ExampleBook.Of(typeof(T))?.ToJsonString()}}], "next": "9Zl2mB0q1kYAAAAAAAAAAAE", "as_of": "2030-01-31T12:00:00.25Z", "complete": true, "prev": null}""");

    /// <summary>Server-sent events.</summary>
    public static RouteHandlerBuilder Streams(this RouteHandlerBuilder route) => route
        .WithMetadata(NoHead.Mark).Produces<string>(StatusCodes.Status200OK, SseWriter.ContentType).Refuses(400, 404, 429).AddEndpointFilter(StreamSlots.FilterAsync)
        .RequireScope(Scope.Read).ByWorkflow().EndsWithKey();

    /// <summary>A command to the newest run of an instance.</summary>
    public static void Steers(this RouteHandlerBuilder route, Scope scope = Scope.Manage) => route
        .WithDescription("The body is optional. A run whose status does not allow the command is a 409 `not_allowed` with `run_status`; with `if_run`, another newest run is a 409 `other_run`.")
        .TakesJson<RunCommand>(isOptional: true).Answers<RunChange>().Refuses(400, 404, 409, 413, 422).Takes()
        .RequireScope(scope).ByWorkflow();

    // Of any type, for routing: clients send JSON bodies without a content type, or with a wrong one.
    public static RouteHandlerBuilder TakesJson<T>(this RouteHandlerBuilder route, bool isOptional)
        where T : notnull => route.Accepts<T>(isOptional, JsonAnswer.ContentType, "*/*");

    /// <summary>Every parameter of the query; others are refused.</summary>
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, params IEnumerable<QueryParameter> parameters) => route.TakesQuery(parameters);

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) route.Produces<OperatorProblem>(status, ProblemAnswer.ContentType);
        return route;
    }
}
