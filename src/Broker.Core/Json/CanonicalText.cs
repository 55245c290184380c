using System.Security.Cryptography;
using System.Text;

namespace Broker.Core.Json;

/// <summary>Takes the parts of a canonical text: as one string, or as its SHA-256 digest, in constant memory.</summary>
internal sealed class CanonicalText
{
    private const int Chunk = 8 * 1024;

    private readonly StringBuilder text = new();
    private readonly IncrementalHash? digest;
    private readonly Encoder encoder = Encoding.UTF8.GetEncoder();
    private readonly byte[] bytes = [];

    public CanonicalText()
    {
    }

    /// <param name="digest">Takes the text, in UTF-8, instead of a string.</param>
    public CanonicalText(IncrementalHash digest) => (this.digest, bytes) = (digest, new byte[4 * 1024]);

    public CanonicalText Append(char part)
    {
        text.Append(part);
        Drain();
        return this;
    }

    public CanonicalText Append(string part)
    {
        text.Append(part);
        Drain();
        return this;
    }

    /// <summary>The digest of all that was appended.</summary>
    public byte[] Digest()
    {
        Encode(flush: true);
        return digest!.GetHashAndReset();
    }

    public override string ToString() => text.ToString();

    private void Drain()
    {
        if (digest is not null && text.Length >= Chunk) Encode(flush: false);
    }

    // The encoder remembers half of a surrogate pair that ends a part.
    private void Encode(bool flush)
    {
        foreach (var part in text.GetChunks()) Encode(part.Span, flush: false);
        text.Clear();
        if (flush) Encode([], flush: true);
    }

    private void Encode(ReadOnlySpan<char> part, bool flush)
    {
        do
        {
            encoder.Convert(part, bytes, flush, out var read, out var written, out _);
            digest!.AppendData(bytes, 0, written);
            part = part[read..];
        }
        while (part.Length > 0);
    }
}
