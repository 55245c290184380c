using System.Text.Json;

namespace Broker.Storage.Tables;

/// <summary>Small values kept as JSON text, so that any text inside them fits, NUL too.</summary>
internal static class JsonColumn
{
    public static string Write<T>(T value) => JsonSerializer.Serialize(value);

    public static T Read<T>(string stored) => JsonSerializer.Deserialize<T>(stored)!;
}
