using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Api.Explain;

/// <summary>
/// Why a step is not running. <c>deadline</c> is there for a step with a limit, <c>progress</c> where a worker sent some with a heartbeat.
/// Documentation only: the answer is written member by member.
/// </summary>
internal sealed record ExplainAnswerDto(
    [property: JsonPropertyName("workflow")] string Workflow,
    [property: JsonPropertyName("instance")] string Instance,
    [property: JsonPropertyName("run")] int Run,
    [property: JsonPropertyName("run_status")] string RunStatus,
    [property: JsonPropertyName("step")] string Step,
    [property: JsonPropertyName("state")] string State,
    [property: JsonPropertyName("running")] bool Running,
    [property: JsonPropertyName("causes")] ExplainCauseDto[] Causes,
    [property: JsonPropertyName("deadline")] DateTimeOffset? Deadline,
    [property: JsonPropertyName("progress")] JsonElement? Progress,
    [property: JsonPropertyName("attempts")] ExplainAttemptDto[] Attempts);

/// <summary>
/// An attempt that did not succeed: failed, timed_out, lease_lost, cancelled or postponed. <c>attempt</c> counts the retries used before it. The last
/// 100 of a step are kept. Members that have nothing to say are left out.
/// </summary>
internal sealed record ExplainAttemptDto(
    [property: JsonPropertyName("number")] int Number,
    [property: JsonPropertyName("attempt")] int Attempt,
    [property: JsonPropertyName("outcome")] string Outcome,
    [property: JsonPropertyName("worker")] string? Worker,
    [property: JsonPropertyName("granted_at")] DateTimeOffset? GrantedAt,
    [property: JsonPropertyName("ended_at")] DateTimeOffset EndedAt,
    [property: JsonPropertyName("error")] string? Error);

/// <summary>One cause. Members that have nothing to say are left out.</summary>
internal sealed record ExplainCauseDto(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("step")] string? Step,
    [property: JsonPropertyName("state")] string? State,
    [property: JsonPropertyName("any_of")] string[]? AnyOf,
    [property: JsonPropertyName("since")] DateTimeOffset? Since,
    [property: JsonPropertyName("until")] DateTimeOffset? Until,
    [property: JsonPropertyName("event")] string? Event,
    [property: JsonPropertyName("worker")] string? Worker,
    [property: JsonPropertyName("labels")] string[]? Labels,
    [property: JsonPropertyName("attempt")] int? Attempt,
    [property: JsonPropertyName("ahead")] int? Ahead,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("run_status")] string? RunStatus);

/// <summary>What an unknown workflow, instance or step is answered with (RFC 9457).</summary>
internal sealed record ExplainProblemDto(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("title")] string Title,
    [property: JsonPropertyName("status")] int Status,
    [property: JsonPropertyName("detail")] string Detail);

internal static class ExplainExamples
{
    public const string ExplainAnswerDto = """
        {"workflow": "ci", "instance": "ci", "run": 0, "run_status": "running", "step": "build", "state": "pending", "running": false, "causes": [
          {"code": "waiting_for_step", "message": "It waits for step test (leased).", "step": "test", "state": "leased"}], "attempts": []}
        """;

    public const string ExplainAttemptDto = """
        {"number": 1, "attempt": 0, "outcome": "failed", "worker": "w1", "granted_at": "2026-01-31T08:00:00Z", "ended_at": "2026-01-31T08:00:09Z", "error": "Error: exit code 1"}
        """;

    public const string ExplainCauseDto = """{"code": "no_worker", "message": "No worker with the label gpu has ever been seen.", "labels": ["gpu"]}""";

    public const string ExplainProblemDto = """{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No step 'x' in workflow 'ci'."}""";
}
