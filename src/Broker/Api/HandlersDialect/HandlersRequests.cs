using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;

namespace Broker.Api.HandlersDialect;

/// <summary>A run request, read and judged.</summary>
/// <param name="InputsJson">Fields of the start event.</param>
/// <param name="StartEvent">The event.</param>
/// <param name="ContextJson">State to start from, or null.</param>
/// <param name="HandlerId">Handler to continue, or the id to use; null for a new one.</param>
/// <param name="Problem">Why the request cannot be taken; null when it can.</param>
internal sealed record RunRequest(string InputsJson, EventDefinition StartEvent, string? ContextJson, string? HandlerId, string? Problem)
{
    /// <summary>When it begins, how urgent it is and how long it may take.</summary>
    public StartOptions Options { get; init; } = StartOptions.None;
}

/// <summary>Reads the body of both run routes (handlers contract 5).</summary>
internal static class HandlersRequests
{
    /// <summary>A request without a body is one with an empty object.</summary>
    public static readonly JsonElement Nothing = JsonElement.Parse("{}");

    public static RunRequest Read(JsonElement body, EventCatalog events)
    {
        string? context = null;
        if (body.TryMember("context", out var given) && given.ValueKind is not JsonValueKind.Null)
        {
            if (given.ValueKind is not JsonValueKind.Object) return Refused("Validation error for 'context': expected an object");
            if (given.EnumerateObject().Any()) context = given.GetRawText();
        }

        string? id = null;
        if (body.TryMember("handler_id", out given) && given.ValueKind is not JsonValueKind.Null)
        {
            if (given.ValueKind is not JsonValueKind.String) return Refused("Validation error for 'handler_id': expected a string");
            id = JsonText.StringOf(given);
        }

        string? problem = null;
        var options = StartOptions.Read(
            name => body.TryMember(name, out var value) && value.ValueKind is not JsonValueKind.Null ? value : null,
            StartOptionNames.Snake,
            (name, message) => problem ??= $"Validation error for '{name}': {message}");
        if (problem is not null) return Refused(problem);
        var start = StartEventReader.Read(body, events);
        return new(start.InputsJson, start.Event, context, string.IsNullOrEmpty(id) ? null : id, start.Problem) { Options = options };
    }

    private static RunRequest Refused(string problem) => new("{}", EventDefinition.Any, null, null, problem);
}
