namespace Broker.Core.Schemas;

/// <summary>Finds schemas that apply themselves to the same value again, which would never end, and chains too long for the stack.</summary>
internal static class LoopCheck
{
    private const int LongestChain = 128;

    public static (string Pointer, string Message)? Find(IEnumerable<SchemaNode> nodes)
    {
        var heights = new Dictionary<SchemaNode, int>();
        foreach (var node in nodes)
        {
            if (Walk(node, 1, heights) is { } problem) return problem;
        }

        return null;
    }

    // Height 0 marks a node whose walk is still open.
    private static (string Pointer, string Message)? Walk(SchemaNode node, int depth, Dictionary<SchemaNode, int> heights)
    {
        if (heights.TryGetValue(node, out var known) && known == 0) return (node.Pointer, "refers back to itself without looking into the value");
        if (depth + known > LongestChain) return (node.Pointer, $"more than {LongestChain} references and combinations follow one another");
        if (known > 0) return null;

        heights[node] = 0;
        var height = 1;
        foreach (var next in node.Rules.SelectMany(rule => rule.InPlace))
        {
            if (Walk(next, depth + 1, heights) is { } problem) return problem;
            height = Math.Max(height, heights[next] + 1);
        }

        heights[node] = height;
        return null;
    }
}
