using System.Text.Json;
using System.Text.Json.Serialization;
using Broker.Operators;

namespace Broker.Api;

// Forms of parts of definitions that several dialects take. The definition reader reads them by hand.

/// <summary>Retries after the first attempt, by the broker.</summary>
/// <param name="MaxRetries">Most retries, 0 to 1,000,000; 0 when left out.</param>
/// <param name="Backoff">Pause before a retry; none when left out.</param>
/// <param name="Jitter">Share of each pause, from 0 to 1, that is random.</param>
/// <param name="RetryOn">Names of errors, and exit codes, after which an attempt is repeated; at most 100. Left out: after any.</param>
/// <param name="NoRetryOn">Names of errors, and exit codes, after which an attempt is not repeated; at most 100.</param>
internal sealed record RetryPolicyForm(
    [property: JsonPropertyName("max_retries")] int? MaxRetries,
    [property: JsonPropertyName("backoff")] BackoffForm? Backoff,
    [property: JsonPropertyName("jitter")] double? Jitter,
    [property: JsonPropertyName("retry_on")] TextOrInteger[]? RetryOn,
    [property: JsonPropertyName("no_retry_on")] TextOrInteger[]? NoRetryOn);

/// <summary>The same as <c>retry_policy</c>, in milliseconds; a step has one of them.</summary>
/// <param name="Limit">Most retries, 0 to 1,000,000; 0 when left out.</param>
/// <param name="DelayMs">First pause, in milliseconds; 0 when left out.</param>
/// <param name="Backoff">How the pause grows; constant when left out.</param>
/// <param name="Jitter">Share of each pause, from 0 to 1, that is random.</param>
/// <param name="RetryOn">Names of errors, and exit codes, after which an attempt is repeated; at most 100. Left out: after any.</param>
/// <param name="NoRetryOn">Names of errors, and exit codes, after which an attempt is not repeated; at most 100.</param>
internal sealed record RetriesForm(
    [property: JsonPropertyName("limit")] int? Limit,
    [property: JsonPropertyName("delay_ms")] long? DelayMs,
    [property: JsonPropertyName("backoff"), Words("constant", "linear", "exponential")] string? Backoff,
    [property: JsonPropertyName("jitter")] double? Jitter,
    [property: JsonPropertyName("retry_on")] TextOrInteger[]? RetryOn,
    [property: JsonPropertyName("no_retry_on")] TextOrInteger[]? NoRetryOn);

/// <summary>Limits of a step or job, in milliseconds.</summary>
/// <param name="QueueMs">Of its wait for a worker.</param>
/// <param name="AttemptMs">Of one attempt.</param>
/// <param name="TotalMs">Of all of its time, retries included.</param>
internal sealed record StepTimeoutsForm(
    [property: JsonPropertyName("queue_ms")] long? QueueMs,
    [property: JsonPropertyName("attempt_ms")] long? AttemptMs,
    [property: JsonPropertyName("total_ms")] long? TotalMs);

/// <summary>The task of a map's items: a handler or a command.</summary>
/// <param name="Handler">Name of a handler; workers offer the label <c>step:</c> with this name.</param>
/// <param name="Command">Shell text; the value is in the variable ITEM, its place in ITEM_INDEX.</param>
/// <param name="RequiredLabels">Labels that a claim must carry.</param>
/// <param name="RetryPolicy">Retries of an item by the broker.</param>
/// <param name="Retries">Retries of an item by the broker, in another spelling.</param>
/// <param name="Timeouts">Limits of an item.</param>
/// <param name="TimeoutMs">Limit of one attempt, in milliseconds.</param>
/// <param name="LeaseTtlSecs">Length of a lease in seconds, 1 to 86,400.</param>
/// <param name="Priority">-1,000 to 1,000; higher is handed out first.</param>
internal sealed record MapItemForm(
    [property: JsonPropertyName("handler")] string? Handler,
    [property: JsonPropertyName("command")] string? Command,
    [property: JsonPropertyName("required_labels")] string[]? RequiredLabels,
    [property: JsonPropertyName("retry_policy")] RetryPolicyForm? RetryPolicy,
    [property: JsonPropertyName("retries")] RetriesForm? Retries,
    [property: JsonPropertyName("timeouts")] StepTimeoutsForm? Timeouts,
    [property: JsonPropertyName("timeout_ms")] long? TimeoutMs,
    [property: JsonPropertyName("lease_ttl_secs")] int? LeaseTtlSecs,
    [property: JsonPropertyName("priority")] int? Priority);

/// <summary>Failures that a map tolerates.</summary>
/// <param name="Failures">Failed items with which the map still succeeds, 0 to 131,072.</param>
internal sealed record MapToleranceForm([property: JsonPropertyName("failures")] int? Failures);

/// <summary>Limit of a run.</summary>
/// <param name="RunMs">Milliseconds after which the run fails.</param>
internal sealed record RunTimeoutsForm([property: JsonPropertyName("run_ms")] long? RunMs);

/// <summary>An input that starts may give. Without a default a missing one is "", 0 or false.</summary>
/// <param name="Type">Type of the value; string when left out.</param>
/// <param name="Required">A start must give it.</param>
/// <param name="Default">Value where a start gives none.</param>
/// <param name="Options">Values of a choice, at most 100.</param>
/// <param name="Description">Text for people.</param>
internal sealed record InputForm(
    [property: JsonPropertyName("type"), Words("string", "number", "boolean", "choice")] string? Type,
    [property: JsonPropertyName("required")] bool? Required,
    [property: JsonPropertyName("default")] ScalarForm? Default,
    [property: JsonPropertyName("options")] string[]? Options,
    [property: JsonPropertyName("description")] string? Description);

/// <summary>An event that a workflow knows.</summary>
/// <param name="Types">Names of its ancestors.</param>
/// <param name="QualifiedName">Name with its module; made from the workflow's when left out.</param>
/// <param name="Schema">JSON Schema of its fields; any object when left out.</param>
internal sealed record EventForm(
    [property: JsonPropertyName("types")] string[]? Types,
    [property: JsonPropertyName("qualified_name")] string? QualifiedName,
    [property: JsonPropertyName("schema")] IReadOnlyDictionary<string, JsonElement>? Schema);

/// <summary>Pause before a retry: <c>"None"</c>, <c>{"Fixed": {"delay_secs"}}</c> or <c>{"Exponential": {"base_secs", "max_secs"}}</c>.</summary>
internal sealed class BackoffForm;

/// <summary>A string or an integer.</summary>
internal sealed class TextOrInteger;

/// <summary>A string, a number or a boolean.</summary>
internal sealed class ScalarForm;

/// <summary>A string or a number.</summary>
internal sealed class TextOrNumber;

/// <summary>An instant: milliseconds since 1970, or text with its offset.</summary>
internal sealed class InstantForm;

/// <summary>One example for each form, under the form's name.</summary>
internal static class DefinitionExamples
{
    public const string RetryPolicyForm = """{"max_retries":3,"backoff":{"Exponential":{"base_secs":2,"max_secs":60}},"jitter":0.2,"retry_on":[75,"timeout"]}""";

    public const string RetriesForm = """{"limit":3,"delay_ms":500,"backoff":"exponential"}""";

    public const string StepTimeoutsForm = """{"queue_ms":600000,"attempt_ms":60000,"total_ms":1800000}""";

    public const string MapItemForm = """{"handler":"resize","retries":{"limit":2,"delay_ms":500},"timeouts":{"attempt_ms":60000}}""";

    public const string MapToleranceForm = """{"failures":5}""";

    public const string RunTimeoutsForm = """{"run_ms":3600000}""";

    public const string InputForm = """{"type":"choice","options":["beta","stable"],"default":"beta","description":"where to ship"}""";

    public const string EventForm = """{"types":["HumanResponseEvent"],"schema":{"type":"object","properties":{"approved":{"type":"boolean"}}}}""";
}
