using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Engine;
using Broker.Http;
using Broker.Operations.Tracing;
using Broker.WorkflowFiles;

namespace Broker.Api.JobsDialect;

/// <summary>Defining, showing, running and cancelling workflows (jobs contract 3).</summary>
internal static class WorkflowRoutes
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;

    public static async Task ListAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await PageOfAsync(http) is not var (skip, take)) return;
        var status = http.Request.Query["status"].ToString();
        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartArray();
        if (take > 0 && (status.Length == 0 || JobsStatuses.All.Contains(status)))
        {
            await foreach (var workflow in WorkflowList.ReadAsync(engine, skip, take, status.Length == 0 ? null : status, ct))
                await workflow.WriteAsync(answer, ct);
        }

        answer.Json.WriteEndArray();
        await answer.EndAsync(ct);
    }

    public static async Task CreateAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await DefineAsync(http, engine, ct) is { } definition) await SendAsync(http, StatusCodes.Status201Created, WorkflowView.Of(definition, null));
    }

    // Null after an error answer. The turn ends before the answer begins, which a client may read slowly.
    private static async Task<WorkflowDefinition?> DefineAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        using var turn = new DefinitionTurn();
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct, turn);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return null;
        }

        var (definition, problems) = PostedWorkflow.Read(body.Root, Guid.NewGuid().ToString("D"), engine.Settings.Limits);
        if (definition is null)
        {
            await JobsErrors.WrongShapeAsync(http.Response, problems);
            return null;
        }

        await engine.RegisterAsync([definition], ct);
        return definition;
    }

    /// <summary>The built-in workflow again with all jobs queued, unless it is running.</summary>
    public static async Task CreateSampleAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        var sample = SampleWorkflow.Create();
        var last = await engine.History.LatestOfAsync(sample.Id, ct);
        if (last is null or { IsTerminal: true })
        {
            // One edition for each run before it: replacing twice is the same as replacing once.
            var edition = last is null ? "" : string.Create(CultureInfo.InvariantCulture, $"-{last.Ref.Id}");
            await engine.RegisterAsync([JobsDocument.Read(sample, fromFile: false, edition).Definition!], ct, makeLatest: true);
        }

        var latest = await engine.LatestAsync(sample.Id, ct);
        await SendAsync(http, StatusCodes.Status201Created, WorkflowView.Of(latest!, last));
    }

    public static async Task StatusAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        if (await WorkflowLookup.FindAsync(engine, id, ct) is { } workflow) await SendAsync(http, StatusCodes.Status200OK, workflow);
        else if (JobIds.MayExist(id) && await engine.FileErrorAsync(id, ct) is { } error) await JobsErrors.SendAsync(http.Response, StatusCodes.Status404NotFound, $"the file of the workflow '{id}' cannot be read: {error}");
        else await JobsErrors.UnknownWorkflowAsync(http.Response, id);
    }

    /// <summary>Workflow files with their state: those that cannot be read are in no other list.</summary>
    public static async Task FilesAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        if (await PageOfAsync(http) is not var (skip, take)) return;
        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartArray();
        if (take > 0)
        {
            await foreach (var file in engine.FilesAsync(ct).Skip(skip).Take(take))
            {
                var shown = new WorkflowFileDto(file.Name, file.File, file.Source, file.Version, file.Error, file.ChangedAt.ToUnixTimeMilliseconds());
                JsonSerializer.Serialize(answer.Json, shown, JobsJson.Default.WorkflowFileDto);
                await answer.RowAsync(ct);
            }
        }

        answer.Json.WriteEndArray();
        await answer.EndAsync(ct);
    }

    /// <summary>A new run, unless the last one is active: then nothing happens.</summary>
    public static async Task RunAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        if (await StartOfAsync(engine, id, ct) is not { } start)
        {
            await JobsErrors.UnknownWorkflowAsync(http.Response, id);
            return;
        }

        if (Idempotency.IsAsked(http.Request))
        {
            // Without a key the body is not looked at: clients send what they like.
            using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
            if (body.Fault is not (BodyFault.None or BodyFault.Empty))
            {
                await JobsErrors.BadBodyAsync(http.Response, body);
                return;
            }

            if (!Idempotency.TryRead(http, "run-job-workflow", id, body.Fault is BodyFault.None ? body.Root : default, out var key))
            {
                await JobsErrors.SendAsync(http.Response, StatusCodes.Status400BadRequest, Idempotency.Malformed);
                return;
            }

            start = start with { Key = key! with { KeepsStanding = true } };
        }

        var outcome = await engine.StartAsync(start with { TraceParent = TraceParents.Of(http) }, ct);
        Idempotency.Mark(http.Response, outcome);
        await (outcome.Verdict switch
        {
            StartVerdict.KeyReused => JobsErrors.SendAsync(http.Response, StatusCodes.Status422UnprocessableEntity, StartRefusal.KeyReused),
            StartVerdict.BacklogFull => JobsErrors.SendAsync(
                http.Response, StatusCodes.Status429TooManyRequests, StartRefusal.BacklogFull(http, start.Definition.Name, engine.Settings.Limits.Backlog)),
            StartVerdict.Started or StartVerdict.AlreadyExists or StartVerdict.StillActive or StartVerdict.NotContinuable =>
                JobsErrors.EmptyAsync(http.Response, StatusCodes.Status202Accepted),
        });
    }

    private static async Task<StartRequest?> StartOfAsync(BrokerEngine engine, string id, CancellationToken ct)
    {
        if (!JobIds.MayExist(id)) return null;
        if (await engine.StartableAsync(id, ct) is { } definition) return new(definition, id) { Mode = StartMode.NextRun };

        // An instance of another workflow; one whose own workflow was a file that is gone is no way to start it again.
        if (await engine.FindRunAsync(id, ct) is not { } run || await engine.StartableAsync(run.Ref.Workflow, ct) is null) return null;
        return new(run.Definition, run.Ref.InstanceId) { Mode = StartMode.NextRun, InputsJson = run.InputsJson };
    }

    /// <summary>Ends every active run that this dialect addresses by the id, and no other.</summary>
    public static async Task CancelAsync(HttpContext http, BrokerEngine engine, string id, CancellationToken ct)
    {
        if (await WorkflowLookup.RunsOfAsync(engine, id, ct) is not { } runs)
        {
            await JobsErrors.UnknownWorkflowAsync(http.Response, id);
            return;
        }

        foreach (var run in runs) await engine.ControlAsync(run.Workflow, run.InstanceId, ControlCommand.Cancel, ct);
        await JobsErrors.EmptyAsync(http.Response, StatusCodes.Status202Accepted);
    }

    private static async Task SendAsync(HttpContext http, int status, WorkflowView workflow)
    {
        await using var answer = new JsonStream(http.Response, status);
        await workflow.WriteAsync(answer, http.RequestAborted);
        await answer.EndAsync(http.RequestAborted);
    }

    // Null after an error answer.
    private static async ValueTask<(int Skip, int Take)?> PageOfAsync(HttpContext http)
    {
        string? field = null;
        if (!TryNumber(http, "offset", 0, out var offset)) field = "offset";
        if (!TryNumber(http, "limit", DefaultLimit, out var limit)) field = "limit";
        if (field is null) return ((int)Math.Min(offset, int.MaxValue), (int)Math.Min(limit, MaxLimit));
        await JobsErrors.SendAsync(http.Response, StatusCodes.Status400BadRequest, $"{field}: expected an integer of 0 or more", field);
        return null;
    }

    private static bool TryNumber(HttpContext http, string name, ulong fallback, out ulong number)
    {
        number = fallback;
        var given = http.Request.Query[name];
        return given.Count == 0 || ulong.TryParse(given[^1], NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
