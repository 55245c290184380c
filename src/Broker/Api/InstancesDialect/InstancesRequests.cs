using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Broker.Core.Json;
using Broker.Embedding;
using Broker.Http;

namespace Broker.Api.InstancesDialect;

/// <summary>An event to send: raw JSON payload and its sender's id, null when there is none.</summary>
internal sealed record NewEvent(string Type, string? PayloadJson, string? Id = null);

/// <summary>Actions that a tick may take.</summary>
internal sealed record TickLimits(int? MaxInstances, int? MaxSteps);

/// <summary>Reads the bodies of this dialect and names what is wrong with them. Unknown members are ignored.</summary>
internal static class InstancesRequests
{
    public const int MaxBatch = 100;

    private const string Identifier = "expected 1 to 100 characters: letters, digits, _ and -, the first one no -";

    /// <summary>The body as JSON; null when it is none, which counts as no body. JSON that is no valid UTF-8 is no JSON.</summary>
    public static JsonElement? RootOf(JsonBody body) =>
        body.Fault is BodyFault.None && Utf8.IsValid(JsonMarshal.GetRawUtf8Value(body.Root)) ? body.Root : null;

    public static NewInstance? Create(JsonElement? body, IssueList issues)
    {
        if (Object(body, issues) is not { } root) return null;
        return new(Id(root, required: false, issues), Raw(root, "params")) { Options = Options(root, issues) };
    }

    public static IReadOnlyList<NewInstance> Batch(JsonElement? body, IssueList issues, int most = MaxBatch)
    {
        if (Object(body, issues) is not { } root) return [];
        if (JsonMembers.Find(root, "instances") is not { ValueKind: JsonValueKind.Array } list)
        {
            issues.Add("invalid_type", "expected an array of instances", "instances");
            return [];
        }

        if (list.GetArrayLength() > Math.Min(most, MaxBatch))
        {
            issues.Add("too_big", $"expected at most {Math.Min(most, MaxBatch)} instances", "instances");
            return [];
        }

        var instances = new List<NewInstance>(list.GetArrayLength());
        foreach (var entry in list.EnumerateArray())
        {
            var index = instances.Count;
            if (Object(entry, issues, "instances", index) is not { } one) instances.Add(new(null, null));
            else instances.Add(new(Id(one, required: true, issues, "instances", index), Raw(one, "params")) { Options = Options(one, issues, "instances", index) });
        }

        return instances;
    }

    public static NewEvent? Event(JsonElement? body, IssueList issues)
    {
        if (Object(body, issues) is not { } root) return null;
        if (JsonMembers.Find(root, "type") is not { ValueKind: JsonValueKind.String } given)
        {
            issues.Add("invalid_type", "expected a string: the event type", "type");
            return null;
        }

        var type = JsonText.StringOf(given);
        var id = EventId(root, issues);
        if (Identifiers.IsEventType(type)) return new(type, Raw(root, "payload"), id);
        issues.Add("invalid_format", "expected 1 to 128 characters: letters, digits, _, -, . and :, the first one a letter, digit or _", "type");
        return null;
    }

    private static string? EventId(JsonElement root, IssueList issues)
    {
        if (JsonMembers.Find(root, "id") is not { ValueKind: not JsonValueKind.Null } given) return null;
        if (given.ValueKind is not JsonValueKind.String) issues.Add("invalid_type", "expected a string: the sender's id of the event", "id");
        else if (EventIds.Fits(JsonText.StringOf(given))) return JsonText.StringOf(given);
        else issues.Add("invalid_format", EventIds.Expected, "id");
        return null;
    }

    /// <summary>No body is in order.</summary>
    public static TickLimits Tick(JsonElement? body, IssueList issues)
    {
        if (body is null || Object(body, issues) is not { } root) return new(null, null);
        return new(Positive(root, "maxInstances", issues), Positive(root, "maxSteps", issues));
    }

    private static JsonElement? Object(JsonElement? value, IssueList issues, params object[] path)
    {
        if (value is { ValueKind: JsonValueKind.Object }) return value;
        issues.Add("invalid_type", "expected a JSON object", path);
        return null;
    }

    private static string? Id(JsonElement owner, bool required, IssueList issues, params object[] path)
    {
        if (JsonMembers.Find(owner, "id") is not { } given)
        {
            if (required) issues.Add("invalid_type", "is required: the id of the instance", [.. path, "id"]);
            return null;
        }

        if (given.ValueKind is not JsonValueKind.String)
        {
            issues.Add("invalid_type", "expected a string", [.. path, "id"]);
            return null;
        }

        var id = JsonText.StringOf(given);
        if (!Identifiers.IsInstanceId(id)) issues.Add("invalid_format", Identifier, [.. path, "id"]);
        return id;
    }

    private static StartOptions Options(JsonElement owner, IssueList issues, params object[] path) => StartOptions.Read(
        name => JsonMembers.Find(owner, name) is { ValueKind: not JsonValueKind.Null } given ? given : null,
        StartOptionNames.Camel,
        (name, message) => issues.Add("invalid_value", message, [.. path, name]));

    private static string? Raw(JsonElement owner, string name) => JsonMembers.Find(owner, name)?.GetRawText();

    // Numbers in strings count as numbers; beyond an int there is no difference to no limit.
    private static int? Positive(JsonElement owner, string name, IssueList issues)
    {
        if (JsonMembers.Find(owner, name) is not { } given) return null;
        var value = given.ValueKind switch
        {
            JsonValueKind.Number => Parse(given.GetRawText()),
            JsonValueKind.String => Parse(JsonText.StringOf(given)),
            _ => null,
        };
        if (value is > 0 && double.IsInteger(value.Value)) return (int)Math.Min(value.Value, int.MaxValue);
        issues.Add(value is null ? "invalid_type" : "too_small", "expected a whole number above 0", name);
        return null;
    }

    private static double? Parse(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;
}
