using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Broker.Core.Json;

/// <summary>Canonical text of a JSON value: equal values give equal text in any spelling, different values different text.</summary>
public static class CanonicalJson
{
    /// <summary>The canonical text. A member given twice is kept twice, in its order: such an object equals only its like.</summary>
    public static string Of(JsonElement value)
    {
        var text = new CanonicalText();
        Write(value, text);
        return text.ToString();
    }

    /// <summary>Finds a member name that stands twice in one object; the path is a JSON pointer to it.</summary>
    public static bool HasDuplicateKeys(JsonElement value, out string path)
    {
        var found = FindDuplicate(value);
        path = found ?? "";
        return found is not null;
    }

    internal static void Write(JsonElement value, CanonicalText text)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(value, text);
                break;
            case JsonValueKind.Array:
                var separator = '[';
                foreach (var item in value.EnumerateArray())
                {
                    text.Append(separator);
                    Write(item, text);
                    separator = ',';
                }

                text.Append(separator == '[' ? "[]" : "]");
                break;
            case JsonValueKind.String:
                WriteString(JsonText.StringOf(value), text);
                break;
            case JsonValueKind.Number:
                text.Append(JsonNumber.Of(value).ToString());
                break;
            case JsonValueKind.True:
                text.Append("true");
                break;
            case JsonValueKind.False:
                text.Append("false");
                break;
            case JsonValueKind.Null:
                text.Append("null");
                break;
            case JsonValueKind.Undefined:
                throw new ArgumentException("There is no JSON value to write.", nameof(value));
        }
    }

    private static void WriteObject(JsonElement value, CanonicalText text) =>
        WriteObject(value.EnumerateObject().Select(m => (Name: JsonText.NameOf(m), m.Value)), text, static (_, member, text) => Write(member, text));

    /// <summary>Members in any order, each written by <paramref name="write"/>.</summary>
    internal static void WriteObject<T>(IEnumerable<(string Name, T Value)> members, CanonicalText text, Action<string, T, CanonicalText> write)
    {
        var separator = '{';
        // OrderBy is stable, which keeps repeated names in their order.
        foreach (var (name, member) in members.OrderBy(m => m.Name, StringComparer.Ordinal))
        {
            text.Append(separator);
            WriteString(name, text);
            text.Append(':');
            write(name, member, text);
            separator = ',';
        }

        text.Append(separator == '{' ? "{}" : "}");
    }

    internal static void WriteString(string value, CanonicalText text)
    {
        text.Append('"');
        for (var i = 0; i < value.Length; i++)
        {
            var unit = value[i];
            if (unit is '"' or '\\')
            {
                text.Append('\\').Append(unit);
            }
            else if (char.IsHighSurrogate(unit) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]))
            {
                text.Append(unit).Append(value[++i]);
            }
            else if (unit < ' ' || char.IsSurrogate(unit))
            {
                text.Append(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}"));
            }
            else
            {
                text.Append(unit);
            }
        }

        text.Append('"');
    }

    // The path is put together on the way back: only a repeated name costs one.
    private static string? FindDuplicate(JsonElement value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (value.ValueKind is JsonValueKind.Array)
        {
            var index = 0;
            foreach (var item in value.EnumerateArray())
            {
                if (FindDuplicate(item) is { } below) return JsonText.Under("", index) + below;
                index++;
            }
        }

        if (value.ValueKind is not JsonValueKind.Object) return null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            if (!seen.Add(name)) return JsonText.Under("", name);
            if (FindDuplicate(member.Value) is { } below) return JsonText.Under("", name) + below;
        }

        return null;
    }
}
