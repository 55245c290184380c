using System.Text.Json;
using Broker.Core.Runs;
using Broker.Embedding;
using Broker.Engine;
using Broker.Http;


namespace Broker.Api.InstancesDialect;

/// <summary>Lists and creation. The order of checks is that of instances contract 10.</summary>
internal static partial class InstancesRoutes
{
    public static async Task ListWorkflows(HttpContext http, BrokerEngine engine)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Workflows);
        if (!await call.MayAsync()) return;

        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("workflows");
        await foreach (var known in engine.DefinitionsAsync(call.Aborted))
        {
            answer.Json.WriteStartObject();
            answer.Json.WriteString("name", known.Name);
            answer.Json.WriteEndObject();
            await answer.RowAsync(call.Aborted);
        }

        answer.Json.WriteEndArray();
        answer.Json.WriteEndObject();
        await answer.EndAsync(call.Aborted);
    }

    public static async Task ListInstances(HttpContext http, BrokerEngine engine, string workflowName, string? status, string? pageSize, string? cursor)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Instances);
        if (!await call.MayAsync() || await call.FindWorkflowAsync(workflowName) is not { } workflow) return;

        IReadOnlySet<RunStatus>? statuses = null;
        if (status is not null && (statuses = InstancesStatuses.Find(status, call.IsFlat)) is null)
        {
            var issues = new IssueList();
            issues.Add("invalid_value", $"expected {InstancesStatuses.Words}", "status");
            await call.IsValidAsync(issues);
            return;
        }

        var kind = statuses is null ? CursorKind.InstancesById : CursorKind.InstancesByStatus;
        var from = PageCursor.Decode(cursor, kind) is { Descending: true } given ? given : null;
        var size = from?.PageSize ?? PageSizes.Of(pageSize);
        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("instances");
        var (after, more) = await WritePageAsync(answer, call, engine, workflow.Name, statuses, from, size);
        answer.Json.WriteEndArray();
        if (more && after is { } last)
        {
            var next = new PageCursor(kind, true, size, statuses is null ? 0 : last.At.UtcTicks, 0, last.Id).Encode();
            answer.Json.WriteString("cursor", next);
            answer.Json.WriteString("nextCursor", next);
        }

        answer.Json.WriteBoolean("hasNextPage", more);
        answer.Json.WriteEndObject();
        await answer.EndAsync(call.Aborted);
    }

    // Rows are read by weight: the results of one page may be any number of megabytes.
    private static async Task<((DateTimeOffset At, string Id)? Last, bool More)> WritePageAsync(
        JsonStream answer, InstanceCall call, BrokerEngine engine, string workflow, IReadOnlySet<RunStatus>? statuses, PageCursor? from, int size)
    {
        var weight = new PageWeight();
        (DateTimeOffset At, string Id)? last = from is null ? null : (from.At, from.Id);
        for (var left = size; ;)
        {
            var rows = Math.Min(left, weight.Rows);
            var page = statuses is null
                ? await engine.History.ListByIdAsync(workflow, last?.Id, rows, call.Aborted)
                : await engine.History.ListByStatusAsync(workflow, statuses, last, rows, call.Aborted);
            foreach (var run in page.Rows)
            {
                answer.Json.WriteStartObject();
                answer.Json.WriteString("id", run.Ref.InstanceId);
                InstancesAnswers.WriteDetails(answer.Json, "details", run, call.ShowsActive);
                InstancesAnswers.WriteDate(answer.Json, "createdAt", run.CreatedAt);
                answer.Json.WriteEndObject();
                await answer.RowAsync(call.Aborted);
                last = (run.UpdatedAt, run.Ref.InstanceId);
            }

            left -= page.Rows.Count;
            if (!page.HasMore || left == 0) return (last, page.HasMore);
            weight.Saw(rows, page.Rows.Sum(run => (long)(run.ResultJson?.Length ?? 0)));
        }
    }

    public static async Task Create(HttpContext http, BrokerEngine engine, string workflowName)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Instances);
        using var body = await call.ReadBodyAsync();
        if (body is null) return;

        var issues = new IssueList();
        var root = InstancesRequests.RootOf(body.Value);
        var wanted = InstancesRequests.Create(root, issues);
        if (!await call.IsValidAsync(issues) || wanted is null) return;
        if (!Idempotency.TryRead(http, "create-instance", workflowName, root ?? default, out var key))
        {
            await call.RefuseAsync(InstanceError.BadKey);
            return;
        }

        if (await StartAsync(call, engine, workflowName, [wanted], root, batch: false, key) is not [var outcome]) return;
        Idempotency.Mark(http.Response, outcome);
        if (outcome.Verdict is StartVerdict.KeyReused)
        {
            await call.RefuseAsync(InstanceError.KeyReused);
            return;
        }

        if (outcome.Verdict is not StartVerdict.Started)
        {
            await call.RefuseAsync(InstanceError.AlreadyExists);
            return;
        }

        await call.AnswerAsync(Created(call, outcome), InstancesJson.Default.InstanceStatusDto);
    }

    public static async Task CreateBatch(HttpContext http, BrokerEngine engine, string workflowName)
    {
        var call = new InstanceCall(http, engine, InstancePaths.Batch);
        using var body = await call.ReadBodyAsync();
        if (body is null) return;

        var issues = new IssueList();
        var root = InstancesRequests.RootOf(body.Value);
        var wanted = InstancesRequests.Batch(root, issues, engine.Settings.Limits.Batch);
        if (!await call.IsValidAsync(issues)) return;
        if (await StartAsync(call, engine, workflowName, wanted, root, batch: true) is not { } outcomes) return;

        var started = outcomes.Where(outcome => outcome.Verdict is StartVerdict.Started).Select(outcome => Created(call, outcome));
        await call.AnswerAsync(new InstanceStatusesDto([.. started]), InstancesJson.Default.InstanceStatusesDto);
    }

    private static InstanceStatusDto Created(InstanceCall call, StartOutcome outcome) =>
        new(outcome.Run!.InstanceId, InstancesAnswers.StatusOf(RunStatus.Queued, call.ShowsActive));

    /// <summary>One outcome each, or null after a refusal.</summary>
    private static async Task<IReadOnlyList<StartOutcome>?> StartAsync(
        InstanceCall call, BrokerEngine engine, string workflowName, IReadOnlyList<NewInstance> wanted, JsonElement? input, bool batch,
        StartKey? key = null)
    {
        if (!await call.MayAsync(input)) return null;
        if (!await call.MayAsync((hooks, context, ct) => hooks.AuthorizeInstanceCreationAsync(new(context, workflowName, wanted), ct))) return null;
        if (await call.FindWorkflowAsync(workflowName, toStart: true) is not { } workflow) return null;

        if (wanted.Count == 0) return [];
        var traceParent = call.TraceParent;
        var outcomes = await engine.StartAsync(
            [.. wanted.Select(one => one.Options.Of(new StartRequest(workflow, one.Id ?? Identifiers.NewInstanceId(engine.Now))
            {
                InputsJson = one.ParamsJson ?? "{}",
                Mode = StartMode.NewInstance,
                Streams = workflow.MayBeWatched,
                TraceParent = traceParent,
                Key = key,
            }))],
            call.Aborted);
        for (var i = 0; i < outcomes.Count; i++)
        {
            if (outcomes[i].Problems is not { Count: > 0 } errors) continue;
            await call.RefuseAsync(InstanceError.BadParams, batch ? IssueList.Of(errors, "instances", i, "params") : IssueList.Of(errors, "params"));
            return null;
        }

        if (outcomes is [{ Verdict: StartVerdict.StartsPaused }, ..])
        {
            await call.RefuseAsync(InstanceError.StartsPaused(engine.StartsPaused(workflowName)));
            return null;
        }

        if (outcomes is not [{ Verdict: StartVerdict.BacklogFull }, ..]) return outcomes;
        await call.RefuseAsync(InstanceError.BacklogFull(StartRefusal.BacklogFull(call.Http, workflowName, engine.Settings.Limits.Backlog)));
        return null;
    }
}
