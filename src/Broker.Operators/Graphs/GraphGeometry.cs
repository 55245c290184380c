namespace Broker.Operators.Graphs;

/// <summary>
/// The graph of a definition as it is drawn from left to right: a column of steps follows the columns of all their predecessors. Lengths are
/// pixels. It depends on the definition alone, so it never changes.
/// </summary>
/// <param name="Width">Width of the drawing.</param>
/// <param name="Height">Height of the drawing.</param>
/// <param name="NodeWidth">Width of each step.</param>
/// <param name="NodeHeight">Height of each step.</param>
/// <param name="X">For each step, in order of the definition, its left edge; steps of a stack share one place.</param>
/// <param name="Y">For each step its upper edge.</param>
/// <param name="Label">For each step its name.</param>
/// <param name="Kind">For each step task, wait_for_event or sleep.</param>
/// <param name="Edges">
/// Lines between places: the index of the step that a line leaves, of the step that it enters, then x and y of each point.
/// A stack has the index of its first step. No line runs under a step.
/// </param>
/// <param name="Stacks">Steps that are drawn as one, since they have the same predecessors and successors: indexes, in order of their names.</param>
public sealed record GraphGeometry(
    int Width, int Height, int NodeWidth, int NodeHeight, IReadOnlyList<int> X, IReadOnlyList<int> Y, IReadOnlyList<string> Label, IReadOnlyList<string> Kind,
    IReadOnlyList<IReadOnlyList<int>> Edges, IReadOnlyList<IReadOnlyList<int>> Stacks);

/// <summary>A step to draw.</summary>
/// <param name="Name">Name, unique in its graph.</param>
/// <param name="Kind">task, wait_for_event or sleep.</param>
/// <param name="Successors">Indexes of the steps that follow it; one that leads back is kept.</param>
public sealed record GraphNode(string Name, string Kind, IReadOnlyList<int> Successors);
