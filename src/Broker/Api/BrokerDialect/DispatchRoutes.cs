using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Http;
using Broker.Operations.Tracing;

namespace Broker.Api.BrokerDialect;

/// <summary>A run to start, and the definition it is started with.</summary>
internal sealed record DispatchRequest(WorkflowDefinition Definition, string InputsJson)
{
    /// <summary>When it begins, how urgent it is and how long it may take.</summary>
    public StartOptions Options { get; init; } = StartOptions.None;

    /// <summary>For a dispatch that may be sent again.</summary>
    public StartKey? Key { get; init; }
}

/// <summary>Starting runs.</summary>
internal static class DispatchRoutes
{
    public static async Task DispatchAsync(HttpContext http)
    {
        using var turn = new DefinitionTurn();
        var (asked, wellFormed) = (Idempotency.IsAsked(http.Request), true);
        var dispatch = await BrokerRequests.ReadAsync<DispatchRequest>(http, !asked ? Read : (body, reader) =>
        {
            if (Read(body, reader) is not { } read) return null;
            wellFormed = Idempotency.TryRead(http, "dispatch", read.Definition.Name, body, out var key);
            return read with { Key = key };
        }, turn);
        if (dispatch is null) return;
        if (!wellFormed)
        {
            await BrokerResponses.Fail(http, StatusCodes.Status400BadRequest, Idempotency.Malformed);
            return;
        }

        var engine = http.Engine();
        var registered = await engine.RegisterAsync([dispatch.Definition], http.RequestAborted);
        if (registered is not { Conflict: null, Full: null })
        {
            await WorkerRoutes.Refused(http, registered);
            return;
        }

        var outcome = await engine.StartAsync(
            dispatch.Options.Of(new StartRequest(registered.Registered[0], Guid.NewGuid().ToString("N"))
            {
                InputsJson = dispatch.InputsJson,
                TraceParent = TraceParents.Of(http),
                Key = dispatch.Key,
            }),
            http.RequestAborted);
        Idempotency.Mark(http.Response, outcome);
        await (outcome switch
        {
            { Run: { } run } => BrokerResponses.Text(http, run.InstanceId),
            { Problems: [var first, ..] } => BrokerResponses.Fail(
                http, StatusCodes.Status422UnprocessableEntity, StartInputs.ProblemIn("inputs", first).ToString(), [.. outcome.Problems.Select(problem => StartInputs.ProblemIn("inputs", problem))]),
            { Verdict: StartVerdict.StartsPaused } => BrokerResponses.Fail(http, StatusCodes.Status409Conflict, engine.StartsPaused(dispatch.Definition.Name)),
            { Verdict: StartVerdict.KeyReused } => BrokerResponses.Fail(http, StatusCodes.Status422UnprocessableEntity, StartRefusal.KeyReused),
            _ => BrokerResponses.Fail(
                http, StatusCodes.Status429TooManyRequests, StartRefusal.BacklogFull(http, dispatch.Definition.Name, engine.Settings.Limits.Backlog)),
        });
    }

    public static Task StatusAsync(HttpContext http) =>
        JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, new StatusInfo("ok"), BrokerJson.Default.StatusInfo);

    private static JsonElement? Given(JsonElement owner, string member) =>
        owner.TryGetProperty(member, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null;

    private static DispatchRequest? Read(JsonElement body, BrokerReader reader)
    {
        if (!reader.IsObject(body, "an object with workflow and inputs")) return null;
        if (!body.TryGetProperty("workflow", out var workflow))
        {
            reader.Add("workflow", "is required: a workflow schema");
            return null;
        }

        var reading = DefinitionReader.Read(workflow, reader.Limits.Steps);
        foreach (var problem in reading.Problems) reader.Add(problem.Path.Length == 0 ? "workflow" : $"workflow.{problem.Path}", problem.Message);

        var inputs = "{}";
        if (body.TryGetProperty("inputs", out var given) && given.ValueKind is not JsonValueKind.Null)
        {
            if (given.ValueKind is JsonValueKind.Object && UnicodeCheck.Problem(given, "inputs") is { } broken) reader.Add(broken.Path, broken.Message);
            else if (given.ValueKind is JsonValueKind.Object) inputs = given.GetRawText();
            else reader.Add("inputs", $"expected an object, got {JsonText.KindOf(given)}");
        }

        var options = StartOptions.Read(name => Given(body, name), StartOptionNames.Snake, reader.Add);
        if (reading.Definition is not { } definition || reader.IsBroken) return null;

        // Judged by the engine too; a refused dispatch must not leave its definition behind.
        foreach (var problem in StartInputs.Judge(new(definition, "") { InputsJson = inputs }).Problems)
        {
            var (path, message) = StartInputs.ProblemIn("inputs", problem);
            reader.Add(path, message);
        }

        return new(definition, inputs) { Options = options };
    }
}
