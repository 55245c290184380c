using System.Text;

namespace Broker.Worker;

/// <summary>Cuts a stream of bytes into lines, newline included; a line that is too long is cut between two characters.</summary>
internal sealed class LineCutter
{
    public const int MaxBytes = 16 * 1024;

    private readonly byte[] line = new byte[MaxBytes];
    private int length;

    public IEnumerable<string> Add(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var newline = bytes.Span.IndexOf((byte)'\n');
            var wanted = newline < 0 ? bytes.Length : newline + 1;
            var taken = Math.Min(wanted, MaxBytes - length);
            bytes[..taken].CopyTo(line.AsMemory(length));
            length += taken;
            bytes = bytes[taken..];

            if (line[length - 1] == '\n') yield return Take(length);
            else if (length == MaxBytes) yield return Take(LastBoundary());
        }
    }

    /// <summary>Rest of the stream after its last newline; null when there is none.</summary>
    public string? End() => length == 0 ? null : Take(length);

    private string Take(int count)
    {
        var text = Encoding.UTF8.GetString(line, 0, count);
        line.AsSpan(count, length - count).CopyTo(line);
        length -= count;
        return text;
    }

    private int LastBoundary()
    {
        // A character has at most three continuation bytes; more in a row is no UTF-8, and any cut will do.
        var lead = length - 1;
        while (lead > length - 4 && (line[lead] & 0xC0) == 0x80) lead--;
        var size = line[lead] switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        return lead + size > length ? lead : length;
    }
}
