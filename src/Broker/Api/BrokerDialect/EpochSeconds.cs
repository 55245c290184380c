using System.Text.Json;
using System.Text.Json.Serialization;

namespace Broker.Api.BrokerDialect;

/// <summary>An instant as seconds since 1970: never an exponent, always a fraction, since clients distinguish integers from floats.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct EpochSeconds(DateTimeOffset At)
{
    /// <summary>Writes alone: no request holds an instant.</summary>
    internal sealed class Converter : JsonConverter<EpochSeconds>
    {
        public override EpochSeconds Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, EpochSeconds value, JsonSerializerOptions options) => writer.WriteSeconds(value.At);
    }
}
