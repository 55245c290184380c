using System.Text;

namespace Broker.Worker;

/// <summary>Cuts a stream of bytes into lines, newline included; a line that is too long is cut between two characters.</summary>
internal sealed class LineCutter
{
    public const int MaxBytes = 16 * 1024;

    private readonly byte[] _line = new byte[MaxBytes];
    private int _length;

    public IEnumerable<string> Add(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int newline = bytes.Span.IndexOf((byte)'\n');
            int wanted = newline < 0 ? bytes.Length : newline + 1;
            int taken = Math.Min(wanted, MaxBytes - _length);
            bytes[..taken].CopyTo(_line.AsMemory(_length));
            _length += taken;
            bytes = bytes[taken..];

            if (_line[_length - 1] == '\n')
                yield return Take(_length);
            else if (_length == MaxBytes)
                yield return Take(LastBoundary());
        }
    }

    /// <summary>Rest of the stream after its last newline; null when there is none.</summary>
    public string? End() => _length == 0 ? null : Take(_length);

    private string Take(int count)
    {
        string text = Encoding.UTF8.GetString(_line, 0, count);
        _line.AsSpan(count, _length - count).CopyTo(_line);
        _length -= count;
        return text;
    }

    private int LastBoundary()
    {
        // A character has at most three continuation bytes; more in a row is no UTF-8, and any cut will do.
        int lead = _length - 1;
        while (lead > _length - 4 && (_line[lead] & 0xC0) == 0x80)
            lead--;
        int size = _line[lead] switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        return lead + size > _length ? lead : _length;
    }
}
