using System.Collections.Concurrent;

namespace Broker.Storage.Diagnostics;

/// <summary>
/// Values of the label <c>workflow</c> of counters. Names are the clients' choice, and a series is kept as long as the broker runs. The first workflows get
/// a series each, all others share one.
/// </summary>
internal sealed class WorkflowLabels
{
    /// <summary>Workflows with a series of their own.</summary>
    public const int Most = 200;

    /// <summary>Label of all others.</summary>
    public const string Others = "(others)";

    private readonly ConcurrentDictionary<string, string> known = new(StringComparer.Ordinal);

    /// <summary>The label of a workflow.</summary>
    public string Of(string workflow)
    {
        if (known.TryGetValue(workflow, out var label)) return label;
        return known.Count < Most ? known.GetOrAdd(workflow, workflow) : Others;
    }
}
