using Broker.Auth;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operations;
using Broker.Operators;

namespace Broker.Api.JobsDialect;

/// <summary>Workflows that are graphs of shell jobs, claimed by label under a lease (the jobs contract).</summary>
internal static class JobsDialectApi
{
    public const string Tag = "Jobs dialect";

    private const string AnId = "`id`: a workflow, an instance, or `WORKFLOW~INSTANCE` for an instance whose id other workflows have too.";

    private static readonly QueryParameter Run = new("run", "Number of a run, from 0: the answer is about this run only.");

    private static readonly QueryParameter Wait = new("wait", "Seconds to hold the answer until the run has ended.", RunRequests.MaxWaitSecs);

    private static readonly QueryParameter Limit = new("limit", "Most entries; 100 when left out, and never more than 1000.");

    private static readonly QueryParameter Offset = new("offset", "Entries to leave out.");

    private static readonly HeaderParameter LastEventId = new("Last-Event-ID", "Id of the last event that was read: the stream goes on behind it.");

    public static void MapJobsDialect(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags(Tag).RefusesWith(JobsErrors.Form, static (http, status, message) => JobsErrors.SendAsync(http.Response, status, message))
            .WithErrorExample(404, "there is no workflow 'release'");
        MapWorkflows(api);
        MapWorkers(api);
        MapJobs(api);
        MapLogs(api);
    }

    private static void MapWorkflows(RouteGroupBuilder api)
    {
        api.MapGet("/workflows", WorkflowRoutes.ListAsync).WithName("ListJobWorkflows").WithSummary("Workflows with the state of their jobs")
            .TakesQuery(Limit, Offset, QueryParameter.Text("status", "Keeps workflows with a job in that status; a word that is no status keeps none.", JobsStatuses.All))
            .Produces<WorkflowDto[]>().Produces<JobsErrorDto>(400)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapPost("/workflows", WorkflowRoutes.CreateAsync).WithName("CreateJobWorkflow").WithSummary("Define a workflow; the id is made here")
            .WithDescription("The body is JSON, or with `Content-Type: application/yaml` a workflow file ([format](/workflow-file.schema.json)). Every problem is listed, those of a file with their lines.")
            .TakesJson<NewWorkflowDto>().WithMetadata(new OtherBody(PostedFile.ContentType, JobsExamples.WorkflowFile)).Produces<WorkflowDto>(201).Faults()
            .RequireScope(Scope.Create).ByWorkflow();
        api.MapPost("/workflows/sample", WorkflowRoutes.CreateSampleAsync).WithName("CreateSampleWorkflow").WithSummary("The built-in sample, all jobs queued")
            .Produces<WorkflowDto>(201)
            .RequireScope(Scope.Create).ByWorkflow();
        api.MapGroup("").RefusesWith(ProblemAnswer.Form, ProblemAnswer.SendAsync).MapGet("/workflow-files", WorkflowRoutes.FilesAsync).WithName("ListWorkflowFiles").WithSummary("Workflow files, also those that cannot be read")
            .TakesQuery(Limit, Offset)
            .WithDescription("In order of workflow and folder. A file with an `error` has no workflow in the other lists, and a start of it is a 409.")
            .Produces<WorkflowFileDto[]>().Produces<OperatorProblem>(400, ProblemAnswer.ContentType)
            .RequireScope(Scope.Read).ByWorkflow();
        MapRuns(api);
        MapPages(api);
    }

    private static void MapRuns(RouteGroupBuilder api)
    {
        api.MapGet("/workflows/{id}/status", RunRoutes.StatusAsync).WithName("GetJobWorkflow").WithSummary("A workflow with the state of its last run, or one run")
            .WithDescription($"{AnId} With `run` that run alone: as a workflow, or with `Accept: application/json` as a run. With `wait` as a run, when it has ended: "
                + "200 succeeded, 424 failed, 410 cancelled. 504 with `Retry-After`: the time is up, and `curl --retry` asks again.")
            .TakesQuery(Run, Wait)
            .Produces<WorkflowDto>().OrProduces<JobRunDto>().Produces<JobsErrorDto>(400).Produces<JobsErrorDto>(404).Outcomes()
            .RequireScope(Scope.Read).ByWorkflow().EndsWithKey();
        api.MapPost("/workflows/{id}/run", RunRoutes.RunAsync).WithName("RunJobWorkflow").WithSummary("Start a run unless one is active")
            .WithDescription($"{AnId} A request without a body is answered 202 without one; with a JSON body or `Accept: application/json` with the run. "
                + "`if_active`: `join` (default) answers with the active run, and with 409 if the inputs differ; `start` starts a further instance under an id that the broker makes; `reject` is a 409. "
                + "With `wait` (needs an `Idempotency-Key`) the answer is held until the run has ended: 200 succeeded, 424 failed, 410 cancelled, 504 with `Retry-After` when the time is up.")
            .MayTakeJson<RunRequestDto>().TakesQuery(Wait)
            .Produces<RunStartedDto>(202).AnswersWithHeader(202, "Location").Produces<JobRunDto>().Outcomes()
            .Produces<JobsErrorDto>(400).Produces<JobsErrorDto>(404).Produces<JobsErrorDto>(409).Produces<JobsErrorDto>(413).Produces<JobsErrorDto>(422).Produces<JobsErrorDto>(429)
            .WithMetadata(StartsOnce.Mark)
            .RequireScope(Scope.Create).ByWorkflow().EndsWithKey();
        api.MapPost("/workflows/{id}/cancel", RunRoutes.CancelAsync).WithName("CancelJobWorkflow").WithSummary("Cancel what is queued or running")
            .WithDescription($"{AnId} With `run` that run alone. With `Accept: application/json` the answer names the runs that it ended, else it has no body. "
                + "`grace_ms` lets steps run whose `when` holds after a cancel (`always()`, `cancelled()`): the run ends with the last of them, or when the time is over.")
            .MayTakeJson<CancelRequestDto>().TakesQuery(Run)
            .Produces<CancelledRunsDto>(202).Produces<JobsErrorDto>(400).Produces<JobsErrorDto>(404).Produces<JobsErrorDto>(413).Produces<JobsErrorDto>(422)
            .RequireScope(Scope.Manage).ByWorkflow();
    }

    private static void MapPages(RouteGroupBuilder api)
    {
        api.MapGet("/workflows/{workflow}/jobs/{job}/summary", RunRoutes.SummaryAsync).WithName("GetJobSummary").WithSummary("The markdown that a job reported")
            .WithDescription("204: it reported none. Of the last run, or with `run` of that one.")
            .TakesQuery(Run)
            .Produces<string>(200, "text/markdown").Produces(204).Produces<JobsErrorDto>(400).Produces<JobsErrorDto>(404)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/workflows/{id}/badge.svg", StatusBadge.SendAsync).WithName("GetStatusBadge").WithSummary("A picture of the last run's status")
            .WithDescription($"{AnId} May be cached for 10 seconds.")
            .Produces<string>(200, StatusBadge.ContentType).Produces<JobsErrorDto>(404)
            .RequireScope(Scope.Read).ByWorkflow();
    }

    private static void MapWorkers(RouteGroupBuilder api)
    {
        api.MapPost("/workers/register", WorkerRoutes.RegisterAsync).WithName("RegisterLabelledWorker").WithSummary("Register a worker, or replace its entry")
            .WithDescription("With a key that is limited to workflows the worker counts for those alone. Under the id of a worker that is alive and serves others it is a 403.")
            .TakesJson<NewWorkerDto>().Produces(200).Faults()
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/workers/{id}/heartbeat", WorkerRoutes.HeartbeatAsync).WithName("LabelledWorkerHeartbeat").WithSummary("A worker is alive")
            .Produces(200).AnswersWithHeader(200, DrainNotice.Header).Produces<JobsErrorDto>(404).WithErrorExample(404, "no worker 'w-1' has registered")
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapGet("/workers", WorkerRoutes.ListAsync).WithName("ListLabelledWorkers").WithSummary("Workers in order of registration")
            .WithDescription("For a key that is limited to workflows: those whose keys are limited to some of the same.")
            .Produces<LabelledWorkerDto[]>()
            .RequireScope(Scope.Read).ByWorkflow();
    }

    private static void MapJobs(RouteGroupBuilder api)
    {
        api.MapPost("/jobs/claim", JobRoutes.ClaimAsync).WithName("ClaimJob").WithSummary("Claim the oldest job that fits")
            .WithDescription("Answers `null` when there is none. With `count` the answer is an array; with `wait` the request is held until a job is ready. A key that is limited to workflows gets jobs of those alone.")
            .TakesJson<ClaimDto>().Produces<ClaimedJobDto>().OrProducesNull().OrProduces<ClaimedJobDto[]>().AnswersWithHeader(200, DrainNotice.Header).Faults()
            .RequireScope(Scope.Worker).ByWorkflow().EndsWithKey();
        api.MapPost("/jobs/complete", BatchRoutes.CompleteAsync).WithName("CompleteJobs").WithSummary("Report up to 1000 jobs, and claim the next ones")
            .TakesJson<CompleteJobsDto>().Produces<CompletedJobsDto>().AnswersWithHeader(200, DrainNotice.Header).Faults()
            .RequireScope(Scope.Worker).ByWorkflow().EndsWithKey();
        api.MapPost("/jobs/heartbeat", BatchRoutes.HeartbeatAsync).WithName("RenewJobLeases").WithSummary("Renew up to 1000 leases")
            .TakesJson<LeaseIdsDto>().Produces<RenewedLeasesDto>().Faults()
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/jobs/{lease}/heartbeat", JobRoutes.HeartbeatAsync).WithName("RenewJobLease").WithSummary("Renew a lease for the time it was granted for")
            .WithDescription("Without a body as a rule; `progress` in one is kept for the next attempt. With `Accept: application/json` the answer says what was found, else it has no body.")
            .MayTakeJson<JobProgressDto>().Produces<RenewedLeaseDto>().Produces<RenewedLeaseDto>(409).Faults()
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/jobs/{lease}/complete", JobRoutes.CompleteAsync).WithName("CompleteJob").WithSummary("Report success and outputs")
            .TakesJson<JobOutputsDto>().Produces(200).Produces<JobsErrorDto>(409).Faults()
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/jobs/{lease}/fail", JobRoutes.FailAsync).WithName("FailJob").WithSummary("Report a failure")
            .TakesJson<JobFailureDto>().Produces(200).Produces<JobsErrorDto>(409).Faults()
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/jobs/{lease}/postpone", JobRoutes.PostponeAsync).WithName("PostponeJob").WithSummary("Put a job off, uncharged: it is handed out again after the delay")
            .TakesJson<JobPostponementDto>().Produces(200).Produces<JobsErrorDto>(409).Faults()
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapPost("/jobs/{lease}/release", JobRoutes.ReleaseAsync).WithName("ReleaseJob").WithSummary("Hand a job back, uncharged")
            .Produces(200).Produces<JobsErrorDto>(409)
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapGet("/jobs/{workflow}/{job}/cancelled", JobRoutes.CancelledAsync).WithName("IsJobCancelled").WithSummary("Has the job been cancelled?")
            .Produces<bool>()
            .RequireScope(Scope.Worker).ByWorkflow();
    }

    private static void MapLogs(RouteGroupBuilder api)
    {
        api.MapPost("/jobs/{lease}/logs", LogRoutes.PushAsync).WithName("PushJobLogs").WithSummary("Store log chunks, also under a lost lease")
            .WithDescription("With a key that is limited to workflows, a chunk for another one is a 403, and none is stored.")
            .TakesJson<LogChunksDto>().Produces(200).Faults()
            .RequireScope(Scope.Worker).ByWorkflow();
        api.MapGet("/workflows/{workflow}/jobs/{job}/logs", LogRoutes.ListAsync).WithName("GetJobLogs").WithSummary("All chunks in order of arrival")
            .WithDescription("With `run` those of that run, each with `run` and `attempt`.")
            .TakesQuery(Run)
            .Produces<LogChunkDto[]>().Produces<JobsErrorDto>(400).Produces<JobsErrorDto>(404)
            .RequireScope(Scope.Read).ByWorkflow();
        api.MapGet("/workflows/{workflow}/jobs/{job}/logs/stream", LogRoutes.StreamAsync).WithName("StreamJobLogs").WithSummary("Stored chunks, then new ones as they come")
            .WithMetadata(NoHead.Mark)
            .WithDescription("Events named `log` with one chunk each; ids let `Last-Event-ID` resume. Never ends by itself. With `run` chunks of that run, each with `run` and `attempt`.")
            .TakesQuery(Run).TakesHeader(LastEventId)
            .Produces<LogChunkDto>(200, SseWriter.ContentType).Produces<JobsErrorDto>(400).Produces<JobsErrorDto>(404).Produces<JobsErrorDto>(429).AddEndpointFilter(StreamSlots.FilterAsync)
            .RequireScope(Scope.Read).ByWorkflow().EndsWithKey();
    }

    // Optional and of any type, for routing: workers send JSON bodies without a content type, or with a wrong one.
    private static RouteHandlerBuilder MayTakeJson<T>(this RouteHandlerBuilder route) where T : notnull =>
        route.Accepts<T>(isOptional: true, JsonAnswer.ContentType, "*/*");

    private static RouteHandlerBuilder TakesJson<T>(this RouteHandlerBuilder route) where T : notnull => route.MayTakeJson<T>().WithMetadata(NeedsBody.Mark);

    private static RouteHandlerBuilder Outcomes(this RouteHandlerBuilder route) =>
        route.Produces<JobRunDto>(424).Produces<JobRunDto>(410).Produces<JobRunDto>(504).AnswersWithHeader(504, "Retry-After").Produces<JobsErrorDto>(503);

    private static RouteHandlerBuilder Faults(this RouteHandlerBuilder route) =>
        route.Produces<JobsErrorDto>(400).Produces<JobsErrorDto>(413).Produces<JobsErrorDto>(422);
}
