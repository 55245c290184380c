using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Broker.Cli;

/// <summary>Writes JSON as YAML: blocks for objects and arrays that hold something, and texts as JSON strings where plain ones would mean something else.</summary>
internal static class YamlText
{
    private static readonly string[] Words = ["null", "true", "false", "yes", "no", "on", "off", "~"];

    public static string Of(string json)
    {
        var text = new StringBuilder();
        Write(text, JsonElement.Parse(json), 0, isNested: false);
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonElement value, int depth, bool isNested)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when value.EnumerateObject().Any():
                var isFirst = isNested;
                foreach (var member in value.EnumerateObject())
                {
                    if (!isFirst) text.Append(' ', depth * 2);
                    isFirst = false;
                    text.Append(Scalar(member.Name)).Append(':');
                    Below(text, member.Value, depth + 1);
                }

                break;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                var isFirstItem = isNested;
                foreach (var item in value.EnumerateArray())
                {
                    if (!isFirstItem) text.Append(' ', depth * 2);
                    isFirstItem = false;
                    text.Append("- ");
                    if (IsBlock(item)) Write(text, item, depth + 1, isNested: true);
                    else text.Append(Plain(item)).Append('\n');
                }

                break;
            default:
                text.Append(Plain(value)).Append('\n');
                break;
        }
    }

    private static void Below(StringBuilder text, JsonElement value, int depth)
    {
        if (!IsBlock(value))
        {
            text.Append(' ').Append(Plain(value)).Append('\n');
            return;
        }

        text.Append('\n');
        Write(text, value, depth, isNested: false);
    }

    private static bool IsBlock(JsonElement value) =>
        (value.ValueKind is JsonValueKind.Object && value.EnumerateObject().Any()) || (value.ValueKind is JsonValueKind.Array && value.GetArrayLength() > 0);

    private static string Plain(JsonElement value) => value.ValueKind is JsonValueKind.String ? Scalar(value.GetString()!) : value.GetRawText();

    // A JSON string is a YAML string too.
    private static string Scalar(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.' or '/') && !Words.Contains(text.ToLower(CultureInfo.InvariantCulture))
            ? text
            : $"\"{JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
