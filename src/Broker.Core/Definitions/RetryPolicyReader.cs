using System.Collections.Immutable;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Steps;

namespace Broker.Core.Definitions;

/// <summary>
/// The two spellings of a broker-side retry policy: <c>retry_policy</c> in the jobs dialect's form
/// (<c>{"max_retries", "backoff": "None" | {"Fixed": {"delay_secs"}} | {"Exponential": {"base_secs", "max_secs"}}}</c>) and
/// <c>retries</c> in the instances dialect's (<c>{"limit", "delay_ms", "backoff": "constant" | "linear" | "exponential"}</c>). Both may have
/// <c>jitter</c> (0 to 1), and <c>retry_on</c> and <c>no_retry_on</c> (names of errors, and exit codes).
/// </summary>
internal static class RetryPolicyReader
{
    private const long MostRetries = 1_000_000;
    private const int MostRules = 100;
    private const long MostSecs = RetryPolicy.LongestMs / 1000;

    public static RetryPolicy Read(JsonElement step, string path, ProblemList problems)
    {
        if (step.TryGetProperty("retry_policy", out var policy) && policy.ValueKind is not JsonValueKind.Null)
            return Judged(ReadPolicy(policy, $"{path}.retry_policy", problems), policy, $"{path}.retry_policy", problems);
        if (step.TryGetProperty("retries", out var retries) && retries.ValueKind is not JsonValueKind.Null)
            return Judged(ReadRetries(retries, $"{path}.retries", problems), retries, $"{path}.retries", problems);
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

    private static RetryPolicy Judged(RetryPolicy policy, JsonElement given, string path, ProblemList problems) => given.ValueKind is not JsonValueKind.Object
        ? policy
        : policy with { Jitter = Jitter(given, path, problems), On = Rules(given, "retry_on", path, problems), NotOn = Rules(given, "no_retry_on", path, problems) };

    private static double Jitter(JsonElement given, string path, ProblemList problems)
    {
        if (!given.TryGetProperty("jitter", out var value) || value.ValueKind is JsonValueKind.Null) return 0;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var share) && share is >= 0 and <= 1) return share;
        problems.Add($"{path}.jitter", "expected a number from 0 to 1");
        return 0;
    }

    private static RetryRules Rules(JsonElement given, string member, string path, ProblemList problems)
    {
        if (!given.TryGetProperty(member, out var list) || list.ValueKind is JsonValueKind.Null) return RetryRules.Empty;
        var at = $"{path}.{member}";
        if (list.ValueKind is not JsonValueKind.Array || list.GetArrayLength() > MostRules)
        {
            problems.Add(at, $"expected an array of at most {MostRules} names of errors and exit codes");
            return RetryRules.Empty;
        }

        var (names, codes) = (ImmutableArray.CreateBuilder<string>(), ImmutableArray.CreateBuilder<int>());
        foreach (var rule in list.EnumerateArray())
        {
            if (rule.ValueKind is JsonValueKind.Number && rule.TryGetInt32(out var code)) codes.Add(code);
            else if (rule.ValueKind is JsonValueKind.String) AddName(JsonText.StringOf(rule), at, names, problems);
            else problems.Add(at, $"expected names of errors and exit codes, got {rule.GetRawText()}");
        }

        return new(names.ToImmutable(), codes.ToImmutable());
    }

    private static void AddName(string name, string path, ImmutableArray<string>.Builder names, ProblemList problems)
    {
        if (problems.IsName(name, path)) names.Add(name);
    }

    private static long Required(JsonElement owner, string member, string path, ProblemList problems)
    {
        if (problems.Integer(owner, member, path, 0, MostSecs) is { } value) return value;
        if (!owner.TryGetProperty(member, out _)) problems.Add($"{path}.{member}", "is required");
        return 0;
    }
}
