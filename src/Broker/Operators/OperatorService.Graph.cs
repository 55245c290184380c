using System.Collections.Concurrent;
using Broker.Auth;
using Broker.Operators.Graphs;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    // Some hundred kilobytes for a definition of thousands of steps.
    private const int MostGraphs = 50;

    private readonly ConcurrentDictionary<(string Fingerprint, int Fold), GraphGeometry> graphs = new();

    public async Task<GraphGeometry> GetGraphAsync(string fingerprint, int? fold, CancellationToken ct)
    {
        // Also for a kept graph: the caller may not know its workflow.
        var known = (await definitions.WithFingerprintAsync(fingerprint, ct)).FirstOrDefault(definition => Caller.Current.Knows(definition.Name));
        if (known is null) throw OperatorException.NotFound($"There is no definition with the fingerprint '{fingerprint}'.");
        var key = (fingerprint, fold ?? GraphLayout.UsualFold);
        if (graphs.TryGetValue(key, out var graph)) return graph;
        if (graphs.Count >= MostGraphs) graphs.Clear();
        return graphs[key] = GraphLayout.Of([.. known.Steps.Select(step => new GraphNode(step.Name, RunWords.Of(step.Kind), step.Dependents))], key.Item2);
    }
}
