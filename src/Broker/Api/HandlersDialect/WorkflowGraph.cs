using Broker.Core.Definitions;
using Broker.Http;

namespace Broker.Api.HandlersDialect;

/// <summary>A workflow drawn as steps and events: the union of what both generations of clients read (handlers contract 11).</summary>
internal static class WorkflowGraph
{
    private const string External = "external_step";
    private const string InputRequired = "InputRequiredEvent";
    private const string HumanResponse = "HumanResponseEvent";

    public static WorkflowGraphDto Of(WorkflowDefinition definition)
    {
        var asks = definition.Events.All.Where(e => Is(e, InputRequired)).ToList();
        List<GraphNodeDto> nodes = [.. definition.Steps.Select(step => Node(step.Name, "step")), .. definition.Events.All.Select(known => Node(definition, known))];
        var edges = StepEdges(definition).ToList();
        if (asks.Count > 0)
        {
            nodes.Add(Node(External, "external"));
            edges.AddRange(asks.Select(ask => new GraphEdgeDto(IdOf(definition, ask.Name), External, null)));
            edges.AddRange(definition.Events.All.Where(e => Is(e, HumanResponse)).Select(answer => new GraphEdgeDto(External, IdOf(definition, answer.Name), null)));
        }

        return new(new(definition.Name, null, nodes, edges));
    }

    private static IEnumerable<GraphEdgeDto> StepEdges(WorkflowDefinition definition)
    {
        var results = definition.ResultSteps.ToHashSet();
        foreach (var root in definition.Roots) yield return new(IdOf(definition, definition.Events.Start), definition.Steps[root].Name, null);
        foreach (var step in definition.Steps)
        {
            var taken = step.EventType is null ? step.Accepts : [step.EventType, .. step.Accepts];
            foreach (var type in taken.Distinct(StringComparer.Ordinal)) yield return new(IdOf(definition, type), step.Name, null);
            foreach (var type in step.Emits.Distinct(StringComparer.Ordinal)) yield return new(step.Name, IdOf(definition, type), null);
            foreach (var (action, targets) in step.Successors.OrderBy(branch => branch.Key, StringComparer.Ordinal))
            {
                var label = action == StepDefinition.DefaultAction ? null : action;
                foreach (var target in targets) yield return new(step.Name, definition.Steps[target].Name, label);
            }

            if (results.Contains(step.Index) && !step.Emits.Contains(definition.Events.Stop)) yield return new(step.Name, IdOf(definition, definition.Events.Stop), null);
        }
    }

    private static GraphNodeDto Node(string name, string kind) => new(name, name, kind, null, null, null, null, new JsonPassThrough(null));

    private static GraphNodeDto Node(WorkflowDefinition definition, EventDefinition known) => new(
        IdOf(definition, known.Name), known.Name, "event", null, known.Name, [known.Name, .. known.Types], new JsonPassThrough(known.SchemaJson), null);

    private static bool Is(EventDefinition known, string kind) => known.Name == kind || known.Types.Contains(kind);

    // Nodes share one space of ids, and a step may be called like an event.
    private static string IdOf(WorkflowDefinition definition, string type) => definition.Find(type) is null && type != External ? type : $"{type} (event)";
}
