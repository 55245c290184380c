using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Operations.Tracing;

namespace Broker.Api.BrokerDialect;

/// <summary>A run to start, and the definition it is started with.</summary>
internal sealed record DispatchRequest(WorkflowDefinition Definition, string InputsJson);

/// <summary>Starting runs.</summary>
internal static class DispatchRoutes
{
    public static async Task DispatchAsync(HttpContext http)
    {
        if (await Requests.ReadAsync(http, Read) is not { } dispatch) return;

        var engine = http.Engine();
        var outcome = await engine.RegisterAsync([dispatch.Definition], http.RequestAborted);
        if (outcome.Conflict is { } conflict)
        {
            await WorkerRoutes.Mismatch(http, conflict);
            return;
        }

        var instance = Guid.NewGuid().ToString("N");
        await engine.StartAsync(
            new StartRequest(outcome.Registered[0], instance) { InputsJson = dispatch.InputsJson, TraceParent = TraceParents.Of(http) },
            http.RequestAborted);
        await Answers.Text(http, instance);
    }

    public static Task StatusAsync(HttpContext http) => JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, "ok", static (json, status) =>
    {
        json.WriteStartObject();
        json.WriteString("status"u8, status);
        json.WriteEndObject();
    });

    private static DispatchRequest? Read(JsonElement body, Shape shape)
    {
        if (!shape.IsObject(body, "an object with workflow and inputs")) return null;
        if (!body.TryGetProperty("workflow", out var workflow))
        {
            shape.Add("workflow", "is required: a workflow schema");
            return null;
        }

        var reading = DefinitionReader.Read(workflow);
        foreach (var problem in reading.Problems) shape.Add(problem.Path.Length == 0 ? "workflow" : $"workflow.{problem.Path}", problem.Message);

        var inputs = "{}";
        if (body.TryGetProperty("inputs", out var given) && given.ValueKind is not JsonValueKind.Null)
        {
            if (given.ValueKind is JsonValueKind.Object) inputs = given.GetRawText();
            else shape.Add("inputs", $"expected an object, got {Shape.Kind(given)}");
        }

        return reading.Definition is { } definition ? new(definition, inputs) : null;
    }
}
