using System.Buffers;
using System.Text;

namespace Broker.Worker;

/// <summary>
/// Replaces secret values in a stream of bytes by <c>***</c>. Bytes that may begin a secret are held back until the next bytes decide. A
/// value is therefore found in any split.
/// </summary>
internal sealed class SecretMask
{
    // A tool that prints a key file prints it line by line; a short line would mask half of every log.
    private const int ShortestLine = 8;

    private static readonly byte[] Mask = "***"u8.ToArray();

    private readonly byte[][] secrets;
    private readonly SearchValues<byte> firstBytes;
    private byte[] held = [];

    public SecretMask(IEnumerable<string> values)
    {
        // Longest first: a secret that begins with another one is replaced whole.
        secrets = [.. values.SelectMany(Parts).Distinct(StringComparer.Ordinal).Select(Encoding.UTF8.GetBytes).OrderByDescending(s => s.Length)];
        firstBytes = SearchValues.Create([.. secrets.Select(s => s[0]).Distinct()]);
    }

    public ReadOnlyMemory<byte> Add(ReadOnlyMemory<byte> bytes) => secrets.Length == 0 ? bytes : Replace(bytes, isEnd: false);

    /// <summary>Bytes that were held back when the stream ended: they are no secret.</summary>
    public ReadOnlyMemory<byte> End() => held.Length == 0 ? default : Replace(default, isEnd: true);

    private ReadOnlyMemory<byte> Replace(ReadOnlyMemory<byte> bytes, bool isEnd)
    {
        byte[] all = [.. held, .. bytes.Span];
        held = [];
        var clean = new ArrayBufferWriter<byte>(Math.Max(1, all.Length));
        var at = 0;
        while (at < all.Length)
        {
            var next = all.AsSpan(at).IndexOfAny(firstBytes);
            clean.Write(all.AsSpan(at, next < 0 ? all.Length - at : next));
            if (next < 0) break;
            at += next;

            var rest = all.AsSpan(at);
            if (!isEnd && MayBecomeSecret(rest))
            {
                held = rest.ToArray();
                break;
            }

            if (SecretAt(rest) is { } secret)
            {
                clean.Write(Mask);
                at += secret.Length;
            }
            else
            {
                clean.Write(rest[..1]);
                at++;
            }
        }

        return clean.WrittenMemory;
    }

    private byte[]? SecretAt(ReadOnlySpan<byte> rest)
    {
        foreach (var secret in secrets)
        {
            if (rest.StartsWith(secret)) return secret;
        }

        return null;
    }

    private bool MayBecomeSecret(ReadOnlySpan<byte> rest)
    {
        foreach (var secret in secrets)
        {
            if (secret.Length > rest.Length && secret.AsSpan().StartsWith(rest)) return true;
        }

        return false;
    }

    private static IEnumerable<string> Parts(string value)
    {
        var lines = value.Split('\n', StringSplitOptions.TrimEntries);
        return lines.Where(line => line.Length >= ShortestLine).Append(value.TrimEnd('\r', '\n')).Where(part => part.Length > 0);
    }
}
