using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;

namespace Broker.Api.HandlersDialect;

/// <summary>The inputs of a run (raw JSON object) and the event that they are the fields of, or why the start event cannot be used.</summary>
internal readonly record struct StartReading(string InputsJson, EventDefinition Event, string? Problem);

/// <summary>Reads the start event of a run request in every form that clients send (handlers contract 5, 5.1).</summary>
internal static class StartEventReader
{
    /// <param name="request">The request body: an object.</param>
    /// <param name="events">The workflow's events.</param>
    public static StartReading Read(JsonElement request, EventCatalog events)
    {
        if (!request.TryMember("start_event", out var given)) return FromKwargs(request, events);
        return given.ValueKind switch
        {
            JsonValueKind.Null => new("{}", EventDefinition.Any, null),
            JsonValueKind.Object => FromObject(given, events),

            // The older clients send an empty string for "none given".
            JsonValueKind.String when JsonText.StringOf(given) is var text =>
                text.Length == 0 ? FromKwargs(request, events)
                : RawJson.ParseObject(text) is { } parsed ? FromObject(parsed, events)
                : Unusable("expected a JSON object, or a string that holds one"),
            _ => Unusable("expected a JSON object, or a string that holds one"),
        };
    }

    private static StartReading FromKwargs(JsonElement request, EventCatalog events)
    {
        if (!request.TryMember("kwargs", out var kwargs) || kwargs.ValueKind is JsonValueKind.Null) return new("{}", events.StartEvent, null);
        return kwargs.ValueKind is JsonValueKind.Object
            ? new(RawJson.Fields(kwargs), events.StartEvent, null)
            : new("{}", EventDefinition.Any, "Validation error for 'kwargs': expected an object");
    }

    private static StartReading FromObject(JsonElement given, EventCatalog events)
    {
        if (!EventEnvelope.IsEnvelope(given)) return new(RawJson.Fields(given), events.StartEvent, null);

        var reading = EventEnvelope.Read(given, events);
        if (reading.Problem is not null) return Unusable(reading.Problem);
        var sent = reading.Event!;
        return sent.Name == events.Start || sent.Types.Contains(events.Start)
            ? new(reading.FieldsJson, sent, null)
            : new("{}", EventDefinition.Any, $"Start event must be an instance of {events.Start}");
    }

    /// <summary>The reason as clients get it.</summary>
    public static string ProblemOf(string reason) => $"Validation error for 'start_event': {reason}";

    private static StartReading Unusable(string reason) => new("{}", EventDefinition.Any, ProblemOf(reason));
}
