using System.Text;

namespace Broker.Worker;

/// <summary>Reader of a job's $BROKER_OUTPUT: <c>name=value</c> lines and here-documents, a later entry replacing an earlier one.</summary>
internal static class OutputFile
{
    public const int MaxBytes = 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="FormatException">Says what is wrong, without repeating values.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        byte[]? bytes;
        try
        {
            bytes = BoundedFile.Read(path, MaxBytes);
        }
        catch (FormatException wrong)
        {
            throw new FormatException($"the output file {wrong.Message}", wrong);
        }

        return Parse(bytes);
    }

    public static IReadOnlyDictionary<string, string> Parse(ReadOnlySpan<byte> bytes)
    {
        var outputs = new Dictionary<string, string>(StringComparer.Ordinal);
        var lines = Decode(bytes).Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = WithoutReturn(lines[i]);
            if (line.Length == 0) continue;

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var here = line.IndexOf("<<", StringComparison.Ordinal);
            if (equals < 0 && here < 0) throw new FormatException($"output file, line {i + 1}: write name=value or name<<END");

            // The first of the two decides: a value may hold << and an end marker may hold =.
            var isHereDocument = here >= 0 && (equals < 0 || here < equals);
            var name = line[..(isHereDocument ? here : equals)];
            if (name.Length == 0) throw new FormatException($"output file, line {i + 1}: the name is missing");

            outputs[name] = isHereDocument ? ReadHereDocument(lines, ref i, name, line[(here + 2)..]) : line[(equals + 1)..];
        }

        return outputs;
    }

    private static string ReadHereDocument(string[] lines, ref int i, string name, string end)
    {
        var start = i;
        if (end.Length == 0) throw new FormatException($"output file, line {start + 1}: write the end marker after {name}<<");

        var value = new StringBuilder();
        while (++i < lines.Length)
        {
            var line = WithoutReturn(lines[i]);
            if (line == end) return value.ToString();
            if (i > start + 1) value.Append('\n');
            value.Append(line);
        }

        throw new FormatException($"output file, line {start + 1}: no line {end} ends the value of {name}");
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("\uFEFF"u8)) bytes = bytes[3..];
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException fault)
        {
            throw new FormatException("the output file is not UTF-8", fault);
        }
    }

    private static string WithoutReturn(string line) => line.EndsWith('\r') ? line[..^1] : line;
}
