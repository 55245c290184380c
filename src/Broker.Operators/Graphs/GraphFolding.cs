namespace Broker.Operators.Graphs;

/// <summary>
/// Vertices of a drawing: single steps, or stacks of steps with the same predecessors and successors. They are numbered in order of their first
/// step's name, so that nothing that follows depends on the order of the definition.
/// </summary>
internal sealed class GraphFolding
{
    private GraphFolding(IReadOnlyList<IReadOnlyList<int>> members, int[] vertexOf) => (Members, VertexOf) = (members, vertexOf);

    /// <summary>Steps of each vertex, in order of their names.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Members { get; }

    /// <summary>The vertex of each step.</summary>
    public int[] VertexOf { get; }

    public static GraphFolding Of(IReadOnlyList<GraphNode> nodes, int? fold)
    {
        var byName = Enumerable.Range(0, nodes.Count).ToArray();
        Array.Sort(byName, (a, b) => string.CompareOrdinal(nodes[a].Name, nodes[b].Name));
        var groups = fold is { } most ? Alike(nodes, byName).Where(group => group.Count > most).ToList() : [];
        var stackOf = new Dictionary<int, IReadOnlyList<int>>();
        foreach (var group in groups)
        {
            foreach (var step in group) stackOf[step] = group;
        }

        var (members, vertexOf) = (new List<IReadOnlyList<int>>(), new int[nodes.Count]);
        foreach (var step in byName)
        {
            // The members of a stack come with its first one.
            var own = stackOf.GetValueOrDefault(step) ?? [step];
            if (own[0] != step) continue;
            foreach (var member in own) vertexOf[member] = members.Count;
            members.Add(own);
        }

        return new(members, vertexOf);
    }

    private static IEnumerable<List<int>> Alike(IReadOnlyList<GraphNode> nodes, int[] byName)
    {
        var predecessors = new List<int>[nodes.Count];
        for (var i = 0; i < nodes.Count; i++) predecessors[i] = [];
        for (var i = 0; i < nodes.Count; i++)
        {
            foreach (var next in nodes[i].Successors.Distinct()) predecessors[next].Add(i);
        }

        // A step that leads to itself is unlike all others, since its neighbours hold itself.
        return byName.GroupBy(step => $"{nodes[step].Kind}|{string.Join(',', predecessors[step].Order())}|{string.Join(',', nodes[step].Successors.Distinct().Order())}", StringComparer.Ordinal)
            .Select(group => group.ToList());
    }
}
