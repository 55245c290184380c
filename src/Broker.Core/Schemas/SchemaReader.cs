using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Core.Json;

namespace Broker.Core.Schemas;

/// <summary>Reads the keywords of one schema object with the type each must have; a keyword left unread at the end is unknown.</summary>
internal sealed class SchemaReader
{
    private readonly SchemaCompiler compiler;
    private readonly string pointer;
    private readonly Dictionary<string, JsonElement> unread;

    public SchemaReader(SchemaCompiler compiler, JsonElement schema, string pointer)
    {
        this.compiler = compiler;
        this.pointer = pointer;
        unread = schema.EnumerateObject().ToDictionary(JsonText.NameOf, member => member.Value, StringComparer.Ordinal);
    }

    public IEnumerable<string> Unread => unread.Keys;

    public bool TryTake(string keyword, out JsonElement value) => unread.Remove(keyword, out value);

    public void Problem(string keyword, string message) => compiler.Problem($"#{JsonText.Under(pointer, keyword)}", message);

    public string? Text(string keyword)
    {
        if (!TryTake(keyword, out var value)) return null;
        if (value.ValueKind is JsonValueKind.String) return JsonText.StringOf(value);
        Problem(keyword, "must be a string");
        return null;
    }

    public bool? Flag(string keyword)
    {
        if (!TryTake(keyword, out var value)) return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        Problem(keyword, "must be true or false");
        return null;
    }

    public JsonNumber? Number(string keyword)
    {
        if (!TryTake(keyword, out var value)) return null;
        if (value.ValueKind is JsonValueKind.Number) return JsonNumber.Of(value);
        Problem(keyword, "must be a number");
        return null;
    }

    /// <summary>A whole number from zero; more than any value can hold is cut to the largest int.</summary>
    public int? Count(string keyword)
    {
        if (Number(keyword) is not { } number) return null;
        if (!number.IsInteger || number.Negative)
        {
            Problem(keyword, "must be a whole number, zero or more");
            return null;
        }

        if (number.Exponent + number.Digits.Length > 9) return int.MaxValue;
        return number.IsZero ? 0 : int.Parse(number.Digits + new string('0', (int)number.Exponent), CultureInfo.InvariantCulture);
    }

    public IReadOnlyList<string> Texts(string keyword) => TryTake(keyword, out var value) ? Texts(keyword, value) : [];

    public IReadOnlyList<string> Texts(string keyword, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind is JsonValueKind.String))
        {
            var texts = value.EnumerateArray().Select(JsonText.StringOf).ToList();
            if (texts.Distinct(StringComparer.Ordinal).Count() == texts.Count) return texts;
        }

        Problem(keyword, "must be a list of different strings");
        return [];
    }

    public SchemaNode? Schema(string keyword) =>
        TryTake(keyword, out var value) ? compiler.NodeAt(value, JsonText.Under(pointer, keyword)) : null;

    public IReadOnlyList<SchemaNode>? Schemas(string keyword)
    {
        if (!TryTake(keyword, out var value)) return null;
        if (value.ValueKind is JsonValueKind.Array && value.GetArrayLength() > 0)
        {
            var at = JsonText.Under(pointer, keyword);
            return [.. value.EnumerateArray().Select((item, index) => compiler.NodeAt(item, JsonText.Under(at, index)))];
        }

        Problem(keyword, "must be a list of at least one schema");
        return null;
    }

    /// <summary>An object whose values are schemas; empty when the keyword is absent.</summary>
    public IReadOnlyList<(string Name, SchemaNode Schema)> Named(string keyword)
    {
        if (!TryTake(keyword, out var value)) return [];
        if (value.ValueKind is not JsonValueKind.Object)
        {
            Problem(keyword, "must be an object of schemas");
            return [];
        }

        var at = JsonText.Under(pointer, keyword);
        return
        [
            .. value.EnumerateObject()
                .Select(member => (Name: JsonText.NameOf(member), member.Value))
                .Select(member => (member.Name, compiler.NodeAt(member.Value, JsonText.Under(at, member.Name)))),
        ];
    }

    public Regex? Pattern(string keyword, string source)
    {
        var regex = compiler.Patterns.Compile(source, out var problem);
        if (regex is null) Problem(keyword, problem);
        return regex;
    }

    public SchemaNode? Reference(string keyword)
    {
        if (Text(keyword) is not { } reference) return null;
        if (!compiler.Resolve(reference, out var node, out var problem)) Problem(keyword, problem);
        return node;
    }
}
