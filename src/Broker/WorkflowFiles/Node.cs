namespace Broker.WorkflowFiles;

internal enum ScalarKind
{
    Null,
    Boolean,
    Number,
    Text,
}

/// <summary>Tree of a workflow file, made from YAML or JSON; the format is read from it.</summary>
/// <param name="line">Line of the file where the node begins, from 1.</param>
internal abstract class Node(int line)
{
    public int Line => line;

    /// <summary>Nodes and characters below, counting what aliases repeat: the cost of walking it all.</summary>
    public abstract long Weight { get; }

    /// <summary>For messages: "must be text, not a list".</summary>
    public abstract string Description { get; }

    public bool IsNull => this is ScalarNode { Kind: ScalarKind.Null };
}

/// <summary>A scalar by its text, as written: <c>1.0</c> stays <c>1.0</c>.</summary>
internal sealed class ScalarNode(string text, ScalarKind kind, int line) : Node(line)
{
    public string Text => text;

    public ScalarKind Kind => kind;

    /// <summary>The lines of the text are lines of the file, below the one where the node begins: YAML's <c>|</c>.</summary>
    public bool IsLiteral { get; init; }

    public override long Weight => 1 + text.Length;

    public override string Description => kind switch
    {
        ScalarKind.Null => "nothing",
        ScalarKind.Boolean => $"the boolean {text}",
        ScalarKind.Number => $"the number {text}",
        ScalarKind.Text => "text",
    };

    /// <summary>The file's line of a place in the text, as near as the format allows.</summary>
    public int LineAt(int place) => IsLiteral ? Line + 1 + text.AsSpan(0, place).Count('\n') : Line;
}

internal sealed class SequenceNode(IReadOnlyList<Node> items, int line) : Node(line)
{
    public IReadOnlyList<Node> Items => items;

    public override long Weight { get; } = 1 + items.Sum(i => i.Weight);

    public override string Description => "a list";
}

/// <summary>A value of a mapping, with the line of its key.</summary>
internal readonly record struct MappingEntry(Node Value, int Line);

/// <summary>Keys in file order. A key that comes twice keeps its first place and its last value.</summary>
internal sealed class MappingNode(OrderedDictionary<string, MappingEntry> entries, int line) : Node(line)
{
    public OrderedDictionary<string, MappingEntry> Entries => entries;

    public override long Weight { get; } = 1 + entries.Sum(e => e.Key.Length + e.Value.Value.Weight);

    public override string Description => "a mapping";
}
