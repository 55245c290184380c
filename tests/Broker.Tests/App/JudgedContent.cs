using System.Net;

namespace Broker.Tests.App;

/// <summary>
/// JSON of unknown length. A caller that reads the whole answer has it judged at its end; a caller that reads the stream gets the stream as it comes.
/// </summary>
internal sealed class JudgedContent : HttpContent
{
    private const int LongestJudged = 4_000_000;

    private readonly HttpContent inner;
    private readonly Action<ReadOnlyMemory<byte>> judge;

    public JudgedContent(HttpContent inner, Action<ReadOnlyMemory<byte>> judge)
    {
        (this.inner, this.judge) = (inner, judge);
        foreach (var (name, values) in inner.Headers) Headers.TryAddWithoutValidation(name, values);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => CopyAsync(stream, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) => CopyAsync(stream, cancellationToken);

    protected override Task<Stream> CreateContentReadStreamAsync() => inner.ReadAsStreamAsync();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private async Task CopyAsync(Stream target, CancellationToken ct)
    {
        using var copy = new MemoryStream();
        await using var source = await inner.ReadAsStreamAsync(ct);
        var buffer = new byte[16 * 1024];
        while (await source.ReadAsync(buffer, ct) is var read and > 0)
        {
            await target.WriteAsync(buffer.AsMemory(0, read), ct);
            if (copy.Length <= LongestJudged) copy.Write(buffer, 0, read);
        }

        if (copy.Length <= LongestJudged) judge(copy.ToArray());
    }
}
