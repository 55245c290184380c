using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Runs;

/// <summary>Tags of a run: names with a string or a number each, by which runs are found.</summary>
public static class RunTags
{
    public const int Most = 16;
    public const int Longest = 200;

    /// <summary>The first fault of an object of tags, with the tag's name (empty: of the object itself); null when there is none.</summary>
    public static (string Name, string Message)? Problem(JsonElement tags)
    {
        var count = 0;
        foreach (var tag in tags.EnumerateObject())
        {
            var name = JsonText.NameOf(tag);
            if (count++ == Most) return ("", $"has more than {Most} tags");
            if (!Fits(name)) return (name, $"expected a name of 1 to {Longest} characters, none of them NUL");
            if (tag.Value.ValueKind is JsonValueKind.String && !Fits(JsonText.StringOf(tag.Value))) return (name, $"expected 1 to {Longest} characters, none of them NUL");
            if (tag.Value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number)) return (name, $"expected a string or a number, got {JsonText.KindOf(tag.Value)}");
        }

        return null;
    }

    /// <summary>The tags with their texts, numbers as they were written. Of tags with one name the first counts.</summary>
    public static IEnumerable<(string Name, string Value)> All(string? tagsJson) => tagsJson is null ? [] : JsonElement.Parse(tagsJson).EnumerateObject()
        .Select(tag => (Name: JsonText.NameOf(tag), Value: tag.Value.ValueKind is JsonValueKind.String ? JsonText.StringOf(tag.Value) : tag.Value.GetRawText()))
        .DistinctBy(tag => tag.Name);

    /// <summary>The text of a tag; null when there is no such tag.</summary>
    public static string? Find(string? tagsJson, string name)
    {
        foreach (var tag in All(tagsJson))
        {
            if (tag.Name == name) return tag.Value;
        }

        return null;
    }

    private static bool Fits(string text) => text.Length is > 0 and <= Longest && StorableText.Fits(text);
}
