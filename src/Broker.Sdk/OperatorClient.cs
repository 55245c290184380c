using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Operators;
using Broker.Operators.Graphs;

namespace Broker.Sdk;

/// <summary>
/// The API for operators over HTTP. Every method throws <see cref="OperatorException"/> where the broker refuses, and
/// <see cref="HttpRequestException"/> where it cannot be reached.
/// </summary>
public sealed partial class OperatorClient : IOperatorApi
{
    /// <summary>Clients by whether their requests may last without an end.</summary>
    private readonly Func<bool, HttpClient> clients;
    private readonly TimeProvider clock;

    /// <param name="http">Client whose base address is the broker's and ends with a slash, with its path where a proxy adds one. Keys are its headers.</param>
    /// <param name="streams">The same without a time limit, for streams and waits; null: <paramref name="http"/> serves them too.</param>
    public OperatorClient(HttpClient http, HttpClient? streams = null)
        : this(isEndless => isEndless && streams is not null ? streams : http, TimeProvider.System)
    {
        ArgumentNullException.ThrowIfNull(http);
    }

    internal OperatorClient(Func<bool, HttpClient> clients, TimeProvider clock) => (this.clients, this.clock) = (clients, clock);

    private const bool Endless = true;

    private static readonly OperatorJson Json = OperatorJson.Default;

    /// <inheritdoc/>
    public Task<Me> MeAsync(CancellationToken ct) => GetAsync(new("me"), Json.Me, ct);

    /// <inheritdoc/>
    public Task<Listing<RunSummary>> ListRunsAsync(RunQuery query, CancellationToken ct) => GetAsync(
        new Address("runs").With("where", Where(query)).With("order", query.OldestFirst ? "oldest" : null).Page(query.Limit, query.Cursor), Json.ListingRunSummary, ct);

    /// <inheritdoc/>
    public Task<RunCount> CountRunsAsync(RunQuery query, int max, CancellationToken ct) =>
        GetAsync(new Address("runs", "count").With("where", Where(query)).With("max", max), Json.RunCount, ct);

    /// <inheritdoc/>
    public Task<RunDetail> GetRunAsync(RunAddress run, CancellationToken ct) => GetAsync(Of(run), Json.RunDetail, ct);

    /// <inheritdoc/>
    public Task<Listing<StepSummary>> ListStepsAsync(RunAddress run, StepQuery query, CancellationToken ct) => GetAsync(
        Of(run, "steps").With("status", List(query.Statuses)).Page(query.Limit, query.Cursor), Json.ListingStepSummary, ct);

    /// <inheritdoc/>
    public Task<StepStates> GetStepStatesAsync(RunAddress run, CancellationToken ct) => GetAsync(Of(run, "states"), Json.StepStates, ct);

    /// <inheritdoc/>
    public Task<StepDetail> GetStepAsync(RunAddress run, string step, CancellationToken ct) => GetAsync(Of(run, "steps", step), Json.StepDetail, ct);

    /// <inheritdoc/>
    public Task<Listing<StepAttempt>> ListAttemptsAsync(RunAddress run, string step, CancellationToken ct) =>
        GetAsync(Of(run, "steps", step, "attempts"), Json.ListingStepAttempt, ct);

    /// <inheritdoc/>
    public Task<Listing<StepItem>> ListItemsAsync(RunAddress run, string step, StepQuery query, CancellationToken ct) => GetAsync(
        Of(run, "steps", step, "items").With("status", List(query.Statuses)).Page(query.Limit, query.Cursor), Json.ListingStepItem, ct);

    /// <inheritdoc/>
    public Task<RunExplanation> ExplainRunAsync(RunAddress run, CancellationToken ct) => GetAsync(Of(run, "explain"), Json.RunExplanation, ct);

    /// <inheritdoc/>
    public Task<Listing<RunEvent>> ListEventsAsync(RunAddress run, EventQuery query, CancellationToken ct) => GetAsync(
        Of(run, "events").With("direction", query.Direction).With("type", query.Type).With("internal", Flag(query.WithInternal)).Page(query.Limit, query.Cursor),
        Json.ListingRunEvent,
        ct);

    /// <inheritdoc/>
    public Task<LogListing> ListLogsAsync(RunAddress run, LogQuery query, CancellationToken ct) =>
        GetAsync(Lines(Of(run, "logs"), query).With("before", query.Before).With("tail", Flag(query.FromEnd)), Json.LogListing, ct);

    /// <inheritdoc/>
    public Task<LogListing> FindInLogsAsync(RunAddress run, LogQuery query, string text, bool matchCase, CancellationToken ct) =>
        GetAsync(Lines(Of(run, "logs", "find"), query).With("q", text).With("case", Flag(matchCase)), Json.LogListing, ct);

    /// <inheritdoc/>
    public Task<RunsExplanation> ExplainAsync(RunQuery query, CancellationToken ct) => GetAsync(new Address("explain").With("where", Where(query)), Json.RunsExplanation, ct);

    /// <inheritdoc/>
    public Task<Listing<WorkflowSummary>> ListWorkflowsAsync(string? contains, string? cursor, int limit, CancellationToken ct) =>
        GetAsync(new Address("workflows").With("q", contains).Page(limit, cursor), Json.ListingWorkflowSummary, ct);

    /// <inheritdoc/>
    public Task<WorkflowDetail> GetWorkflowAsync(string workflow, string? version, CancellationToken ct) =>
        GetAsync(new Address("workflows", workflow).With("version", version), Json.WorkflowDetail, ct);

    /// <inheritdoc/>
    public Task<Listing<WorkflowVersion>> ListVersionsAsync(string workflow, CancellationToken ct) =>
        GetAsync(new Address("workflows", workflow, "versions"), Json.ListingWorkflowVersion, ct);

    /// <inheritdoc/>
    public Task<AppliedWorkflow> ApplyAsync(string workflow, WorkflowText file, CancellationToken ct) =>
        SendAsync(HttpMethod.Put, new("workflows", workflow), JsonContent.Create(file, Json.WorkflowText), Json.AppliedWorkflow, ct);

    /// <inheritdoc/>
    public Task<Listing<WaitingStep>> ListWaitingAsync(WaitQuery query, CancellationToken ct) => GetAsync(
        new Address("waiting").With("for", query.For).With("type", List(query.Types)).With("workflow", List(query.Workflows)).With("overdue", Flag(query.Overdue))
            .Page(query.Limit, query.Cursor),
        Json.ListingWaitingStep,
        ct);

    /// <inheritdoc/>
    public Task<Listing<WorkQueue>> ListQueuesAsync(CancellationToken ct) => GetAsync(new("queues"), Json.ListingWorkQueue, ct);

    /// <inheritdoc/>
    public Task<Listing<WorkerInfo>> ListWorkersAsync(WorkerQuery query, CancellationToken ct) => GetAsync(
        new Address("workers").With("status", query.Status).With("label", List(query.Labels)).With("workflow", query.Workflow).With("busy", Flag(query.Busy))
            .Page(query.Limit, query.Cursor),
        Json.ListingWorkerInfo,
        ct);

    /// <inheritdoc/>
    public Task<WorkerInfo> GetWorkerAsync(string id, CancellationToken ct) => GetAsync(new("workers", id), Json.WorkerInfo, ct);

    /// <inheritdoc/>
    public Task<Listing<AuditRecord>> ListAuditAsync(AuditQuery query, CancellationToken ct) => GetAsync(
        new Address("audit").With("action", query.Action).With("workflow", query.Workflow).With("key", query.Key)
            .With("since", query.Since?.ToString("O", CultureInfo.InvariantCulture)).Page(query.Limit, query.Cursor),
        Json.ListingAuditRecord,
        ct);

    /// <inheritdoc/>
    public Task<Listing<Webhook>> ListWebhooksAsync(CancellationToken ct) => GetAsync(new("webhooks"), Json.ListingWebhook, ct);

    /// <inheritdoc/>
    public Task<CreatedWebhook> CreateWebhookAsync(NewWebhook webhook, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, new("webhooks"), JsonContent.Create(webhook, Json.NewWebhook), Json.CreatedWebhook, ct);

    /// <inheritdoc/>
    public Task<Webhook> GetWebhookAsync(string id, CancellationToken ct) => GetAsync(new("webhooks", id), Json.Webhook, ct);

    /// <inheritdoc/>
    public Task<Webhook> ChangeWebhookAsync(string id, WebhookChange change, CancellationToken ct) =>
        SendAsync(HttpMethod.Patch, new("webhooks", id), JsonContent.Create(change, Json.WebhookChange), Json.Webhook, ct);

    /// <inheritdoc/>
    public Task<Webhook> DeleteWebhookAsync(string id, CancellationToken ct) => SendAsync(HttpMethod.Delete, new("webhooks", id), new StringContent(""), Json.Webhook, ct);

    /// <inheritdoc/>
    public Task<Listing<WebhookDelivery>> ListDeliveriesAsync(string id, DeliveryQuery query, CancellationToken ct) =>
        GetAsync(new Address("webhooks", id, "deliveries").With("status", query.Status).Page(query.Limit, query.Cursor), Json.ListingWebhookDelivery, ct);

    /// <inheritdoc/>
    public Task<WebhookDelivery> ReplayDeliveryAsync(string id, long delivery, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, new("webhooks", id, "deliveries", delivery.ToString(CultureInfo.InvariantCulture), "replay"), new StringContent(""), Json.WebhookDelivery, ct);

    /// <inheritdoc/>
    public Task<WebhookDelivery> TestWebhookAsync(string id, CancellationToken ct) => SendAsync(HttpMethod.Post, new("webhooks", id, "test"), new StringContent(""), Json.WebhookDelivery, ct);

    /// <inheritdoc/>
    public Task<RunChange> CancelAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(HttpMethod.Post, new("runs", workflow, instance, "cancel"), command, ct);

    /// <inheritdoc/>
    public Task<RunChange> TerminateAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(HttpMethod.Post, new("runs", workflow, instance, "terminate"), command, ct);

    /// <inheritdoc/>
    public Task<RunChange> PauseAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(HttpMethod.Post, new("runs", workflow, instance, "pause"), command, ct);

    /// <inheritdoc/>
    public Task<RunChange> ResumeAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(HttpMethod.Post, new("runs", workflow, instance, "resume"), command, ct);

    /// <inheritdoc/>
    public Task<RunChange> RestartAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(HttpMethod.Post, new("runs", workflow, instance, "restart"), command, ct);

    /// <inheritdoc/>
    public Task<RunChange> DeleteAsync(string workflow, string instance, RunCommand command, CancellationToken ct) => SteerAsync(HttpMethod.Delete, new("runs", workflow, instance), command, ct);

    /// <inheritdoc/>
    public async Task<EventReceipt> SendEventAsync(string workflow, string instance, NewEvent sent, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Address("runs", workflow, instance, "events").ToString()) { Content = JsonContent.Create(sent, Json.NewEvent) };
        if (sent.EventId is not null) Repeats.Allow(request);
        return await ReadAsync(clients(!Endless), request, Json.EventReceipt, ct);
    }

    /// <inheritdoc/>
    public async Task<StartedRun> StartAsync(string workflow, NewRun start, string? idempotencyKey, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Address("workflows", workflow, "runs").ToString()) { Content = JsonContent.Create(start, Json.NewRun) };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        if (idempotencyKey is not null) Repeats.Allow(request);
        return await ReadAsync(clients(!Endless), request, Json.StartedRun, ct);
    }

    /// <inheritdoc/>
    public Task<RunTagSet> SetTagsAsync(RunAddress run, RawJson tags, CancellationToken ct) =>
        SendAsync(HttpMethod.Put, Of(run, "tags"), new StringContent(tags.Text, Encoding.UTF8, "application/json"), Json.RunTagSet, ct);

    /// <inheritdoc/>
    public Task<RunRerun> RetryAsync(string workflow, string instance, RunRetry retry, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, new("runs", workflow, instance, "retry"), JsonContent.Create(retry, Json.RunRetry), Json.RunRerun, ct);

    /// <inheritdoc/>
    public Task<RunRerun> ForkAsync(RunAddress run, RunFork fork, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, Of(run, "fork"), JsonContent.Create(fork, Json.RunFork), Json.RunRerun, ct);

    /// <inheritdoc/>
    public Task<GraphGeometry> GetGraphAsync(string fingerprint, int? fold, CancellationToken ct) =>
        GetAsync(new Address("definitions", fingerprint, "graph").With("fold", fold), Json.GraphGeometry, ct);

    /// <inheritdoc/>
    public Task<RunCount> GroupRunsAsync(RunQuery query, string group, CancellationToken ct) =>
        GetAsync(new Address("runs", "count").With("where", Where(query)).With("group", group), Json.RunCount, ct);

    /// <inheritdoc/>
    public Task<RunHistogram> GetHistogramAsync(RunQuery query, int buckets, CancellationToken ct) =>
        GetAsync(new Address("runs", "histogram").With("where", Where(query)).With("buckets", buckets), Json.RunHistogram, ct);

    /// <inheritdoc/>
    public Task<FailureGroups> ListFailuresAsync(FailureQuery query, CancellationToken ct) =>
        GetAsync(new Address("failures").With("since", query.Since).With("workflow", List(query.Workflows)).With("scan", query.Scan), Json.FailureGroups, ct);

    /// <inheritdoc/>
    public Task<Overview> GetOverviewAsync(TimeSpan window, CancellationToken ct) => GetAsync(new Address("overview").With("window", $"{(long)window.TotalMilliseconds}ms"), Json.Overview, ct);

    /// <inheritdoc/>
    public Task<SearchHits> SearchAsync(string text, int limit, CancellationToken ct) => GetAsync(new Address("search").With("q", text).With("limit", limit), Json.SearchHits, ct);

    /// <inheritdoc/>
    public Task<SystemInfo> GetSystemAsync(CancellationToken ct) => GetAsync(new("system"), Json.SystemInfo, ct);

    /// <inheritdoc/>
    public Task<WorkflowStarts> PauseStartsAsync(string workflow, HoldCommand command, CancellationToken ct) => OrderAsync(new("workflows", workflow, "pause-starts"), command, Json.WorkflowStarts, ct);

    /// <inheritdoc/>
    public Task<WorkflowStarts> ResumeStartsAsync(string workflow, HoldCommand command, CancellationToken ct) => OrderAsync(new("workflows", workflow, "resume-starts"), command, Json.WorkflowStarts, ct);

    /// <inheritdoc/>
    public Task<WorkerOrder> DrainWorkerAsync(string worker, HoldCommand command, CancellationToken ct) => OrderAsync(new("workers", worker, "drain"), command, Json.WorkerOrder, ct);

    /// <inheritdoc/>
    public Task<WorkerOrder> UndrainWorkerAsync(string worker, HoldCommand command, CancellationToken ct) => OrderAsync(new("workers", worker, "undrain"), command, Json.WorkerOrder, ct);

    /// <inheritdoc/>
    public Task<WorkerOrder> ReleaseWorkerAsync(string worker, HoldCommand command, CancellationToken ct) => OrderAsync(new("workers", worker, "release"), command, Json.WorkerOrder, ct);

    /// <inheritdoc/>
    public Task<Listing<KeyInfo>> ListKeysAsync(CancellationToken ct) => GetAsync(new("keys"), Json.ListingKeyInfo, ct);

    /// <inheritdoc/>
    public Task<CreatedKey> CreateKeyAsync(NewKey key, CancellationToken ct) => SendAsync(HttpMethod.Post, new("keys"), JsonContent.Create(key, Json.NewKey), Json.CreatedKey, ct);

    /// <inheritdoc/>
    public async Task<KeyInfo> RevokeKeyAsync(string id, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Address("keys", id).ToString());
        return await ReadAsync(clients(!Endless), request, Json.KeyInfo, ct);
    }

    /// <inheritdoc/>
    public Task<Listing<SessionInfo>> ListSessionsAsync(CancellationToken ct) => GetAsync(new("sessions"), Json.ListingSessionInfo, ct);

    /// <inheritdoc/>
    public async Task<SessionInfo> EndSessionAsync(string id, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Address("sessions", id).ToString());
        return await ReadAsync(clients(!Endless), request, Json.SessionInfo, ct);
    }

    /// <inheritdoc/>
    public Task<StepDetail> CompleteStepAsync(RunAddress run, string step, StepCompletion completion, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, Of(run, "steps", step, "complete"), JsonContent.Create(completion, Json.StepCompletion), Json.StepDetail, ct);

    /// <inheritdoc/>
    public Task<StepDetail> FailStepAsync(RunAddress run, string step, StepFailing failing, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, Of(run, "steps", step, "fail"), JsonContent.Create(failing, Json.StepFailing), Json.StepDetail, ct);

    /// <inheritdoc/>
    public Task<StepDetail> SkipStepAsync(RunAddress run, string step, StepCommand command, CancellationToken ct) => ByHandAsync(Of(run, "steps", step, "skip"), command, ct);

    /// <inheritdoc/>
    public Task<StepDetail> RetryStepNowAsync(RunAddress run, string step, StepCommand command, CancellationToken ct) => ByHandAsync(Of(run, "steps", step, "retry-now"), command, ct);

    /// <inheritdoc/>
    public Task<StepDetail> ReleaseStepAsync(RunAddress run, string step, StepCommand command, CancellationToken ct) => ByHandAsync(Of(run, "steps", step, "release"), command, ct);

    private Task<StepDetail> ByHandAsync(Address address, StepCommand command, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, address, JsonContent.Create(command, Json.StepCommand), Json.StepDetail, ct);

    private Task<T> OrderAsync<T>(Address address, HoldCommand command, JsonTypeInfo<T> type, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, address, JsonContent.Create(command, Json.HoldCommand), type, ct);

    /// <inheritdoc/>
    public Task<BulkPlan> PlanBulkAsync(NewBulk bulk, CancellationToken ct) => SendAsync(HttpMethod.Post, new("bulk"), JsonContent.Create(bulk, Json.NewBulk), Json.BulkPlan, ct);

    /// <inheritdoc/>
    public Task<BulkState> StartBulkAsync(long id, BulkStart start, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, new("bulk", Text(id), "start"), JsonContent.Create(start, Json.BulkStart), Json.BulkState, ct);

    /// <inheritdoc/>
    public Task<BulkState> StopBulkAsync(long id, BulkStop stop, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, new("bulk", Text(id), "stop"), JsonContent.Create(stop, Json.BulkStop), Json.BulkState, ct);

    /// <inheritdoc/>
    public Task<Listing<BulkState>> ListBulkAsync(string? cursor, int limit, CancellationToken ct) => GetAsync(new Address("bulk").Page(limit, cursor), Json.ListingBulkState, ct);

    /// <inheritdoc/>
    public Task<BulkState> GetBulkAsync(long id, CancellationToken ct) => GetAsync(new("bulk", Text(id)), Json.BulkState, ct);

    /// <inheritdoc/>
    public Task<Listing<BulkResult>> ListBulkResultsAsync(long id, BulkResultQuery query, CancellationToken ct) =>
        GetAsync(new Address("bulk", Text(id), "results").With("outcome", List(query.Outcomes)).Page(query.Limit, query.Cursor), Json.ListingBulkResult, ct);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private Task<RunChange> SteerAsync(HttpMethod method, Address address, RunCommand command, CancellationToken ct) =>
        SendAsync(method, address, JsonContent.Create(command, Json.RunCommand), Json.RunChange, ct);

    private static Address Of(RunAddress run, params ReadOnlySpan<string> more) => new Address(["runs", run.Workflow, run.Instance, .. more]).With("run", run.Run);

    private static Address Lines(Address address, LogQuery query) => Choice(address, query).With("after", query.After).With("limit", query.Limit);

    private static Address Choice(Address address, LogQuery query) =>
        address.With("step", query.Step).With("attempt", query.Attempt).With("stream", query.Stream).With("level", query.Level);

    private static string? Where(RunQuery query) => query.Where.ToString() is { Length: > 0 } text ? text : null;

    private static string? List(IReadOnlyList<string> values) => values.Count > 0 ? string.Join(',', values) : null;

    private static string? Flag(bool value) => value ? "true" : null;

    private async Task<T> GetAsync<T>(Address address, JsonTypeInfo<T> type, CancellationToken ct)
    {
        using var request = Get(address);
        return await ReadAsync(clients(!Endless), request, type, ct);
    }

    private static HttpRequestMessage Get(Address address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address.ToString());
        Repeats.Allow(request);
        return request;
    }

    private async Task<T> SendAsync<T>(HttpMethod method, Address address, HttpContent content, JsonTypeInfo<T> type, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, address.ToString()) { Content = content };
        return await ReadAsync(clients(!Endless), request, type, ct);
    }

    private static async Task<T> ReadAsync<T>(HttpClient http, HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken ct)
    {
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (!response.IsSuccessStatusCode) throw await RefusalAsync(response, ct);
        return await response.Content.ReadFromJsonAsync(type, ct) ?? throw new OperatorException((int)response.StatusCode, "no_answer", "the answer is empty");
    }

    // A proxy may have answered, so the body can be anything.
    private static async Task<OperatorException> RefusalAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var status = (int)response.StatusCode;
        var retryAfter = response.Headers.RetryAfter?.Delta;
        try
        {
            if (await response.Content.ReadFromJsonAsync(Json.OperatorProblem, ct) is { Code: not null } problem)
                return new(status, problem.Code, problem.Detail, problem.Place) { Column = problem.Column, RunStatus = problem.RunStatus, Errors = problem.Errors, RetryAfter = retryAfter };
        }
        catch (JsonException)
        {
        }

        return new(status, "refused", string.Create(CultureInfo.InvariantCulture, $"the server answered {status} {response.ReasonPhrase}")) { RetryAfter = retryAfter };
    }
}
