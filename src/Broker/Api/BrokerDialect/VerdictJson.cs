using System.Text.Json;
using Broker.Core.Runs;

namespace Broker.Api.BrokerDialect;

/// <summary>What became of each step of a batch, in the order of the request.</summary>
internal static class VerdictJson
{
    public static void WriteReports(Utf8JsonWriter json, IReadOnlyList<StepCall> calls, IReadOnlyList<ReportVerdict> verdicts)
    {
        json.WriteStartArray();
        for (var i = 0; i < calls.Count; i++)
        {
            WriteKey(json, calls[i].Key);
            json.WriteBoolean("accepted"u8, verdicts[i] is ReportVerdict.Accepted);
            json.WriteString("verdict"u8, WordOf(verdicts[i]));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static void WriteHeartbeats(Utf8JsonWriter json, IReadOnlyList<ReportedStep> keys, IReadOnlyList<HeartbeatVerdict> verdicts)
    {
        json.WriteStartArray();
        for (var i = 0; i < keys.Count; i++)
        {
            WriteKey(json, keys[i]);
            json.WriteBoolean("renewed"u8, verdicts[i] is not HeartbeatVerdict.Gone);
            json.WriteString("verdict"u8, WordOf(verdicts[i]));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteKey(Utf8JsonWriter json, ReportedStep key)
    {
        json.WriteStartObject();
        json.WriteString("workflow_id"u8, key.Workflow);
        json.WriteString("instance_id"u8, key.Instance);
        json.WriteString("step_name"u8, key.Step);
    }

    private static ReadOnlySpan<byte> WordOf(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted => "accepted"u8,
        ReportVerdict.Stale => "stale"u8,
        ReportVerdict.StepCancelled => "cancelled"u8,
        ReportVerdict.UnknownRun => "unknown_instance"u8,
        ReportVerdict.UnknownStep => "unknown_step"u8,
    };

    private static ReadOnlySpan<byte> WordOf(HeartbeatVerdict verdict) => verdict switch
    {
        HeartbeatVerdict.Renewed => "renewed"u8,
        HeartbeatVerdict.Cancelled => "cancelled"u8,
        HeartbeatVerdict.Gone => "gone"u8,
    };
}
