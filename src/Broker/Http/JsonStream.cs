using System.Text.Json;

namespace Broker.Http;

/// <summary>
/// A JSON answer of any length in constant memory. It is sent in parts of 32 KiB, each after the client took the one before. A short answer
/// is sent whole, with its length, and a fault before the first part still becomes an error answer.
/// </summary>
internal sealed class JsonStream : IAsyncDisposable
{
    private const int Part = 32 * 1024;

    private readonly HttpResponse response;
    private readonly PooledBuffer buffer = new();

    private readonly int status;

    public JsonStream(HttpResponse response, int status = StatusCodes.Status200OK)
    {
        (this.response, this.status) = (response, status);
        Json = new Utf8JsonWriter(buffer, JsonAnswer.Options);
    }

    public Utf8JsonWriter Json { get; }

    /// <summary>To be called between two rows: sends what makes a part.</summary>
    public ValueTask RowAsync(CancellationToken ct) => buffer.Written.Length + Json.BytesPending < Part ? ValueTask.CompletedTask : SendAsync(ct);

    /// <summary>Sends the rest.</summary>
    public async Task EndAsync(CancellationToken ct)
    {
        await Json.FlushAsync(ct);
        if (!response.HasStarted)
        {
            Describe();
            response.ContentLength = buffer.Written.Length;
        }

        await response.Body.WriteAsync(buffer.Written, ct);
    }

    public async ValueTask DisposeAsync()
    {
        // The pending part of a failed answer is dropped.
        Json.Reset();
        await Json.DisposeAsync();
        buffer.Dispose();
    }

    private async ValueTask SendAsync(CancellationToken ct)
    {
        await Json.FlushAsync(ct);
        if (!response.HasStarted) Describe();
        await response.Body.WriteAsync(buffer.Written, ct);
        buffer.Clear();
    }

    private void Describe()
    {
        response.StatusCode = status;
        response.ContentType = JsonAnswer.ContentType;
    }
}
