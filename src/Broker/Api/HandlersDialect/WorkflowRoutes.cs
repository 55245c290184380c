using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Engine;
using Broker.Http;
using Broker.Startup;

namespace Broker.Api.HandlersDialect;

/// <summary>Workflows that can be run, and the shape of their events (handlers contract 4, 11).</summary>
internal static class WorkflowRoutes
{
    public static Task HealthAsync(HttpContext http, BrokerEngine engine, StartGate gate)
    {
        var unwell = engine.Stopping.IsCancellationRequested || !gate.IsOpen;
        return unwell
            ? HandlersErrors.StatusAsync(http.Response, "unhealthy", StatusCodes.Status503ServiceUnavailable)
            : HandlersErrors.StatusAsync(http.Response, "healthy");
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
            await HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.WorkflowNotFound);
            return;
        }

        var schema = new WorkflowSchemaDto(new(definition.Events.StartEvent.SchemaJson), new(definition.Events.StopEvent.SchemaJson));
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, schema, HandlersJson.Default.WorkflowSchemaDto);
    }

    public static async Task EventsAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name)
    {
        if (await FindAsync(http, engine, name) is not { } definition)
        {
            await HandlersErrors.NotFoundAsync(http, mount, $"Workflow '{name}' not found");
            return;
        }

        var events = new WorkflowEventsDto([.. definition.Events.All.Select(known => new JsonPassThrough(known.SchemaJson))]);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, events, HandlersJson.Default.WorkflowEventsDto);
    }

    public static async Task RepresentationAsync(HttpContext http, HandlersMount mount, BrokerEngine engine, string name)
    {
        if (await FindAsync(http, engine, name) is not { } definition) await HandlersErrors.NotFoundAsync(http, mount, HandlersErrors.WorkflowNotFound);
        else await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, WorkflowGraph.Of(definition), HandlersJson.Default.WorkflowGraphDto);
    }

    private static async Task<WorkflowDefinition?> FindAsync(HttpContext http, BrokerEngine engine, string name) =>
        StorableText.Fits(name) ? await engine.LatestAsync(name, http.RequestAborted) : null;
}
