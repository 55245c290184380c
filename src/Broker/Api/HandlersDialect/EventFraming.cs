using System.Buffers;
using System.Globalization;
using System.Text;

namespace Broker.Api.HandlersDialect;

/// <summary>Frames of a stream: <c>id: N</c> and <c>data: JSON</c> with a blank line after, or one line of JSON (handlers contract 6).</summary>
internal static class EventFraming
{
    public const string SseType = "text/event-stream; charset=utf-8";
    public const string LinesType = "application/x-ndjson; charset=utf-8";

    /// <summary>A server-sent event; no id in queue mode.</summary>
    public static void WriteSse(IBufferWriter<byte> output, long? id, ReadOnlySpan<byte> json)
    {
        if (id is { } number)
        {
            output.Write("id: "u8);
            output.Write(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
            output.Write("\n"u8);
        }

        output.Write("data: "u8);
        WriteOneLine(output, json);
        output.Write("\n\n"u8);
    }

    public static void WriteLine(IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        WriteOneLine(output, json);
        output.Write("\n"u8);
    }

    /// <summary>A comment: keeps proxies from closing an idle stream. Line readers do not know comments.</summary>
    public static void WriteHeartbeat(IBufferWriter<byte> output) => output.Write(": heartbeat\n\n"u8);

    /// <summary>
    /// Raw JSON may hold line ends between its tokens. Python's line readers also split at U+0085, U+2028 and U+2029, which stand in strings
    /// as they are. The first become blanks, the others escapes, and the value stays the same.
    /// </summary>
    private static void WriteOneLine(IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        while (true)
        {
            var at = json.IndexOfAny(LineEndStarts);
            if (at < 0) break;
            output.Write(json[..at]);
            json = json[at..];
            var (length, replacement) = json switch
            {
                [(byte)'\n' or (byte)'\r', ..] => (1, " "),
                [0xC2, 0x85, ..] => (2, "\\u0085"),
                [0xE2, 0x80, 0xA8, ..] => (3, "\\u2028"),
                [0xE2, 0x80, 0xA9, ..] => (3, "\\u2029"),
                _ => (0, ""),
            };
            if (length == 0) output.Write(json[..1]);
            else output.Write(Encoding.ASCII.GetBytes(replacement));
            json = json[Math.Max(length, 1)..];
        }

        output.Write(json);
    }

    private static readonly SearchValues<byte> LineEndStarts = SearchValues.Create([(byte)'\n', (byte)'\r', 0xC2, 0xE2]);
}
