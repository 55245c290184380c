using System.Text.Json.Serialization;

namespace Broker.Api.Explain;

/// <summary>Why a step is not running. Documentation only: the answer is written member by member.</summary>
internal sealed record ExplainAnswerDto(
    [property: JsonPropertyName("workflow")] string Workflow,
    [property: JsonPropertyName("instance")] string Instance,
    [property: JsonPropertyName("run")] int Run,
    [property: JsonPropertyName("run_status")] string RunStatus,
    [property: JsonPropertyName("step")] string Step,
    [property: JsonPropertyName("state")] string State,
    [property: JsonPropertyName("running")] bool Running,
    [property: JsonPropertyName("causes")] ExplainCauseDto[] Causes);

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
          {"code": "waiting_for_step", "message": "It waits for step test (leased).", "step": "test", "state": "leased"}]}
        """;

    public const string ExplainCauseDto = """{"code": "no_worker", "message": "No worker with the label gpu has ever been seen.", "labels": ["gpu"]}""";

    public const string ExplainProblemDto = """{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No step 'x' in workflow 'ci'."}""";
}
