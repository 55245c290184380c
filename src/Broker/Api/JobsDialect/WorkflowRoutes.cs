using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Engine;
using Broker.Http;
using Broker.Operators;
using Broker.WorkflowFiles;

namespace Broker.Api.JobsDialect;

/// <summary>Defining and listing workflows (jobs contract 3).</summary>
internal static class WorkflowRoutes
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1000;
    private const string NotANumber = "expected an integer of 0 or more";

    public static async Task ListAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        var (skip, take, field) = PageOf(http);
        if (field is not null)
        {
            await JobsErrors.SendAsync(http.Response, StatusCodes.Status400BadRequest, $"{field}: {NotANumber}", field);
            return;
        }

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
        if (PostedFile.IsYaml(http.Request)) return await DefineFileAsync(http, engine, turn, ct);
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct, turn);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return null;
        }

        return await RegisterAsync(http, engine, PostedWorkflow.Read(body.Root, Guid.NewGuid().ToString("D"), engine.Settings.Limits), ct);
    }

    private static async Task<WorkflowDefinition?> DefineFileAsync(HttpContext http, BrokerEngine engine, DefinitionTurn turn, CancellationToken ct)
    {
        var most = Math.Min(engine.Settings.MaxBodyBytes, WorkflowFileReader.MaxCharacters);
        var (text, body) = await JsonBody.ReadTextAsync(http.Request, most, turn, ct);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return null;
        }

        return await RegisterAsync(http, engine, PostedFile.Read(text, Guid.NewGuid().ToString("D"), engine.Settings.Limits), ct);
    }

    private static async Task<WorkflowDefinition?> RegisterAsync(HttpContext http, BrokerEngine engine, DefinitionReading reading, CancellationToken ct)
    {
        if (reading.Definition is not { } definition)
        {
            await JobsErrors.WrongShapeAsync(http.Response, reading.Problems);
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

    /// <summary>Workflow files with their state: those that cannot be read are in no other list.</summary>
    public static async Task FilesAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        var (skip, take, field) = PageOf(http);
        if (field is not null)
        {
            await ProblemAnswer.SendAsync(http, OperatorException.BadParameter(field, NotANumber));
            return;
        }

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

    /// <summary>Answers with a workflow and its jobs.</summary>
    public static async Task SendAsync(HttpContext http, int status, WorkflowView workflow)
    {
        await using var answer = new JsonStream(http.Response, status);
        await workflow.WriteAsync(answer, http.RequestAborted);
        await answer.EndAsync(http.RequestAborted);
    }

    // With a field when it is no number.
    private static (int Skip, int Take, string? Field) PageOf(HttpContext http)
    {
        string? field = null;
        if (!TryNumber(http, "offset", 0, out var offset)) field = "offset";
        if (!TryNumber(http, "limit", DefaultLimit, out var limit)) field = "limit";
        return ((int)Math.Min(offset, int.MaxValue), (int)Math.Min(limit, MaxLimit), field);
    }

    private static bool TryNumber(HttpContext http, string name, ulong fallback, out ulong number)
    {
        number = fallback;
        var given = http.Request.Query[name];
        return given.Count == 0 || ulong.TryParse(given[^1], NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
