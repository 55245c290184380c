using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Http;

/// <summary>JSON text that is written as it stands: text of numbers, escapes and order of members stay. Without a text: null.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct JsonPassThrough(string? Text)
{
    /// <summary>Writes alone: requests are read by hand.</summary>
    internal sealed class Converter : JsonConverter<JsonPassThrough>
    {
        public override JsonPassThrough Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, JsonPassThrough value, JsonSerializerOptions options) => writer.WriteRaw(value.Text);
    }
}
