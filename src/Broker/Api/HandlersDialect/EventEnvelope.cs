using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;

namespace Broker.Api.HandlersDialect;

/// <summary>An event that a client sent: which one it is and its fields, or why it cannot be taken.</summary>
/// <param name="Event">The registered event.</param>
/// <param name="FieldsJson">Raw JSON object.</param>
/// <param name="Problem">For people; null when the event can be taken.</param>
/// <param name="IsValueProblem">The value is at fault, not the name.</param>
internal sealed record EventReading(EventDefinition? Event, string FieldsJson, string? Problem, bool IsValueProblem)
{
    public static EventReading Unnamed(string problem) => new(null, "{}", problem, IsValueProblem: false);

    public static EventReading BadValue(string problem) => new(null, "{}", problem, IsValueProblem: true);
}

/// <summary>
/// The forms in which clients send events: <c>{"value", "type", "qualified_name"}</c>, and older ones with <c>data</c> or
/// <c>__is_pydantic</c> (handlers contract 5.1, 10).
/// </summary>
internal static class EventEnvelope
{
    private const int MostNamed = 50;

    public static bool IsEnvelope(JsonElement sent) =>
        sent.TryMember("value", out _) || (sent.TryMember("type", out _) && sent.TryMember("qualified_name", out _));

    /// <summary>Finds the event and flattens its fields; they are not judged yet.</summary>
    public static EventReading Read(JsonElement envelope, EventCatalog events)
    {
        var type = envelope.Text("type");
        var qualified = envelope.Text("qualified_name");
        if (string.IsNullOrEmpty(type) && string.IsNullOrEmpty(qualified))
            return EventReading.Unnamed($"Invalid client data. Must have a type or a qualified name, got {Keys(envelope)}");

        var known = (string.IsNullOrEmpty(type) ? null : events.Find(type)) ?? (string.IsNullOrEmpty(qualified) ? null : ByQualifiedName(events, qualified));
        if (known is null)
        {
            var expected = string.Join(", ", events.All.Take(MostNamed).Select(e => e.Name));
            return EventReading.Unnamed($"Invalid event type: {(string.IsNullOrEmpty(type) ? qualified : type)}. Expected one of {expected}");
        }

        if (!envelope.TryMember("value", out var value) && !envelope.TryMember("data", out value))
            return EventReading.BadValue("value: field required");
        return value.ValueKind is JsonValueKind.Object
            ? new(known, RawJson.Fields(value), null, IsValueProblem: false)
            : EventReading.BadValue("value: expected an object");
    }

    private static EventDefinition? ByQualifiedName(EventCatalog events, string qualified)
    {
        foreach (var known in events.All)
        {
            if (known.QualifiedName == qualified) return known;
        }

        return events.Find(qualified[(qualified.LastIndexOf('.') + 1)..]);
    }

    private static string Keys(JsonElement envelope) =>
        $"{{{string.Join(", ", envelope.EnumerateObject().Take(MostNamed).Select(member => JsonText.NameOf(member)))}}}";
}
