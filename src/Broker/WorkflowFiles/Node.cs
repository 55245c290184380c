namespace Broker.WorkflowFiles;

internal enum ScalarKind
{
    Null,
    Boolean,
    Number,
    Text,
}

/// <summary>Tree of a workflow file, made from YAML or JSON; the format is read from it.</summary>
internal abstract class Node
{
    /// <summary>Nodes and characters below, counting what aliases repeat: the cost of walking it all.</summary>
    public abstract long Weight { get; }

    /// <summary>For messages: "must be text, not a list".</summary>
    public abstract string Description { get; }

    public bool IsNull => this is ScalarNode { Kind: ScalarKind.Null };
}

/// <summary>A scalar by its text, as written: <c>1.0</c> stays <c>1.0</c>.</summary>
internal sealed class ScalarNode(string text, ScalarKind kind) : Node
{
    public string Text => text;

    public ScalarKind Kind => kind;

    public override long Weight => 1 + text.Length;

    public override string Description => kind switch
    {
        ScalarKind.Null => "nothing",
        ScalarKind.Boolean => $"the boolean {text}",
        ScalarKind.Number => $"the number {text}",
        ScalarKind.Text => "text",
    };
}

internal sealed class SequenceNode(IReadOnlyList<Node> items) : Node
{
    public IReadOnlyList<Node> Items => items;

    public override long Weight { get; } = 1 + items.Sum(i => i.Weight);

    public override string Description => "a list";
}

/// <summary>Keys in file order. A key that comes twice keeps its first place and its last value.</summary>
internal sealed class MappingNode(OrderedDictionary<string, Node> entries) : Node
{
    public OrderedDictionary<string, Node> Entries => entries;

    public override long Weight { get; } = 1 + entries.Sum(e => e.Key.Length + e.Value.Weight);

    public override string Description => "a mapping";
}
