using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Http;
using Broker.Settings;

namespace Broker.Api.BrokerDialect;

/// <summary>Reader of request members. Places are those of members, after that of the array's item: <c>[3].step_name</c>.</summary>
internal sealed class BrokerReader(LimitSettings limits) : BodyReader(limits)
{
    /// <summary>Place in the array that is being read; null outside of one. Paths begin with it.</summary>
    public int? Place { get; set; }

    public bool IsObject(JsonElement value, string expected)
    {
        if (value.ValueKind is JsonValueKind.Object) return true;
        Add("", $"expected {expected}, got {JsonText.KindOf(value)}");
        return false;
    }

    /// <summary>A required string that can be stored.</summary>
    public string Text(JsonElement owner, string member, string? path = null)
    {
        path ??= member;
        if (owner.TryGetProperty(member, out var value)) return TextOf(value, path);
        Add(path, "is required: a string");
        return "";
    }

    /// <summary>A required string of 1 to 200 characters.</summary>
    public string Name(JsonElement owner, string member, string? path = null)
    {
        path ??= member;
        var text = Text(owner, member, path);
        if (owner.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.String && text.Length is 0 or > DefinitionReader.MaxNameLength)
            Add(path, $"expected 1 to {DefinitionReader.MaxNameLength} characters");
        return text;
    }

    protected override string PlaceOf(string path) =>
        Place is { } place ? string.Create(CultureInfo.InvariantCulture, $"[{place}]{(path.Length > 0 ? "." : "")}{path}") : path;

    protected override string Unstorable(string text) => StorableText.IsUnicode(text) ? "holds a NUL character" : "is not valid Unicode text";

    protected override Task RefuseAsync(HttpContext http, JsonBody body) => BrokerResponses.Fail(
        http, body.Fault is BodyFault.TooLarge ? StatusCodes.Status413PayloadTooLarge : StatusCodes.Status400BadRequest, body.Reason);

    protected override Task RefuseAsync(HttpContext http)
    {
        var first = Problems[0].ToString();
        var detail = Problems.Count == 1 ? first : $"{first} (and {Problems.Count - 1} more)";
        return BrokerResponses.Fail(http, StatusCodes.Status422UnprocessableEntity, detail, Problems);
    }
}
