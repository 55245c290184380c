using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Engine;
using Broker.Startup;

namespace Broker.Api.HandlersDialect;

/// <summary>What can be run, and the shape of its events (handlers contract 4, 11).</summary>
internal static class WorkflowRoutes
{
    public static Task HealthAsync(HttpContext http, BrokerEngine engine, StartGate gate)
    {
        var unwell = engine.Stopping.IsCancellationRequested || !gate.IsOpen;
        return JsonAnswer.SendAsync(
            http.Response,
            unwell ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK,
            unwell ? "unhealthy" : "healthy",
            static (json, status) =>
            {
                json.WriteStartObject();
                json.WriteString("status", status);
                json.WriteEndObject();
            });
    }

    public static async Task ListAsync(HttpContext http, BrokerEngine engine)
    {
        await using var answer = new JsonStream(http.Response);
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("workflows");
        await foreach (var known in engine.DefinitionsAsync(http.RequestAborted))
        {
            answer.Json.WriteStringValue(known.Name);
            await answer.RowAsync(http.RequestAborted);
        }

        answer.Json.WriteEndArray();
        answer.Json.WriteEndObject();
        await answer.EndAsync(http.RequestAborted);
    }

    public static async Task SchemaAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name)
    {
        if (await FindAsync(http, engine, name) is not { } definition)
        {
            await HandlersAnswer.NotFoundAsync(http, mount, HandlersAnswer.WorkflowNotFound);
            return;
        }

        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, definition.Events, static (json, events) =>
        {
            json.WriteStartObject();
            json.WritePropertyName("start");
            json.WriteRaw(events.StartEvent.SchemaJson);
            json.WritePropertyName("stop");
            json.WriteRaw(events.StopEvent.SchemaJson);
            json.WriteEndObject();
        });
    }

    public static async Task EventsAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name)
    {
        if (await FindAsync(http, engine, name) is not { } definition)
        {
            await HandlersAnswer.NotFoundAsync(http, mount, $"Workflow '{name}' not found");
            return;
        }

        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, definition.Events, static (json, events) =>
        {
            json.WriteStartObject();
            json.WriteStartArray("events");
            foreach (var known in events.All) json.WriteRaw(known.SchemaJson);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    public static async Task RepresentationAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name)
    {
        if (await FindAsync(http, engine, name) is not { } definition) await HandlersAnswer.NotFoundAsync(http, mount, HandlersAnswer.WorkflowNotFound);
        else await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, definition, static (json, definition) => WorkflowGraph.Write(json, definition));
    }

    private static async Task<WorkflowDefinition?> FindAsync(HttpContext http, BrokerEngine engine, string name) =>
        StorableText.Fits(name) ? await engine.LatestAsync(name, http.RequestAborted) : null;
}
