using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Broker.Http;

/// <summary>
/// Frames server-sent events. Written events wait in the response's pipe until <see cref="FlushAsync"/>, which waits for the client
/// to drain it. A caller that flushes after every page holds one page per client, however slow the client is.
/// </summary>
internal sealed class SseWriter
{
    public const string ContentType = "text/event-stream";

    private readonly PipeWriter pipe;

    private SseWriter(PipeWriter pipe) => this.pipe = pipe;

    /// <summary>Sends status 200 and the headers at once: clients count as connected from then on.</summary>
    public static async Task<SseWriter> OpenAsync(HttpResponse response, CancellationToken ct)
    {
        await StartAsync(response, ContentType, ct);
        return new SseWriter(response.BodyWriter);
    }

    /// <summary>Starts a stream of any type: headers go out before the first row.</summary>
    public static async Task StartAsync(HttpResponse response, string contentType, CancellationToken ct)
    {
        response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-cache";
        // Keeps reverse proxies from buffering the answer.
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(ct);
        await response.BodyWriter.FlushAsync(ct);
    }

    /// <summary>One event. Data of several lines becomes several data fields, which readers join again.</summary>
    public void Event(string? name, string? id, ReadOnlySpan<byte> data)
    {
        if (name is not null) Field("event: "u8, name);
        if (id is not null) Field("id: "u8, id);
        while (true)
        {
            var end = data.IndexOfAny((byte)'\n', (byte)'\r');
            pipe.Write("data: "u8);
            pipe.Write(end < 0 ? data : data[..end]);
            pipe.Write("\n"u8);
            if (end < 0) break;
            var width = data[end] == '\r' && end + 1 < data.Length && data[end + 1] == '\n' ? 2 : 1;
            data = data[(end + width)..];
        }

        pipe.Write("\n"u8);
    }

    public void Event(string? name, string? id, string data) => Event(name, id, Encoding.UTF8.GetBytes(data));

    /// <summary>A line that readers skip; it keeps idle connections open.</summary>
    public void Comment(string text)
    {
        Field(": "u8, text);
        pipe.Write("\n"u8);
    }

    /// <summary>False when the client has gone.</summary>
    public async ValueTask<bool> FlushAsync(CancellationToken ct) => !(await pipe.FlushAsync(ct)).IsCompleted;

    // A line break in a name or an id would begin a field of the client's choice.
    private void Field(ReadOnlySpan<byte> field, string value)
    {
        pipe.Write(field);
        Encoding.UTF8.GetBytes(value.AsSpan().IndexOfAny('\r', '\n') < 0 ? value : value.ReplaceLineEndings(" "), pipe);
        pipe.Write("\n"u8);
    }
}
