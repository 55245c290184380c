using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Api.BrokerDialect;

/// <summary>A step as this dialect's workers name it, and the lease that the request counts under, if it names one.</summary>
internal sealed record ReportedStep(string Workflow, string Instance, string Step, LeaseId? Lease = null);

/// <summary>What a worker reports on a step.</summary>
internal sealed record StepCall(ReportedStep Key, StepReport Report);

/// <summary>One report, or several (an extension) with the answer that goes with them.</summary>
internal sealed record ReportBatch(IReadOnlyList<StepCall> Calls, bool IsArray);

/// <summary>Events published while a step runs.</summary>
internal sealed record Publication(ReportedStep Key, IReadOnlyList<PublishedEvent> Events);

/// <summary>Reads what workers say about steps.</summary>
internal static class ReportReader
{
    /// <summary>Events or lines in one report, at most.</summary>
    private const int MostEntries = 1000;

    public static ReportBatch? Reports(JsonElement body, Shape shape)
    {
        if (body.ValueKind is not JsonValueKind.Array) return new([CallOf(body, shape)], IsArray: false);
        return ListOf(body, shape, CallOf) is { } calls ? new(calls, IsArray: true) : null;
    }

    public static IReadOnlyList<ReportedStep>? Keys(JsonElement body, Shape shape)
    {
        if (body.ValueKind is JsonValueKind.Array) return ListOf(body, shape, KeyOf);
        shape.Add("", $"expected an array of steps, got {JsonText.KindOf(body)}");
        return null;
    }

    public static ReportedStep KeyOf(JsonElement step, Shape shape) =>
        shape.IsObject(step, "an object with workflow_id, instance_id and step_name")
            ? new(shape.Text(step, "workflow_id"), shape.Text(step, "instance_id"), shape.Text(step, "step_name"), LeaseOf(step, shape))
            : new("", "", "");

    /// <summary>A UUID that cannot be a lease of this broker is a lost lease, like any other that is not current.</summary>
    private static LeaseId? LeaseOf(JsonElement step, Shape shape)
    {
        if (!IsGiven(step, "lease_id", out var value)) return null;
        var text = shape.TextOf(value, "lease_id");
        if (LeaseId.TryParse(text, out var lease)) return lease;
        if (!Guid.TryParseExact(text, "D", out _) && value.ValueKind is JsonValueKind.String) shape.Add("lease_id", "expected a UUID, 36 characters");
        return default(LeaseId);
    }

    public static Publication Publication(JsonElement body, Shape shape)
    {
        var key = KeyOf(body, shape);
        if (shape.IsBroken) return new(key, []);
        if (!body.TryGetProperty("events", out _)) shape.Add("events", "is required: an array of {\"type\", \"value\"}");
        return new(key, EventsOf(body, shape) ?? []);
    }

    private static List<T>? ListOf<T>(JsonElement array, Shape shape, Func<JsonElement, Shape, T> read)
    {
        var length = array.GetArrayLength();
        if (length > shape.Limits.Batch)
        {
            shape.Add("", $"expected at most {shape.Limits.Batch} entries, got {length}");
            return null;
        }

        var list = new List<T>(length);
        foreach (var item in array.EnumerateArray())
        {
            shape.Place = list.Count;
            list.Add(read(item, shape));
        }

        shape.Place = null;
        return list;
    }

    private static StepCall CallOf(JsonElement call, Shape shape)
    {
        var key = KeyOf(call, shape);
        if (call.ValueKind is not JsonValueKind.Object) return new(key, new(ReportOutcome.Failed));

        var outcome = OutcomeOf(shape.Text(call, "state"), shape);
        var hasResult = call.TryGetProperty("result", out var result) && result.ValueKind is not JsonValueKind.Null;
        var ended = outcome is ReportOutcome.Succeeded or ReportOutcome.Skipped;
        var (error, retryable) = ended || !hasResult ? (null, true) : FailureOf(result);
        return new(key, new StepReport(outcome)
        {
            ResultJson = ended && hasResult ? result.GetRawText() : null,
            Error = error,
            Retryable = retryable,
            Events = EventsOf(call, shape) ?? [],
            Logs = LogsOf(call, shape) ?? [],
            ContextJson = ObjectOf(call, "context", "context", shape),
        });
    }

    /// <summary>PENDING is what a stock worker says when a start hook raises; the run would hang if it stood (broker contract 4.5).</summary>
    private static ReportOutcome OutcomeOf(string state, Shape shape)
    {
        switch (state)
        {
            case "SUCCEEDED": return ReportOutcome.Succeeded;
            case "SKIPPED": return ReportOutcome.Skipped;
            case "CANCELLED": return ReportOutcome.Cancelled;
            case "FAILED" or "PENDING" or "RUNNING": return ReportOutcome.Failed;
            case "" when shape.IsBroken: return ReportOutcome.Failed;
            default:
                shape.Add("state", "expected SUCCEEDED, SKIPPED, FAILED, CANCELLED, PENDING or RUNNING");
                return ReportOutcome.Failed;
        }
    }

    /// <summary>
    /// A string, or <c>{"name", "message", "retryable"}</c>; anything else is shown as it is. Never refused: a stock worker dies
    /// of an error answer, and its step failed in any case.
    /// </summary>
    private static (StepError? Error, bool Retryable) FailureOf(JsonElement result)
    {
        if (result.ValueKind is JsonValueKind.String) return (new(StepError.DefaultName, StorableText.Fitting(JsonText.StringOf(result))), true);
        if (result.ValueKind is not JsonValueKind.Object) return (new(StepError.DefaultName, result.GetRawText()), true);

        string name = StepError.DefaultName, message = result.GetRawText();
        var retryable = true;
        foreach (var member in result.EnumerateObject())
        {
            switch (JsonText.NameOf(member))
            {
                case "name" when member.Value.ValueKind is JsonValueKind.String:
                    name = StorableText.Fitting(JsonText.StringOf(member.Value));
                    break;
                case "message" when member.Value.ValueKind is JsonValueKind.String:
                    message = StorableText.Fitting(JsonText.StringOf(member.Value));
                    break;
                case "retryable":
                    retryable = member.Value.ValueKind is not JsonValueKind.False;
                    break;
            }
        }

        return (new(name, message), retryable);
    }

    private static List<PublishedEvent>? EventsOf(JsonElement owner, Shape shape)
    {
        if (EntriesOf(owner, "events", shape) is not { } entries) return null;
        var events = new List<PublishedEvent>(entries.GetArrayLength());
        foreach (var entry in entries.EnumerateArray())
        {
            var path = $"events[{events.Count}]";
            if (entry.ValueKind is not JsonValueKind.Object)
            {
                shape.Add(path, "expected {\"type\", \"value\"}");
                break;
            }

            events.Add(new(shape.Name(entry, "type", $"{path}.type"), ObjectOf(entry, "value", $"{path}.value", shape) ?? "{}"));
        }

        return events;
    }

    private static List<LogLine>? LogsOf(JsonElement owner, Shape shape)
    {
        if (EntriesOf(owner, "logs", shape) is not { } entries) return null;
        var lines = new List<LogLine>(entries.GetArrayLength());
        foreach (var entry in entries.EnumerateArray())
        {
            var path = $"logs[{lines.Count}]";
            if (entry.ValueKind is not JsonValueKind.Object)
            {
                shape.Add(path, "expected {\"level\", \"message\"}");
                break;
            }

            var level = entry.TryGetProperty("level", out _) ? shape.Text(entry, "level", $"{path}.level") : "info";
            if (level is not ("debug" or "info" or "warn" or "error")) shape.Add($"{path}.level", "expected debug, info, warn or error");

            var message = "";
            if (entry.TryGetProperty("message", out var said) && said.ValueKind is JsonValueKind.String) message = StorableText.Fitting(JsonText.StringOf(said));
            else shape.Add($"{path}.message", "is required: a string");

            lines.Add(new(
                level,
                message,
                IsGiven(entry, "category", out _) ? shape.Name(entry, "category", $"{path}.category") : LogLine.DefaultCategory,
                IsGiven(entry, "data", out var data) ? data.GetRawText() : null));
        }

        return lines;
    }

    private static JsonElement? EntriesOf(JsonElement owner, string member, Shape shape)
    {
        if (!IsGiven(owner, member, out var entries)) return null;
        if (entries.ValueKind is not JsonValueKind.Array) shape.Add(member, $"expected an array, got {JsonText.KindOf(entries)}");
        else if (entries.GetArrayLength() > MostEntries) shape.Add(member, $"expected at most {MostEntries} entries");
        else return entries;
        return null;
    }

    private static string? ObjectOf(JsonElement owner, string member, string path, Shape shape)
    {
        if (!IsGiven(owner, member, out var value)) return null;
        if (value.ValueKind is JsonValueKind.Object) return value.GetRawText();
        shape.Add(path, $"expected an object, got {JsonText.KindOf(value)}");
        return null;
    }

    private static bool IsGiven(JsonElement owner, string member, out JsonElement value) =>
        owner.TryGetProperty(member, out value) && value.ValueKind is not JsonValueKind.Null;
}
