using System.Globalization;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Json;
using Broker.Settings;

namespace Broker.Api.BrokerDialect;

/// <summary>Reader of request members that collects every problem for one answer.</summary>
internal sealed class BrokerReader(LimitSettings limits)
{
    public LimitSettings Limits => limits;

    /// <summary>Problems in one answer, at most.</summary>
    private const int MostShown = 50;

    private List<DefinitionProblem>? problems;

    /// <summary>Place in the array that is being read; null outside of one. Paths begin with it.</summary>
    public int? Place { get; set; }

    public bool IsBroken => problems is not null;

    public IReadOnlyList<DefinitionProblem> Problems => problems ?? [];

    public void Add(string path, string message)
    {
        problems ??= [];
        if (problems.Count == MostShown) return;
        var at = Place is { } place ? string.Create(CultureInfo.InvariantCulture, $"[{place}]{(path.Length > 0 ? "." : "")}{path}") : path;
        problems.Add(new(at, message));
    }

    public bool IsObject(JsonElement value, string expected)
    {
        if (value.ValueKind is JsonValueKind.Object) return true;
        Add("", $"expected {expected}, got {JsonText.KindOf(value)}");
        return false;
    }

    /// <summary>A required string that can be stored as a name: no NUL, no half of a surrogate pair.</summary>
    public string Text(JsonElement owner, string member, string? path = null)
    {
        path ??= member;
        if (owner.TryGetProperty(member, out var value)) return TextOf(value, path);
        Add(path, "is required: a string");
        return "";
    }

    public string TextOf(JsonElement value, string path)
    {
        if (value.ValueKind is not JsonValueKind.String)
        {
            Add(path, $"expected a string, got {JsonText.KindOf(value)}");
            return "";
        }

        var text = JsonText.StringOf(value);
        if (StorableText.Fits(text)) return text;
        Add(path, StorableText.IsUnicode(text) ? "holds a NUL character" : "is not valid Unicode text");
        return "";
    }

    /// <summary>A required string of 1 to 200 characters.</summary>
    public string Name(JsonElement owner, string member, string? path = null)
    {
        path ??= member;
        if (!owner.TryGetProperty(member, out var value))
        {
            Add(path, "is required: a string");
            return "";
        }

        if (value.ValueKind is not JsonValueKind.String) return TextOf(value, path);
        var text = TextOf(value, path);
        if (text.Length is 0 or > DefinitionReader.MaxNameLength) Add(path, $"expected 1 to {DefinitionReader.MaxNameLength} characters");
        return text;
    }
}
