using System.Text;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.WorkflowFiles;

/// <summary>JSON to nodes; strict about the syntax, so comments and trailing commas are faults. Token by token, since each has its line.</summary>
internal ref struct JsonNodes
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> text;
    private Utf8JsonReader reader;
    private int line = 1;
    private int counted;

    private JsonNodes(ReadOnlySpan<byte> text)
    {
        this.text = text;
        reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = YamlNodes.MaxDepth });
    }

    /// <exception cref="JsonException">The text is not one JSON value within the limits.</exception>
    public static Node Parse(string text)
    {
        try
        {
            var nodes = new JsonNodes(Utf8.GetBytes(text));
            nodes.reader.Read();
            var root = nodes.Value();
            nodes.reader.Read();
            return root;
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException)
        {
            // Half a surrogate pair: an escaped one shows only when its string is read, a bare one when the text is encoded.
            throw new JsonException(StorableText.Message, fault);
        }
    }

    private Node Value()
    {
        var at = Line();
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return Mapping(at);
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray) items.Add(Value());
                return new SequenceNode(items, at);
            case JsonTokenType.String:
                return new ScalarNode(Text(), ScalarKind.Text, at);
            case JsonTokenType.Null:
                return new ScalarNode("", ScalarKind.Null, at);
            case var kind:
                return new ScalarNode(Encoding.ASCII.GetString(reader.ValueSpan), kind is JsonTokenType.Number ? ScalarKind.Number : ScalarKind.Boolean, at);
        }
    }

    private MappingNode Mapping(int at)
    {
        var entries = new OrderedDictionary<string, MappingEntry>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndObject)
        {
            var (name, line) = (Text(), Line());
            reader.Read();
            entries[name] = new(Value(), line);
        }

        return new MappingNode(entries, at);
    }

    private readonly string Text() => reader.GetString() is { } read && StorableText.Fits(read) ? read : throw new JsonException(StorableText.Message);

    private int Line()
    {
        var start = (int)reader.TokenStartIndex;
        line += text[counted..start].Count((byte)'\n');
        counted = start;
        return line;
    }
}
