using System.Text.Json;
using Broker.Core.Steps;

namespace Broker.Core.Definitions;

/// <summary>
/// The two spellings of a broker-side retry policy: <c>retry_policy</c> in the jobs dialect's form
/// (<c>{"max_retries", "backoff": "None" | {"Fixed": {"delay_secs"}} | {"Exponential": {"base_secs", "max_secs"}}}</c>) and
/// <c>retries</c> in the instances dialect's (<c>{"limit", "delay_ms", "backoff": "constant" | "linear" | "exponential"}</c>).
/// </summary>
internal static class RetryPolicyReader
{
    private const long MostRetries = 1_000_000;
    private const long MostSecs = RetryPolicy.LongestMs / 1000;

    public static RetryPolicy Read(JsonElement step, string path, ProblemList problems)
    {
        if (step.TryGetProperty("retry_policy", out var policy) && policy.ValueKind is not JsonValueKind.Null) return ReadPolicy(policy, $"{path}.retry_policy", problems);
        if (step.TryGetProperty("retries", out var retries) && retries.ValueKind is not JsonValueKind.Null) return ReadRetries(retries, $"{path}.retries", problems);
        return RetryPolicy.Never;
    }

    private static RetryPolicy ReadPolicy(JsonElement policy, string path, ProblemList problems)
    {
        if (policy.ValueKind is not JsonValueKind.Object) return problems.Add<RetryPolicy>(path, "expected an object") ?? RetryPolicy.Never;
        var most = (int)(problems.Integer(policy, "max_retries", path, 0, MostRetries) ?? 0);
        if (!policy.TryGetProperty("backoff", out var backoff) || backoff.ValueKind is JsonValueKind.Null) return new(most);
        if (backoff.ValueKind is JsonValueKind.String && backoff.ValueEquals("None")) return new(most);

        if (backoff.ValueKind is JsonValueKind.Object && backoff.TryGetProperty("Fixed", out var given) && given.ValueKind is JsonValueKind.Object)
            return new(most, Backoff.Fixed, 1000 * Required(given, "delay_secs", $"{path}.backoff.Fixed", problems));

        if (backoff.ValueKind is JsonValueKind.Object && backoff.TryGetProperty("Exponential", out given) && given.ValueKind is JsonValueKind.Object)
        {
            return new(
                most,
                Backoff.Exponential,
                1000 * Required(given, "base_secs", $"{path}.backoff.Exponential", problems),
                1000 * Required(given, "max_secs", $"{path}.backoff.Exponential", problems));
        }

        problems.Add($"{path}.backoff", "expected \"None\", {\"Fixed\": {\"delay_secs\"}} or {\"Exponential\": {\"base_secs\", \"max_secs\"}}");
        return RetryPolicy.Never;
    }

    private static RetryPolicy ReadRetries(JsonElement retries, string path, ProblemList problems)
    {
        if (retries.ValueKind is not JsonValueKind.Object) return problems.Add<RetryPolicy>(path, "expected {\"limit\", \"delay_ms\", \"backoff\"}") ?? RetryPolicy.Never;
        var most = (int)(problems.Integer(retries, "limit", path, 0, MostRetries) ?? 0);
        var delay = problems.Integer(retries, "delay_ms", path, 0, RetryPolicy.LongestMs) ?? 0;
        var backoff = problems.Text(retries, "backoff", path) switch
        {
            null or "constant" => Backoff.Fixed,
            "linear" => Backoff.Linear,
            "exponential" => Backoff.Doubling,
            var other => problems.Add<Backoff>($"{path}.backoff", $"is '{other}', expected constant, linear or exponential"),
        };
        return new(most, delay == 0 ? Backoff.None : backoff, delay);
    }

    private static long Required(JsonElement owner, string member, string path, ProblemList problems)
    {
        if (problems.Integer(owner, member, path, 0, MostSecs) is { } value) return value;
        if (!owner.TryGetProperty(member, out _)) problems.Add($"{path}.{member}", "is required");
        return 0;
    }
}
