namespace Broker.Operators.Graphs;

/// <summary>Examples of the records of graphs.</summary>
internal static class GraphExamples
{
    public const string GraphGeometry = """
        {"width": 400, "height": 32, "node_width": 160, "node_height": 32, "x": [0, 240], "y": [0, 0], "label": ["checkout", "test"], "kind": ["task", "task"],
         "edges": [[0, 1, 160, 16, 240, 16]], "stacks": []}
        """;
}
