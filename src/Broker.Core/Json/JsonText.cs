using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Broker.Core.Json;

/// <summary>Reads strings and member names of any JSON text, also those <c>GetString</c> throws on: a lone surrogate escape stays a lone UTF-16 unit.</summary>
public static class JsonText
{
    /// <summary>The characters of a JSON string.</summary>
    public static string StringOf(JsonElement text) => Unescape(JsonMarshal.GetRawUtf8Value(text)[1..^1]);

    /// <summary>The characters of a member's name.</summary>
    public static string NameOf(JsonProperty member) => Unescape(JsonMarshal.GetRawUtf8PropertyName(member));

    /// <summary>The kind of a value, as messages name it.</summary>
    public static string KindOf(JsonElement value) => KindOf(value.ValueKind);

    /// <summary>The kind as messages name it.</summary>
    public static string KindOf(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Null or JsonValueKind.Undefined => "nothing",
    };

    /// <summary>An object of these members, as they were written.</summary>
    public static string ObjectOf(IEnumerable<JsonProperty> members)
    {
        var text = new StringBuilder("{");
        foreach (var member in members)
        {
            if (text.Length > 1) text.Append(',');
            text.Append('"').Append(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8PropertyName(member))).Append("\":").Append(member.Value.GetRawText());
        }

        return text.Append('}').ToString();
    }

    /// <summary>A member's name as a JSON string of its own.</summary>
    internal static JsonElement NameAsValue(JsonProperty member)
    {
        var raw = JsonMarshal.GetRawUtf8PropertyName(member);
        var quoted = new byte[raw.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        raw.CopyTo(quoted.AsSpan(1));
        return JsonElement.Parse(quoted);
    }

    /// <summary>Appends one token to a JSON pointer.</summary>
    public static string Under(string above, string token) =>
        $"{above}/{token.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    /// <summary>Appends one index to a JSON pointer.</summary>
    public static string Under(string above, int index) => string.Create(CultureInfo.InvariantCulture, $"{above}/{index}");

    /// <summary>The raw bytes of a value, counted without reading it.</summary>
    internal static int SizeOf(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).Length;

    private static string Unescape(ReadOnlySpan<byte> raw)
    {
        var escape = raw.IndexOf((byte)'\\');
        if (escape < 0) return Encoding.UTF8.GetString(raw);

        var text = new StringBuilder(raw.Length);
        while (escape >= 0)
        {
            text.Append(Encoding.UTF8.GetString(raw[..escape]));
            var kind = (char)raw[escape + 1];
            var length = kind == 'u' ? 6 : 2;
            text.Append(kind switch
            {
                'u' => (char)ushort.Parse(raw.Slice(escape + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                _ => kind,
            });
            raw = raw[(escape + length)..];
            escape = raw.IndexOf((byte)'\\');
        }

        return text.Append(Encoding.UTF8.GetString(raw)).ToString();
    }
}
