namespace Broker.Operators;

/// <summary>Examples of events that name no run.</summary>
internal static class TypedEventExamples
{
    public const string TypedEvent = """{"type": "order.created", "value": {"order": 4711, "total": 99.5}, "event_id": "shop-4711-created"}""";

    public const string EventRouting = """{"event_id": "shop-4711-created", "targets": [{"workflow": "fulfil", "instance": "4711", "outcome": "started"}], "capped": false}""";
}
