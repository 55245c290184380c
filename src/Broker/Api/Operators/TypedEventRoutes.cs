using Broker.Auth;
using Broker.Engine;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Events that name no run.</summary>
internal static class TypedEventRoutes
{
    public static void MapTypedEvents(this RouteGroupBuilder api) => api.MapPost("/events", PublishAsync).WithName("PublishEvent").WithSummary("Send an event to the workflows that subscribe to its type")
        .WithDescription(
            "A subscription is `on` of a workflow's latest definition. It starts a run with the value as inputs, or delivers the event to the instance that its `key` names. Sent again under its `event_id`, "
            + "an event starts nothing twice. Each subscription has its own outcome: a request that failed in between is sent again.")
        .TakesJson<TypedEvent>(isOptional: false).Answers<EventRouting>().Refuses(400, 413, 422).Takes()
        .RequireScope(Scope.Event).ByWorkflow();

    private static async Task PublishAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.TypedEvent, isOptional: false, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.PublishEventAsync(body, ct), OperatorJson.Default.EventRouting);
    }
}
