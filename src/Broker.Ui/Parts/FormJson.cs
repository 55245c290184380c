using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Broker.Operators;
using Microsoft.AspNetCore.Http;

namespace Broker.Ui.Parts;

/// <summary>
/// A value from the fields of a form. A form names each field <c>f.NAME</c>, and its kind <c>k.NAME</c>: string, integer, number, boolean or
/// json. A form with the field <c>json</c> sends the whole value. The engine checks the value; a text that is no number stays a text.
/// </summary>
internal static class FormJson
{
    private const string Field = "f.";
    private const string Kind = "k.";

    public static RawJson Value(IFormCollection form, string? mode = null)
    {
        if (mode != "fields" && form.TryGetValue("json", out var whole)) return new(Checked("json", whole.ToString()));
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, kind) in form.Where(field => field.Key.StartsWith(Kind, StringComparison.Ordinal)).Select(field => (field.Key[Kind.Length..], field.Value.ToString())))
            {
                var text = form[Field + name].ToString();
                if (kind != "boolean" && text.Length == 0) continue;
                writer.WritePropertyName(name);
                writer.WriteRawValue(Json(name, kind, text));
            }

            writer.WriteEndObject();
        }

        return new(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static string Json(string name, string kind, string text) => kind switch
    {
        "boolean" => text.Length > 0 && text != "false" ? "true" : "false",
        "integer" or "number" => IsNumber(text) ? text.Trim() : Quoted(text),
        "json" => Checked(name, text),
        _ => Quoted(text),
    };

    private static string Quoted(string text) => JsonValue.Create(text).ToJsonString();

    private static bool IsNumber(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind is JsonValueKind.Number;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The text, when it is JSON; empty text is null.</summary>
    public static string Checked(string name, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text.Length == 0 ? "null" : text);
            return document.RootElement.GetRawText();
        }
        catch (JsonException fault)
        {
            throw new OperatorException(StatusCodes.Status400BadRequest, "invalid_json", $"{name}: expected JSON: {fault.Message}", $"/{name}");
        }
    }
}
