using System.Text.Json;
using Broker.Core.Runs;
using Broker.Http;

namespace Broker.Api.BrokerDialect;

/// <summary>Writes assignments with exactly the documented keys: stock clients die of one more (broker contract 3.8).</summary>
internal static class AssignmentJson
{
    public static Task SendAsync(HttpContext http, Assignment assignment, bool extras) =>
        JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (assignment, extras), static (json, step) => Write(json, step.assignment, step.extras));

    public static Task SendAsync(HttpContext http, IReadOnlyList<Assignment> assignments, bool extras) =>
        JsonAnswer.SendAsync(
            http.Response, StatusCodes.Status200OK, (assignments, extras), static (json, steps) => WriteArray(json, steps.assignments, steps.extras));

    public static void WriteArray(Utf8JsonWriter json, IReadOnlyList<Assignment> assignments, bool extras)
    {
        json.WriteStartArray();
        foreach (var assignment in assignments) Write(json, assignment, extras);
        json.WriteEndArray();
    }

    private static void WriteEvents(Utf8JsonWriter json, IReadOnlyList<InboxEvent> events)
    {
        json.WriteStartArray("events"u8);
        foreach (var message in events) json.WriteRaw(WaitResult.Of(message));
        json.WriteEndArray();
    }

    private static void WriteProgress(Utf8JsonWriter json, string? progress)
    {
        if (progress is null) return;
        json.WritePropertyName("progress"u8);
        json.WriteRaw(progress);
    }

    private static void Write(Utf8JsonWriter json, Assignment step, bool extras)
    {
        json.WriteStartObject();
        json.WriteString("workflow_id"u8, step.Run.Workflow);
        json.WriteString("instance_id"u8, step.Run.WorkerInstanceId);
        json.WriteString("step_name"u8, step.Step.Name);

        json.WriteStartObject("payload"u8);
        json.WritePropertyName("workflow_inputs"u8);
        json.WriteRaw(step.InputsJson);
        json.WriteStartObject("results"u8);
        foreach (var upstream in step.Upstream)
        {
            json.WritePropertyName(upstream.Step);
            json.WriteRaw(upstream.ResultJson);
        }

        json.WriteEndObject();
        if (extras)
        {
            json.WritePropertyName("context"u8);
            json.WriteRaw(step.ContextJson ?? "{}");
        }

        // Its worker has registered what the step accepts, so it knows the key.
        if (step.Step.TakesEvents) WriteEvents(json, step.Events);

        json.WriteEndObject();
        json.WriteSeconds("assigned_at"u8, step.GrantedAt);
        json.WriteSeconds("expires_at"u8, step.ExpiresAt);
        if (extras)
        {
            json.WriteString("version"u8, step.Definition.Version);
            json.WriteString("lease_id"u8, step.Lease.Value);
            json.WriteNumber("lease_secs"u8, step.LeaseSecs);
            json.WriteNumber("attempt"u8, step.Attempt);
            if (step.TraceParent is not null) json.WriteString("traceparent"u8, step.TraceParent);
            if (step.Deadline is { } deadline) json.WriteSeconds("deadline"u8, deadline);
            WriteProgress(json, step.ProgressJson);
        }

        json.WriteEndObject();
    }
}
