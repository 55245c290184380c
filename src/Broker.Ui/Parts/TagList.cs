using System.Text.Json;
using Broker.Operators;
using Broker.Operators.Where;

namespace Broker.Ui.Parts;

/// <summary>Tags as pairs of texts.</summary>
internal static class TagList
{
    public static IEnumerable<(string Name, string Value)> Of(RawJson tags)
    {
        using var document = JsonDocument.Parse(tags.Text);
        return [.. document.RootElement.EnumerateObject().Select(tag => (tag.Name, tag.Value.ValueKind is JsonValueKind.String ? tag.Value.GetString()! : tag.Value.GetRawText()))];
    }

    /// <summary>The expression that runs with the tag fit.</summary>
    public static string Where(string name, string value) => new WhereTerm("tag", name, WhereOperator.Equal, [new(value, IsQuoted: true)]).ToString();
}
