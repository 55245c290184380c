using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Core.Json;
using Broker.Engine;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Reads bodies into their records. Every member counts: an unknown one, or one of another type, is refused with its place.</summary>
internal static class OperatorBody
{
    /// <summary>The record of a body; without a body, or with null, the empty one, where that is allowed.</summary>
    public static async Task<T> ReadAsync<T>(HttpContext http, BrokerEngine engine, JsonTypeInfo<T> type, bool isOptional, CancellationToken ct)
    {
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);

        // Generated clients send null where the caller gives no body.
        if (isOptional && body is { Fault: BodyFault.Empty } or { Fault: BodyFault.None, Root.ValueKind: JsonValueKind.Null }) return JsonSerializer.Deserialize("{}", type)!;
        return Read(RootOf(body), type);
    }

    /// <summary>A body that is one JSON value.</summary>
    public static async Task<RawJson> ReadAsync(HttpContext http, BrokerEngine engine, CancellationToken ct)
    {
        using var body = await JsonBody.ReadAsync(http.Request, engine.Settings, ct);
        return new(RootOf(body).GetRawText());
    }

    private static JsonElement RootOf(in JsonBody body) => body.Fault switch
    {
        BodyFault.None => body.Root,
        BodyFault.TooLarge => throw new OperatorException(StatusCodes.Status413PayloadTooLarge, "too_large", body.Reason),
        BodyFault.Empty or BodyFault.NotJson or BodyFault.TooDeep => throw new OperatorException(StatusCodes.Status400BadRequest, "invalid_json", body.Reason),
    };

    private static T Read<T>(JsonElement root, JsonTypeInfo<T> type)
    {
        if (root.ValueKind is not JsonValueKind.Object) throw Refused([new("", $"expected an object, got {JsonText.KindOf(root)}")]);
        var faults = new List<OperatorFault>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in root.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            var place = JsonText.Under("", name);
            if (type.Properties.FirstOrDefault(property => property.Name == name) is not { } property) faults.Add(new(place, $"is not known; expected {string.Join(", ", type.Properties.Select(known => known.Name))}"));
            else if (!seen.Add(name)) faults.Add(new(place, "is there twice"));
            else if (IsDescribed(property) && CanonicalJson.HasDuplicateKeys(member.Value, out var twice)) faults.Add(new(place + twice, "is there twice"));
            else if (!Fits(member.Value, property)) faults.Add(new(place, $"expected {KindOf(property.PropertyType)}"));
        }

        return faults.Count == 0 ? root.Deserialize(type)! : throw Refused(faults);
    }

    // Raw JSON passes through as it is; members of described types count once each.
    private static bool IsDescribed(JsonPropertyInfo property) => property.PropertyType != typeof(RawJson) && property.PropertyType != typeof(RawJson?);

    private static bool Fits(JsonElement value, JsonPropertyInfo property)
    {
        try
        {
            // Text of half a surrogate pair is no text of ours.
            if (property.PropertyType == typeof(string) && value.ValueKind is JsonValueKind.String && !StorableText.IsUnicode(JsonText.StringOf(value))) return false;
            value.Deserialize(OperatorJson.Default.Options.GetTypeInfo(property.PropertyType));
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string KindOf(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var text when text == typeof(string) => "a string",
        var flag when flag == typeof(bool) => "a boolean",
        var instant when instant == typeof(DateTimeOffset) => "an instant such as 2030-01-31T12:00:00Z",
        var number when number == typeof(int) || number == typeof(long) => "an integer",
        var runs when runs == typeof(IReadOnlyList<RunAddress>) => "an array of objects with workflow, instance and run",
        var arguments when arguments == typeof(BulkArguments) => "an object with some of grace_ms, steps, tags, type, value and step",
        var crons when crons == typeof(CronList) => "a cron expression, or an array of them",
        var catchUp when catchUp == typeof(ScheduleCatchUp) => "an object with some of window_ms, runs and most",
        var names when names == typeof(IReadOnlyList<string>) => "an array of strings",
        _ => "any JSON",
    };

    private static OperatorException Refused(List<OperatorFault> faults) =>
        new(StatusCodes.Status422UnprocessableEntity, "invalid_body", $"{faults[0].Place} {faults[0].Message}".TrimStart(), faults[0].Place) { Errors = faults };
}
