using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Core.Schemas;
using Broker.Http;

namespace Broker.Api.InstancesDialect;

/// <summary>A fault in a request: where (member names and list indexes), and what was expected.</summary>
internal sealed record Issue(IReadOnlyList<object> Path, string Code, string Message);

/// <summary>Collects what is wrong with a request, so that one answer names all of it.</summary>
internal sealed class IssueList
{
    public List<Issue> All { get; } = [];

    public bool Any => All.Count > 0;

    public void Add(string code, string message, params object[] path) => All.Add(new(path, code, message));

    public static List<Issue> Of(IEnumerable<SchemaError> errors, params object[] path) =>
        [.. errors.Select(error => new Issue([.. path, .. PartsOf(error.Path)], "custom", error.Message))];

    private static IEnumerable<string> PartsOf(string pointer) => pointer.Length == 0
        ? []
        : pointer[1..].Split('/').Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
}

/// <summary>Errors of the dialect (instances contract 2.1). Framework-level ones carry their text under both keys that clients read.</summary>
internal sealed record InstanceError(int Status, string Code, string Message, bool Framework = false)
{
    public static readonly InstanceError Validation = new(400, "FRAGNO_VALIDATION_ERROR", "Validation failed");
    public static readonly InstanceError BadInstanceId = new(400, "INVALID_INSTANCE_ID", "Invalid identifier");
    public static readonly InstanceError BadParams = new(400, "WORKFLOW_PARAMS_INVALID", "Invalid workflow params");
    public static readonly InstanceError TickDisabled = new(403, "RUNNER_TICK_DISABLED", "Runner tick disabled");
    public static readonly InstanceError UnknownWorkflow = new(404, "WORKFLOW_NOT_FOUND", "Workflow not found");
    public static readonly InstanceError UnknownInstance = new(404, "INSTANCE_NOT_FOUND", "Instance not found");
    public static readonly InstanceError UnknownRoute = new(404, "ROUTE_NOT_FOUND", "Route not found", Framework: true);
    public static readonly InstanceError AlreadyExists = new(409, "INSTANCE_ID_ALREADY_EXISTS", "Instance already exists");
    public static readonly InstanceError Terminal = new(409, "INSTANCE_TERMINAL", "Instance is terminal");
    public static readonly InstanceError Multipart = new(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type: send JSON", Framework: true);

    public static readonly InstanceError BadKey = new(400, "IDEMPOTENCY_KEY_INVALID", Idempotency.Malformed);
    public static readonly InstanceError KeyReused = new(422, "IDEMPOTENCY_KEY_REUSED", StartRefusal.KeyReused);

    public static ErrorForm Form { get; } = new(typeof(InstanceErrorDto), JsonAnswer.ContentType, static (status, message) => ExampleOf(status, message));

    public static InstanceError StartsPaused(string message) => new(409, "STARTS_PAUSED", message);

    public static InstanceError BacklogFull(string message) => new(429, "BACKLOG_FULL", message);

    public static InstanceError TooLarge(int maxBytes) => new(413, "PAYLOAD_TOO_LARGE", $"The body is larger than {maxBytes} bytes", Framework: true);

    /// <summary>
    /// Answers to requests that are refused before the dialect sees them, or that have failed. The texts about keys (instances contract 10) and faults (2.1) are the
    /// contract's.
    /// </summary>
    public static InstanceError Refused(int status, string message) => status switch
    {
        401 => new(status, "UNAUTHORIZED", "Unauthorized"),
        403 => new(status, "FORBIDDEN", "Forbidden"),
        409 => new(status, "CONFLICT", message, Framework: true),
        415 => new(status, Multipart.Code, message, Framework: true),
        429 => new(status, "TOO_MANY_REQUESTS", message, Framework: true),
        500 => new(status, "INTERNAL_SERVER_ERROR", "Internal server error", Framework: true),
        503 => new(status, "SERVICE_UNAVAILABLE", message, Framework: true),
        _ => new(status, "BAD_REQUEST", message, Framework: true),
    };

    private static JsonNode ExampleOf(int status, string message)
    {
        InstanceError[] own = [Validation, TickDisabled, UnknownWorkflow, UnknownInstance, AlreadyExists, Terminal, KeyReused];
        var error = Array.Find(own, own => own.Status == status && own.Message == message) ?? Refused(status, message);
        return JsonSerializer.SerializeToNode(error.Dto(null), InstancesJson.Default.InstanceErrorDto)!;
    }

    private InstanceErrorDto Dto(IReadOnlyList<Issue>? issues) => new(
        Framework ? Message : null, Message, Code, issues is null ? null : [.. issues.Select(issue => new InstanceIssueDto(issue.Path, issue.Message, issue.Code))]);

    public Task SendAsync(HttpContext http, IReadOnlyList<Issue>? issues = null) => JsonAnswer.SendAsync(
        http.Response,
        Status,
        Dto(issues),
        InstancesJson.Default.InstanceErrorDto);
}
