using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Worker;

internal sealed record Claim(ClaimedJob Job, Lease Lease)
{
    public override string ToString() => $"{Job.WorkflowId}/{Job.JobId} attempt {Job.Attempt} lease {Lease.LeaseId}";
}

/// <summary>A job as claimed. A worker runs <paramref name="Steps"/> where they are given; <paramref name="Command"/> is then the same work in one text.</summary>
internal sealed record ClaimedJob(
    string WorkflowId,
    string JobId,
    string Command,
    int Attempt = 0,
    JsonElement? UpstreamOutputs = null,
    string? Traceparent = null,
    IReadOnlyList<JobStep>? Steps = null,
    IReadOnlyDictionary<string, string>? Env = null,
    JsonElement? Inputs = null,
    int? Run = null,
    string? InstanceId = null);

/// <summary>A step: shell text, its name, and variables that are set from this step on.</summary>
internal sealed record JobStep(string Run, string? Name = null, IReadOnlyDictionary<string, string>? Env = null);

/// <summary>A lease. Of an attempt with a limit the broker says when it was granted and when the limit is reached, by its own clock.</summary>
internal sealed record Lease(string LeaseId, int TtlSecs = 30, long? GrantedAtMs = null, long? DeadlineMs = null)
{
    /// <summary>How long the attempt may take; null: as long as its lease is renewed.</summary>
    [JsonIgnore]
    public TimeSpan? Limit => DeadlineMs - GrantedAtMs is { } milliseconds and >= 0 ? TimeSpan.FromMilliseconds(milliseconds) : null;
}

internal sealed record RegisterRequest(string WorkerId, IReadOnlyList<string> Labels);

/// <summary>A claim; sent again with the same <paramref name="ClaimId"/>, it is answered with the leases of the first time.</summary>
internal sealed record JobClaim(string WorkerId, IReadOnlyList<string> Labels, int LeaseTtlSecs, int Count, int Wait, string ClaimId);

internal sealed record LogChunk(string WorkflowId, string JobId, long Sequence, string Data, long TimestampMs, string Stream);

internal sealed record LogRequest(IReadOnlyList<LogChunk> Chunks);

/// <summary>How one attempt ended: with outputs, or with an error.</summary>
internal sealed record JobResult
{
    public required string LeaseId { get; init; }
    public IReadOnlyDictionary<string, string>? Outputs { get; init; }
    public string? Error { get; init; }
    public bool? Retryable { get; init; }

    /// <summary>Markdown for people; null when the job wrote none.</summary>
    public string? Summary { get; init; }

    public static JobResult Success(string leaseId, IReadOnlyDictionary<string, string> outputs) =>
        new() { LeaseId = leaseId, Outputs = outputs };

    public static JobResult Failure(string leaseId, string error) =>
        new() { LeaseId = leaseId, Error = error, Retryable = true };
}

internal sealed record ReportRequest(IReadOnlyList<JobResult> Results, JobClaim? Claim);

internal sealed record ReportAnswer(IReadOnlyList<JobVerdict> Results, IReadOnlyList<Claim>? Claimed = null);

internal sealed record JobVerdict(string LeaseId, bool Accepted);

internal sealed record CompleteRequest(IReadOnlyDictionary<string, string> Outputs, string? Summary);

internal sealed record FailRequest(string Error, bool Retryable, string? Summary);

internal sealed record HeartbeatRequest(IReadOnlyList<string> LeaseIds);

internal sealed record HeartbeatAnswer(IReadOnlyList<LeaseState> Results);

internal sealed record LeaseState(string LeaseId, bool Alive, bool Cancelled = false);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Claim))]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(JobClaim))]
[JsonSerializable(typeof(LogRequest))]
[JsonSerializable(typeof(ReportRequest))]
[JsonSerializable(typeof(ReportAnswer))]
[JsonSerializable(typeof(CompleteRequest))]
[JsonSerializable(typeof(FailRequest))]
[JsonSerializable(typeof(HeartbeatRequest))]
[JsonSerializable(typeof(HeartbeatAnswer))]
internal sealed partial class WireJson : JsonSerializerContext;
