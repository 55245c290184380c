using System.Text.RegularExpressions;
using Broker.Core.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Broker.WorkflowFiles;

/// <summary>
/// YAML to nodes, from the parser's events. The library's own tree refuses a repeated key, and its object mapping decides by the C# type
/// what a scalar is.
/// </summary>
internal sealed partial class YamlNodes
{
    internal const int MaxDepth = 64;

    /// <summary>An alias is a shared node, so it costs nothing until it is walked; this bounds the walk.</summary>
    internal const long MaxRepeatedByAliases = 1 << 20;

    private readonly Parser parser;
    private readonly Dictionary<AnchorName, Node> anchors = [];
    private long repeated;

    private YamlNodes(string text) => parser = new Parser(new StringReader(text));

    /// <exception cref="YamlException">The text is not one YAML document within the limits.</exception>
    public static Node Parse(string text)
    {
        var nodes = new YamlNodes(text);
        try
        {
            return nodes.Document();
        }
        catch (Exception fault) when (fault is InvalidOperationException or ArgumentException)
        {
            // The parser throws this for some malformed text, such as a bare | inside [] or a tag that is no URI. Only the last event has
            // a place.
            var last = nodes.parser.Current;
            throw new YamlException(last?.Start ?? Mark.Empty, last?.End ?? Mark.Empty, "not valid after this place", fault);
        }
    }

    private Node Document()
    {
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _)) return new ScalarNode("", ScalarKind.Null, 1);

        parser.Consume<DocumentStart>();
        var root = Compose(1);
        parser.Consume<DocumentEnd>();
        return parser.Accept<DocumentStart>(out var second)
            ? throw Fault(second, "a second document begins here, and a file holds one workflow")
            : root;
    }

    private Node Compose(int depth)
    {
        if (parser.TryConsume<AnchorAlias>(out var alias)) return Resolve(alias);

        var start = parser.Consume<NodeEvent>();
        if (depth > MaxDepth) throw Fault(start, $"nested deeper than {MaxDepth} levels");

        Node node = start switch
        {
            Scalar scalar => ScalarOf(scalar),
            SequenceStart => Sequence(depth, LineOf(start)),
            _ => Mapping(depth, LineOf(start)),
        };

        // Known only once it is complete, so that a node cannot hold itself.
        if (!start.Anchor.IsEmpty) anchors[start.Anchor] = node;

        return node;
    }

    private Node Resolve(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value, out var node)) throw Fault(alias, $"the alias *{alias.Value} has no complete anchor before it");

        repeated += node.Weight;
        return repeated > MaxRepeatedByAliases
            ? throw Fault(alias, $"aliases repeat more than {MaxRepeatedByAliases} characters of the file")
            : node;
    }

    private static ScalarNode ScalarOf(Scalar scalar)
    {
        if (!StorableText.Fits(scalar.Value)) throw Fault(scalar, StorableText.Message);

        return new ScalarNode(scalar.Value, IsPlain(scalar) ? KindOf(scalar.Value) : ScalarKind.Text, LineOf(scalar)) { IsLiteral = scalar.Style == ScalarStyle.Literal };
    }

    private SequenceNode Sequence(int depth, int line)
    {
        var items = new List<Node>();
        while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(Compose(depth + 1));

        return new SequenceNode(items, line);
    }

    private MappingNode Mapping(int depth, int line)
    {
        var entries = new OrderedDictionary<string, MappingEntry>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var at = parser.Current!;
            var merges = at is Scalar { Value: "<<" } word && IsPlain(word);
            if (Compose(depth + 1) is not ScalarNode key) throw Fault(at, "a key must be plain text, not a list or a mapping");

            var value = Compose(depth + 1);
            if (merges) Merge(entries, value, at);
            else entries[key.Text] = new(value, LineOf(at));
        }

        return new MappingNode(entries, line);
    }

    /// <summary>Merges a source. The mapping's own entries win, before or after the merge; of several sources the first wins.</summary>
    private static void Merge(OrderedDictionary<string, MappingEntry> entries, Node value, ParsingEvent at)
    {
        foreach (var source in value is SequenceNode several ? several.Items : [value])
        {
            if (source is not MappingNode mapping) throw Fault(at, $"<< merges a mapping or a list of mappings, not {source.Description}");

            foreach (var (name, inherited) in mapping.Entries) entries.TryAdd(name, inherited);
        }
    }

    private static bool IsPlain(Scalar scalar) => scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty;

    private static ScalarKind KindOf(string plain) => plain switch
    {
        "" or "~" or "null" or "Null" or "NULL" => ScalarKind.Null,
        "true" or "True" or "TRUE" or "false" or "False" or "FALSE" => ScalarKind.Boolean,
        _ => Number().IsMatch(plain) ? ScalarKind.Number : ScalarKind.Text,
    };

    private static int LineOf(ParsingEvent at) => (int)at.Start.Line;

    private static YamlException Fault(ParsingEvent at, string message) => new(at.Start, at.End, message);

    // The core schema of YAML 1.2. \z because $ would also accept a line break at the end.
    [GeneratedRegex(@"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z")]
    private static partial Regex Number();
}
