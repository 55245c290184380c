using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Api.BrokerDialect;

/// <summary>A step as this dialect's workers name it, and the lease that the request counts under, if it names one.</summary>
internal sealed record ReportedStep(string Workflow, string Instance, string Step, LeaseId? Lease = null)
{
    /// <summary>Raw JSON that comes with a heartbeat; null: none.</summary>
    public string? ProgressJson { get; init; }
}

/// <summary>Report of a worker on a step.</summary>
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

    public static ReportBatch? Reports(JsonElement body, BrokerReader reader)
    {
        if (body.ValueKind is not JsonValueKind.Array) return new([CallOf(body, reader)], IsArray: false);
        return ListOf(body, reader, CallOf) is { } calls ? new(calls, IsArray: true) : null;
    }

    public static IReadOnlyList<ReportedStep>? Keys(JsonElement body, BrokerReader reader)
    {
        if (body.ValueKind is JsonValueKind.Array) return ListOf(body, reader, HeldOf);
        reader.Add("", $"expected an array of steps, got {JsonText.KindOf(body)}");
        return null;
    }

    public static ReportedStep KeyOf(JsonElement step, BrokerReader reader) =>
        reader.IsObject(step, "an object with workflow_id, instance_id and step_name")
            ? new(reader.Text(step, "workflow_id"), reader.Text(step, "instance_id"), reader.Text(step, "step_name"), LeaseOf(step, reader))
            : new("", "", "");

    private static ReportedStep HeldOf(JsonElement step, BrokerReader reader)
    {
        var key = KeyOf(step, reader);
        return step.ValueKind is JsonValueKind.Object && IsGiven(step, "progress", out var progress)
            ? key with { ProgressJson = Progress.Read(progress, "progress", reader.Add) }
            : key;
    }

    /// <summary>A UUID that cannot be a lease of this broker is a lost lease, like any other that is not current.</summary>
    private static LeaseId? LeaseOf(JsonElement step, BrokerReader reader)
    {
        if (!IsGiven(step, "lease_id", out var value)) return null;
        var text = reader.TextOf(value, "lease_id");
        if (LeaseId.TryParse(text, out var lease)) return lease;
        if (!Guid.TryParseExact(text, "D", out _) && value.ValueKind is JsonValueKind.String) reader.Add("lease_id", "expected a UUID, 36 characters");
        return default(LeaseId);
    }

    public static Publication Publication(JsonElement body, BrokerReader reader)
    {
        var key = KeyOf(body, reader);
        if (reader.IsBroken) return new(key, []);
        if (!body.TryGetProperty("events", out _)) reader.Add("events", "is required: an array of {\"type\", \"value\"}");
        return new(key, EventsOf(body, reader) ?? []);
    }

    private static List<T>? ListOf<T>(JsonElement array, BrokerReader reader, Func<JsonElement, BrokerReader, T> read)
    {
        var length = array.GetArrayLength();
        if (length > reader.Limits.Batch)
        {
            reader.Add("", $"expected at most {reader.Limits.Batch} entries, got {length}");
            return null;
        }

        var list = new List<T>(length);
        foreach (var item in array.EnumerateArray())
        {
            reader.Place = list.Count;
            list.Add(read(item, reader));
        }

        reader.Place = null;
        return list;
    }

    private static StepCall CallOf(JsonElement call, BrokerReader reader)
    {
        var key = KeyOf(call, reader);
        if (call.ValueKind is not JsonValueKind.Object) return new(key, new(ReportOutcome.Failed));

        var outcome = OutcomeOf(reader.Text(call, "state"), reader);
        var hasResult = call.TryGetProperty("result", out var result) && result.ValueKind is not JsonValueKind.Null;
        var ended = outcome is ReportOutcome.Succeeded or ReportOutcome.Skipped;
        var (error, retryable) = ended || !hasResult ? (null, true) : FailureOf(result);
        return new(key, new StepReport(outcome)
        {
            DelayMs = DelayOf(call, outcome, reader),
            ResultJson = ended && hasResult ? result.GetRawText() : null,
            Error = error,
            Retryable = retryable,
            Events = EventsOf(call, reader) ?? [],
            Logs = LogsOf(call, reader) ?? [],
            ContextJson = ObjectOf(call, "context", "context", reader),
        });
    }

    private static long? DelayOf(JsonElement call, ReportOutcome outcome, BrokerReader reader)
    {
        var (delay, retry) = (MillisecondsOf(call, "delay_ms", reader), MillisecondsOf(call, "retry_after_ms", reader));
        if (outcome is ReportOutcome.Postponed && !IsGiven(call, "delay_ms", out _)) reader.Add("delay_ms", "is required with POSTPONED: when the step is handed out again");
        if (outcome is not ReportOutcome.Postponed && delay is not null) reader.Add("delay_ms", "is for POSTPONED; the pause before a retry is retry_after_ms");
        if (outcome is not ReportOutcome.Failed && retry is not null) reader.Add("retry_after_ms", "is for FAILED");
        return delay ?? retry;
    }

    private static long? MillisecondsOf(JsonElement call, string member, BrokerReader reader) =>
        StartOptions.Integer(IsGiven(call, member, out var value) ? value : null, member, 0, RetryPolicy.LongestMs, reader.Add);

    /// <summary>PENDING is what a stock worker says when a start hook raises; the run would hang if it stood (broker contract 4.5).</summary>
    private static ReportOutcome OutcomeOf(string state, BrokerReader reader)
    {
        switch (state)
        {
            case "SUCCEEDED": return ReportOutcome.Succeeded;
            case "SKIPPED": return ReportOutcome.Skipped;
            case "CANCELLED": return ReportOutcome.Cancelled;
            case "POSTPONED": return ReportOutcome.Postponed;
            case "FAILED" or "PENDING" or "RUNNING": return ReportOutcome.Failed;
            case "" when reader.IsBroken: return ReportOutcome.Failed;
            default:
                reader.Add("state", "expected SUCCEEDED, SKIPPED, FAILED, CANCELLED, POSTPONED, PENDING or RUNNING");
                return ReportOutcome.Failed;
        }
    }

    /// <summary>
    /// A string, or <c>{"name", "message", "retryable", "exit_code"}</c>; anything else is shown as it is. Never refused: a stock worker dies
    /// of an error answer, and its step failed in any case.
    /// </summary>
    private static (StepError? Error, bool Retryable) FailureOf(JsonElement result)
    {
        if (result.ValueKind is JsonValueKind.String) return (new(StepError.DefaultName, StorableText.Fitting(JsonText.StringOf(result))), true);
        if (result.ValueKind is not JsonValueKind.Object) return (new(StepError.DefaultName, result.GetRawText()), true);

        string name = StepError.DefaultName, message = result.GetRawText();
        var retryable = true;
        int? exitCode = null;
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
                case "exit_code" when member.Value.ValueKind is JsonValueKind.Number && member.Value.TryGetInt32(out var code):
                    exitCode = code;
                    break;
            }
        }

        return (new(name, message) { ExitCode = exitCode }, retryable);
    }

    private static List<PublishedEvent>? EventsOf(JsonElement owner, BrokerReader reader)
    {
        if (EntriesOf(owner, "events", reader) is not { } entries) return null;
        var events = new List<PublishedEvent>(entries.GetArrayLength());
        foreach (var entry in entries.EnumerateArray())
        {
            var path = $"events[{events.Count}]";
            if (entry.ValueKind is not JsonValueKind.Object)
            {
                reader.Add(path, "expected {\"type\", \"value\"}");
                break;
            }

            events.Add(new(reader.Name(entry, "type", $"{path}.type"), ObjectOf(entry, "value", $"{path}.value", reader) ?? "{}"));
        }

        return events;
    }

    private static List<LogLine>? LogsOf(JsonElement owner, BrokerReader reader)
    {
        if (EntriesOf(owner, "logs", reader) is not { } entries) return null;
        var lines = new List<LogLine>(entries.GetArrayLength());
        foreach (var entry in entries.EnumerateArray())
        {
            var path = $"logs[{lines.Count}]";
            if (entry.ValueKind is not JsonValueKind.Object)
            {
                reader.Add(path, "expected {\"level\", \"message\"}");
                break;
            }

            var level = entry.TryGetProperty("level", out _) ? reader.Text(entry, "level", $"{path}.level") : "info";
            if (level is not ("debug" or "info" or "warn" or "error")) reader.Add($"{path}.level", "expected debug, info, warn or error");

            var message = "";
            if (entry.TryGetProperty("message", out var said) && said.ValueKind is JsonValueKind.String) message = StorableText.Fitting(JsonText.StringOf(said));
            else reader.Add($"{path}.message", "is required: a string");

            lines.Add(new(
                level,
                message,
                IsGiven(entry, "category", out _) ? reader.Name(entry, "category", $"{path}.category") : LogLine.DefaultCategory,
                IsGiven(entry, "data", out var data) ? data.GetRawText() : null));
        }

        return lines;
    }

    private static JsonElement? EntriesOf(JsonElement owner, string member, BrokerReader reader)
    {
        if (!IsGiven(owner, member, out var entries)) return null;
        if (entries.ValueKind is not JsonValueKind.Array) reader.Add(member, $"expected an array, got {JsonText.KindOf(entries)}");
        else if (entries.GetArrayLength() > MostEntries) reader.Add(member, $"expected at most {MostEntries} entries");
        else return entries;
        return null;
    }

    private static string? ObjectOf(JsonElement owner, string member, string path, BrokerReader reader)
    {
        if (!IsGiven(owner, member, out var value)) return null;
        if (value.ValueKind is JsonValueKind.Object) return value.GetRawText();
        reader.Add(path, $"expected an object, got {JsonText.KindOf(value)}");
        return null;
    }

    private static bool IsGiven(JsonElement owner, string member, out JsonElement value) =>
        owner.TryGetProperty(member, out value) && value.ValueKind is not JsonValueKind.Null;
}
