using System.Globalization;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Steps;

namespace Broker.Core.Definitions;

/// <summary>Limits that the broker derives from the worker-side policies of a step.</summary>
internal readonly record struct PolicyFacts(int? BudgetSecs, long? TimeoutMs);

/// <summary>Reader of members that collects every fault, so that one answer lists them all.</summary>
internal sealed class ProblemList
{
    private const int MostShown = 50;
    private readonly List<DefinitionProblem> problems = [];

    public bool Any => problems.Count > 0;
    public IReadOnlyList<DefinitionProblem> All => problems;

    public void Add(string path, string message)
    {
        if (problems.Count < MostShown) problems.Add(new(path, message));
    }

    public T? Add<T>(string path, string message)
    {
        Add(path, message);
        return default;
    }

    public string Name(JsonElement owner, string member, string path, string? fallback)
    {
        var at = Join(path, member);
        if (!owner.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null)
        {
            if (fallback is null) Add(at, "is required: a string");
            return fallback ?? "";
        }

        var text = TextOf(value, at);
        return text is not null && IsName(text, at) ? text : "";
    }

    public bool IsName(string text, string path)
    {
        if (text.Length is > 0 and <= DefinitionReader.MaxNameLength && !text.Contains('\0')) return true;
        Add(path, $"expected 1 to {DefinitionReader.MaxNameLength} characters, none of them NUL");
        return false;
    }

    public string? Text(JsonElement owner, string member, string path) =>
        owner.TryGetProperty(member, out var value) && value.ValueKind is not JsonValueKind.Null ? TextOf(value, Join(path, member)) : null;

    private string? TextOf(JsonElement value, string path)
    {
        return value.ValueKind is JsonValueKind.String ? value.GetString() : Add<string>(path, $"expected a string, got {JsonText.KindOf(value)}");
    }

    public JsonElement? Object(JsonElement owner, string member, string path)
    {
        if (!owner.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null) return null;
        if (value.ValueKind is JsonValueKind.Object) return value;
        Add(Join(path, member), $"expected an object, got {JsonText.KindOf(value)}");
        return null;
    }

    public IReadOnlyList<string> Strings(JsonElement owner, string member, string path) =>
        owner.TryGetProperty(member, out var value) && value.ValueKind is not JsonValueKind.Null ? StringsOf(value, Join(path, member)) : [];

    private List<string> StringsOf(JsonElement value, string path)
    {
        var list = new List<string>();
        if (value.ValueKind is not JsonValueKind.Array)
        {
            Add(path, $"expected an array of strings, got {JsonText.KindOf(value)}");
            return list;
        }

        foreach (var item in value.EnumerateArray())
        {
            if (TextOf(item, path) is { } text && IsName(text, path)) list.Add(text);
        }

        return list;
    }

    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> StringLists(JsonElement owner, string member, string path)
    {
        if (!owner.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null) return [];
        var at = Join(path, member);
        var lists = new List<KeyValuePair<string, IReadOnlyList<string>>>();
        if (value.ValueKind is not JsonValueKind.Object)
        {
            Add(at, $"expected an object of arrays of step names, got {JsonText.KindOf(value)}");
            return lists;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in value.EnumerateObject())
        {
            if (!seen.Add(entry.Name)) Add($"{at}.{entry.Name}", "is there twice");
            lists.Add(new(entry.Name, StringsOf(entry.Value, $"{at}.{entry.Name}")));
        }

        return lists;
    }

    public long? Integer(JsonElement owner, string member, string path, long least, long most)
    {
        if (!owner.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null) return null;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most) return number;
        Add(Join(path, member), $"expected an integer from {least} to {most}");
        return null;
    }

    public bool Boolean(JsonElement owner, string member, string path)
    {
        if (!owner.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False) return false;
        return value.ValueKind is JsonValueKind.True || Add<bool>(Join(path, member), $"expected true or false, got {JsonText.KindOf(value)}");
    }

    public PolicyFacts Policies(JsonElement owner, string path)
    {
        if (!owner.TryGetProperty("policies", out var policies) || policies.ValueKind is JsonValueKind.Null) return default;
        var at = Join(path, "policies");
        if (policies.ValueKind is not JsonValueKind.Array) return Add<PolicyFacts>(at, $"expected an array of policies, got {JsonText.KindOf(policies)}");

        double attempts = 1, wait = 0;
        double? seconds = null;
        foreach (var policy in policies.EnumerateArray())
        {
            if (policy.ValueKind is not JsonValueKind.Object || Text(policy, "name", at) is not { Length: > 0 } name)
            {
                Add(at, "expected {\"name\": string, \"config\": object} in every place");
                continue;
            }

            var hasConfig = policy.TryGetProperty("config", out var config) && config.ValueKind is JsonValueKind.Object;
            if (!hasConfig && policy.TryGetProperty("config", out config) && config.ValueKind is not JsonValueKind.Null)
            {
                Add($"{at}.{name}.config", $"expected an object, got {JsonText.KindOf(config)}");
            }
            else if (name == "retry" && hasConfig)
            {
                attempts = Number(config, "max_retries", $"{at}.retry", 1);
                wait = Number(config, "wait", $"{at}.retry", 0);
            }
            else if (name == "timeout" && hasConfig)
            {
                seconds = Number(config, "seconds", $"{at}.timeout", 0);
            }
        }

        if (seconds is not > 0) return default;

        // Broker contract 4.6: the whole budget of the worker's own attempts.
        var budget = (seconds.Value * Math.Max(attempts, 1)) + (wait * Math.Max(attempts - 1, 0));
        var most = RetryPolicy.LongestMs / 1000d;
        return new((int)Math.Ceiling(Math.Min(budget, most)), (long)Math.Min(seconds.Value * 1000, RetryPolicy.LongestMs));
    }

    private double Number(JsonElement owner, string member, string path, double fallback)
    {
        if (!owner.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null) return fallback;
        if (value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number >= 0) return number;
        Add($"{path}.{member}", "expected a number of 0 or more");
        return fallback;
    }

    public static string Join(string path, string member) => path.Length == 0 ? member : string.Create(CultureInfo.InvariantCulture, $"{path}.{member}");
}
