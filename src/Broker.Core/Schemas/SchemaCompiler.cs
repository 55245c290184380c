using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Broker.Core.Schemas;

/// <summary>Turns a schema document into linked nodes. Works from a queue, so neither nesting nor chains of references use the stack.</summary>
internal sealed class SchemaCompiler(JsonElement root)
{
    private const int MaxProblems = 50;

    private readonly Dictionary<string, SchemaNode> nodes = new(StringComparer.Ordinal);
    private readonly Queue<(SchemaNode Node, JsonElement Schema)> pending = new();
    private readonly LocalReferences references = new(root);
    private readonly List<string> problems = [];

    public PatternCompiler Patterns { get; } = new();

    public IReadOnlyList<string> Problems => problems;

    public SchemaNode Compile()
    {
        var node = NodeAt(root, "");
        while (pending.TryDequeue(out var next) && problems.Count < MaxProblems) Fill(next.Node, next.Schema);
        if (problems.Count == 0 && LoopCheck.Find(nodes.Values) is { } problem) Problem("#" + problem.Pointer, problem.Message);
        return node;
    }

    public void Problem(string at, string message)
    {
        if (problems.Count < MaxProblems) problems.Add($"{at}: {message}");
    }

    /// <summary>The node of the schema at a pointer; it is filled later, and only once.</summary>
    public SchemaNode NodeAt(JsonElement schema, string pointer)
    {
        if (nodes.TryGetValue(pointer, out var known)) return known;
        var node = new SchemaNode(pointer);
        nodes.Add(pointer, node);
        pending.Enqueue((node, schema));
        return node;
    }

    public bool Resolve(string reference, [NotNullWhen(true)] out SchemaNode? node, out string problem)
    {
        node = null;
        if (!references.TryFind(reference, out var target, out var pointer, out problem)) return false;
        node = NodeAt(target, pointer);
        return true;
    }

    private void Fill(SchemaNode node, JsonElement schema)
    {
        switch (schema.ValueKind)
        {
            case JsonValueKind.True:
                break;
            case JsonValueKind.False:
                node.Rules = [NothingRule.Instance];
                break;
            case JsonValueKind.Object:
                FillFromObject(node, schema);
                break;
            default:
                Problem("#" + node.Pointer, "a schema must be an object, true or false");
                break;
        }
    }

    private void FillFromObject(SchemaNode node, JsonElement schema)
    {
        var reader = new SchemaReader(this, schema, node.Pointer);
        // A nested $id would move the root that local references start from.
        if (node.Pointer.Length > 0 && reader.TryTake("$id", out _)) reader.Problem("$id", "is supported at the root only");
        foreach (var container in Keywords.Containers) reader.Named(container);

        // The type comes first: once it is wrong, nothing else is looked at.
        Rule?[] rules =
        [
            TypeRule.Read(reader), EnumRule.Read(reader), NumberRule.Read(reader), StringRule.Read(reader), ArrayRule.Read(reader),
            ObjectRule.Read(reader), ReferenceRule.Read(reader), AllOfRule.Read(reader), UnionRule.Read(reader, "anyOf"),
            UnionRule.Read(reader, "oneOf"), NotRule.Read(reader), ConditionRule.Read(reader), DependentSchemasRule.Read(reader),
        ];
        node.Rules = [.. rules.OfType<Rule>()];

        foreach (var keyword in reader.Unread.Where(keyword => !Keywords.IsAnnotation(keyword)))
            reader.Problem(keyword, "this keyword is not supported, so values could not be judged");
    }
}
