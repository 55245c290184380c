using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Broker.Http;

/// <summary>Sends JSON answers: values of described types or, on the hot path, what a writer writes. Raw JSON passes through untouched.</summary>
internal static class JsonAnswer
{
    public const string ContentType = "application/json";

    /// <summary>Plain characters stay readable; nothing of ours is put into HTML.</summary>
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Answers with what <paramref name="write"/> writes; the length is known, so the answer is never chunked.</summary>
    public static async Task SendAsync<TState>(HttpResponse response, int status, TState state, Action<Utf8JsonWriter, TState> write, string contentType = ContentType)
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, Options)) write(json, state);

        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = buffer.Written.Length;
        await response.Body.WriteAsync(buffer.Written);
    }

    /// <summary>Answers with a value of a type that the API document describes.</summary>
    public static Task SendAsync<T>(HttpResponse response, int status, T value, JsonTypeInfo<T> type, string contentType = ContentType) =>
        SendAsync(response, status, (value, type), static (json, answer) => JsonSerializer.Serialize(json, answer.value, answer.type), contentType);

    /// <summary>Raw JSON text that passes through as it is; null becomes <c>null</c>.</summary>
    public static void WriteRaw(this Utf8JsonWriter json, string? raw) => json.WriteRawValue(raw ?? "null", skipInputValidation: true);
}
