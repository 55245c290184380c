using System.Text.Json.Serialization.Metadata;
using Broker.Auth;
using Broker.Engine;
using Broker.Http;
using Broker.OpenApi;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Orders about workers and starts, API keys, and sessions of browsers.</summary>
internal static class HoldRoutes
{
    public static void MapHolds(this RouteGroupBuilder api)
    {
        api.MapPost("/workflows/{workflow}/pause-starts", PauseAsync).WithName("PauseStarts").WithSummary("Start no further run of a workflow")
            .Orders<WorkflowStarts>("Starts of every dialect are refused with a 409 that has the reason, until they are resumed. Runs that are there go on, and can be restarted, retried and forked.");
        api.MapPost("/workflows/{workflow}/resume-starts", ResumeAsync).WithName("ResumeStarts").WithSummary("Let runs of a workflow start again").Orders<WorkflowStarts>("Nothing changes where they do.");
        api.MapPost("/workers/{worker}/drain", DrainAsync).WithName("DrainWorker").WithSummary("Give a worker no further steps")
            .Orders<WorkerOrder>("Steps that it holds go on. Its claims are answered empty, and answers to its claims and heartbeats have the header `Broker-Drain: true`.");
        api.MapPost("/workers/{worker}/undrain", UndrainAsync).WithName("UndrainWorker").WithSummary("Give a drained worker steps again").Orders<WorkerOrder>("Nothing changes where it gets steps.");
        api.MapPost("/workers/{worker}/release", ReleaseAsync).WithName("ReleaseWorker").WithSummary("Take all leases from a worker")
            .Orders<WorkerOrder>("Their steps are ready for other workers, charged nothing. Later reports of the worker change nothing. It may claim again unless it is drained.");
        api.MapPost("/maintenance/begin", BeginAsync).WithName("BeginMaintenance").WithSummary("Give no worker further steps")
            .WithDescription("Claims are answered empty on every broker within 2 s, once their wait is over. Steps that workers hold go on, runs start and wait, and timers and schedules go on. `/readyz` stays as it is.")
            .TakesJson<HoldCommand>(isOptional: true).Answers<MaintenanceState>().Refuses(400, 413, 422).Takes().RequireScope(Scope.Admin);
        api.MapPost("/maintenance/end", EndAsync).WithName("EndMaintenance").WithSummary("Give workers steps again")
            .WithDescription("Nothing changes where they get some.")
            .TakesJson<HoldCommand>(isOptional: true).Answers<MaintenanceState>().Refuses(400, 413, 422).Takes().RequireScope(Scope.Admin);
        api.MapGet("/keys", KeysAsync).WithName("ListKeys").WithSummary("API keys without their text, revoked ones too")
            .Lists<KeyInfo>().Refuses(400).Takes().RequireScope(Scope.Admin);
        api.MapPost("/keys", CreateAsync).WithName("CreateKey").WithSummary("Make an API key, and show its text this once")
            .WithDescription("The broker keeps a hash of the text alone. Other brokers know the key within 2 s. The first key closes a broker that asked for none.")
            .TakesJson<NewKey>(isOptional: false).Answers<CreatedKey>(StatusCodes.Status201Created).Refuses(400, 403, 413, 422).Takes().RequireScope(Scope.Admin);
        api.MapDelete("/keys/{key}", RevokeAsync).WithName("RevokeKey").WithSummary("Revoke an API key for good")
            .WithDescription("Streams and waits of the key end; other brokers refuse it within 2 s. A key of the configuration is a 409 `not_allowed`.")
            .Answers<KeyInfo>().Refuses(400, 404, 409).Takes().WithErrorExample(404, "There is no key 'q3v9k2m1x8ab'.").RequireScope(Scope.Admin);
        api.MapGet("/sessions", SessionsAsync).WithName("ListSessions").WithSummary("Browsers that are signed in to the console, the last sign-in first; at most 1,000")
            .Lists<SessionInfo>().Refuses(400).Takes().RequireScope(Scope.Admin);
        api.MapDelete("/sessions/{session}", EndSessionAsync).WithName("EndSession").WithSummary("Sign a browser out")
            .WithDescription("Its pages and streams end, on other brokers within 5 s.")
            .Answers<SessionInfo>().Refuses(400, 404).Takes().WithErrorExample(404, "There is no session '4f1c0a9be27d5538'.").RequireScope(Scope.Admin);
    }

    private static void Orders<T>(this RouteHandlerBuilder route, string description) => route
        .WithDescription(description)
        .TakesJson<HoldCommand>(isOptional: true).Answers<T>().Refuses(400, 404, 413, 422).Takes()
        .RequireScope(Scope.Manage).ByWorkflow();

    private static Task PauseAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, CancellationToken ct) => OrderAsync(http, engine, workflow, api.PauseStartsAsync, OperatorJson.Default.WorkflowStarts, ct);

    private static Task ResumeAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, CancellationToken ct) => OrderAsync(http, engine, workflow, api.ResumeStartsAsync, OperatorJson.Default.WorkflowStarts, ct);

    private static Task DrainAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string worker, CancellationToken ct) => OrderAsync(http, engine, worker, api.DrainWorkerAsync, OperatorJson.Default.WorkerOrder, ct);

    private static Task UndrainAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string worker, CancellationToken ct) => OrderAsync(http, engine, worker, api.UndrainWorkerAsync, OperatorJson.Default.WorkerOrder, ct);

    private static Task ReleaseAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string worker, CancellationToken ct) => OrderAsync(http, engine, worker, api.ReleaseWorkerAsync, OperatorJson.Default.WorkerOrder, ct);

    private static async Task BeginAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, CancellationToken ct) =>
        await OrderAsync(http, engine, "", (_, command, stop) => api.BeginMaintenanceAsync(command, stop), OperatorJson.Default.MaintenanceState, ct);

    private static async Task EndAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, CancellationToken ct) =>
        await OrderAsync(http, engine, "", (_, command, stop) => api.EndMaintenanceAsync(command, stop), OperatorJson.Default.MaintenanceState, ct);

    private static async Task OrderAsync<T>(
        HttpContext http, BrokerEngine engine, string name, Func<string, HoldCommand, CancellationToken, Task<T>> order, JsonTypeInfo<T> type, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.HoldCommand, isOptional: true, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await order(name, body, ct), type);
    }

    private static async Task KeysAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListKeysAsync(ct), OperatorJson.Default.ListingKeyInfo);

    private static async Task CreateAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.NewKey, isOptional: false, ct);
        var created = await api.CreateKeyAsync(body, ct);
        http.Response.Headers.CacheControl = "no-store";
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status201Created, created, OperatorJson.Default.CreatedKey);
    }

    private static async Task RevokeAsync(HttpContext http, IOperatorApi api, string key, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.RevokeKeyAsync(key, ct), OperatorJson.Default.KeyInfo);

    private static async Task SessionsAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.ListSessionsAsync(ct), OperatorJson.Default.ListingSessionInfo);

    private static async Task EndSessionAsync(HttpContext http, IOperatorApi api, string session, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.EndSessionAsync(session, ct), OperatorJson.Default.SessionInfo);
}
