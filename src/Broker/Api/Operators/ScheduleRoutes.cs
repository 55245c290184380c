using Broker.Auth;
using Broker.Engine;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Schedules, their instants to come and their history.</summary>
internal static class ScheduleRoutes
{
    private static readonly QueryParameter Count = new("count", "Number of instants; default 10.", 100) { Least = 1 };

    public static void MapSchedules(this RouteGroupBuilder api)
    {
        api.MapGet("/schedules", ListAsync).WithName("ListSchedules").WithSummary("Schedules in order of names")
            .Lists<Schedule>().Refuses(400)
            .Takes(QueryParameter.Text("q", "A part of the name or of the workflow's name."), QueryParameter.Text("paused", "Only paused ones, or only others.", "true", "false"), PageParameters.Limit, PageParameters.Cursor)
            .RequireScope(Scope.Read).ByWorkflow();
        MapOne(api.MapGroup("/schedules/{schedule}").WithErrorExample(404, "There is no schedule 'nightly'."));
    }

    private static void MapOne(RouteGroupBuilder schedule)
    {
        schedule.MapGet("", GetAsync).WithName("GetSchedule").WithSummary("One schedule").Answers<Schedule>().Refuses(400, 404).Takes().RequireScope(Scope.Read).ByWorkflow();
        schedule.MapPut("", PutAsync).WithName("PutSchedule").WithSummary("Make a schedule, or replace its rule")
            .WithDescription("A rule that says the same changes nothing. Another one begins now. Needs the scopes create and manage. A schedule of a definition is a 409 `from_definition`.")
            .TakesJson<ScheduleSpec>(isOptional: false).Answers<Schedule>().Refuses(400, 403, 404, 409, 413, 422).Takes().RequireScope(Scope.Manage).ByWorkflow();
        schedule.MapDelete("", DeleteAsync).WithName("DeleteSchedule").WithSummary("Delete a schedule with its history; its runs stay")
            .Answers<Schedule>().Refuses(400, 404, 409).Takes().RequireScope(Scope.Manage).ByWorkflow();
        schedule.MapPost("/pause", PauseAsync).WithName("PauseSchedule").WithSummary("Start no runs until the schedule is resumed; the reason is its note")
            .TakesJson<HoldCommand>(isOptional: true).Answers<Schedule>().Refuses(400, 404, 413, 422).Takes().RequireScope(Scope.Manage).ByWorkflow();
        schedule.MapPost("/resume", ResumeAsync).WithName("ResumeSchedule").WithSummary("Start runs again; instants of the pause are skipped")
            .TakesJson<HoldCommand>(isOptional: true).Answers<Schedule>().Refuses(400, 404, 413, 422).Takes().RequireScope(Scope.Manage).ByWorkflow();
        schedule.MapPost("/trigger", TriggerAsync).WithName("TriggerSchedule").WithSummary("Start a run now, whatever else runs; also of a paused schedule")
            .TakesJson<HoldCommand>(isOptional: true).Answers<ScheduleFiring>(StatusCodes.Status201Created).Refuses(400, 404, 409, 413, 422, 429).Takes().RequireScope(Scope.Create).ByWorkflow();
        schedule.MapPost("/backfill", BackfillAsync).WithName("BackfillSchedule").WithSummary("Start runs for instants of the past, 1,000 at most")
            .WithDescription("An instant whose run exists starts none. The history has the outcome of each. 200 for `dry_run`.")
            .TakesJson<ScheduleBackfill>(isOptional: false).Answers<BackfillPlan>(StatusCodes.Status202Accepted).Answers<BackfillPlan>().Refuses(400, 404, 409, 413, 422).Takes()
            .RequireScope(Scope.Create).ByWorkflow();
        schedule.MapGet("/next", NextAsync).WithName("GetNextInstants").WithSummary("Instants to come, also while it is paused").Answers<ScheduleNext>().Refuses(400, 404, 409).Takes(Count).RequireScope(Scope.Read).ByWorkflow();
        schedule.MapGet("/history", HistoryAsync).WithName("ListFirings").WithSummary("Instants and what became of them, newest first; they are kept for 30 days")
            .Lists<ScheduleFiring>().Refuses(400, 404).Takes(QueryParameter.Text("status", "Only of this status.", "waiting", "started", "skipped"), PageParameters.Limit, PageParameters.Cursor)
            .RequireScope(Scope.Read).ByWorkflow();
    }

    private static async Task ListAsync(HttpContext http, IOperatorApi api, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new ScheduleQuery { Search = query.Text("q"), Paused = query.Text("paused") is null ? null : query.Flag("paused") });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListSchedulesAsync(chosen, ct), OperatorJson.Default.ListingSchedule);
    }

    private static async Task GetAsync(HttpContext http, IOperatorApi api, string schedule, CancellationToken ct) => await SendAsync(http, await api.GetScheduleAsync(schedule, ct));

    private static async Task PutAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string schedule, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.ScheduleSpec, isOptional: false, ct);
        await SendAsync(http, await api.PutScheduleAsync(schedule, body, ct));
    }

    private static async Task DeleteAsync(HttpContext http, IOperatorApi api, string schedule, CancellationToken ct) => await SendAsync(http, await api.DeleteScheduleAsync(schedule, ct));

    private static async Task PauseAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string schedule, CancellationToken ct) =>
        await SendAsync(http, await api.PauseScheduleAsync(schedule, await CommandAsync(http, engine, ct), ct));

    private static async Task ResumeAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string schedule, CancellationToken ct) =>
        await SendAsync(http, await api.ResumeScheduleAsync(schedule, await CommandAsync(http, engine, ct), ct));

    private static async Task TriggerAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string schedule, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status201Created, await api.TriggerScheduleAsync(schedule, await CommandAsync(http, engine, ct), ct), OperatorJson.Default.ScheduleFiring);

    private static async Task BackfillAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string schedule, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.ScheduleBackfill, isOptional: false, ct);
        var plan = await api.BackfillScheduleAsync(schedule, body, ct);
        await JsonAnswer.SendAsync(http.Response, plan.DryRun ? StatusCodes.Status200OK : StatusCodes.Status202Accepted, plan, OperatorJson.Default.BackfillPlan);
    }

    private static async Task NextAsync(HttpContext http, IOperatorApi api, string schedule, CancellationToken ct) => await JsonAnswer.SendAsync(
        http.Response, StatusCodes.Status200OK, await api.GetNextAsync(schedule, new OperatorQuery(http.Request).Number("count", 10, 1, 100), ct), OperatorJson.Default.ScheduleNext);

    private static async Task HistoryAsync(HttpContext http, IOperatorApi api, string schedule, CancellationToken ct)
    {
        var query = new OperatorQuery(http.Request);
        var chosen = query.Page(new FiringQuery { Status = query.Text("status") is null ? null : query.Word("status", "", "waiting", "started", "skipped") });
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListFiringsAsync(schedule, chosen, ct), OperatorJson.Default.ListingScheduleFiring);
    }

    private static Task<HoldCommand> CommandAsync(HttpContext http, BrokerEngine engine, CancellationToken ct) => OperatorBody.ReadAsync(http, engine, OperatorJson.Default.HoldCommand, isOptional: true, ct);

    private static Task SendAsync(HttpContext http, Schedule shown) => JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, shown, OperatorJson.Default.Schedule);
}
