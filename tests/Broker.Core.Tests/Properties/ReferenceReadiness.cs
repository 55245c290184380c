using System.Collections.Immutable;
using Broker.Core.Definitions;

namespace Broker.Core.Tests.Properties;

/// <summary>A step that has finished, with the text of its result if that is a string.</summary>
internal readonly record struct Finish(int Step, string? Branch, bool Succeeded);

/// <summary>
/// Reference for the reached steps: broker contract 4.3 applied from the beginning over all finishes in their order, without kept state.
/// <see cref="Core.Graphs.JoinSet"/> must give the same steps.
/// </summary>
internal static class ReferenceReadiness
{
    public static ImmutableSortedSet<int> Reached(WorkflowDefinition definition, IReadOnlyList<Finish> finishes)
    {
        var reached = definition.Steps.Where(s => s.Predecessors.Length == 0).Select(s => s.Index).ToHashSet();
        for (var i = 0; i < finishes.Count; i++)
        {
            var before = finishes.Take(i + 1).ToList();
            var edges = definition.Steps[finishes[i].Step].Successors;
            var chosen = finishes[i].Branch is { } branch && edges.TryGetValue(branch, out var named) ? named
                : edges.TryGetValue("default", out var plain) ? plain
                : [];
            foreach (var below in chosen.Select(c => definition.Steps[c]))
            {
                bool Finished(int step) => before.Any(f => f.Step == step && (f.Succeeded || !below.NeedsSuccess));

                // An edge that the reader has found to lead back is no predecessor, and starts nothing.
                if (!below.Predecessors.Contains(finishes[i].Step)) continue;
                var alone = below.Predecessors.Where(p => !below.AnyOf.Any(g => g.Members.Contains(p)));
                if (Finished(finishes[i].Step) && alone.All(Finished) && below.AnyOf.All(g => g.Members.Any(Finished))) reached.Add(below.Index);
            }
        }

        return [.. reached];
    }

    /// <summary>Steps that can never start, by going over all of them until nothing changes (broker contract 4.5).</summary>
    public static HashSet<int> Dead(WorkflowDefinition definition, IReadOnlySet<int> reached, IReadOnlySet<int> lost)
    {
        var dead = new HashSet<int>();
        bool Gone(int step) => dead.Contains(step) || lost.Contains(step);
        bool changed;
        do
        {
            changed = false;
            foreach (var step in definition.Steps)
            {
                var isDead = !reached.Contains(step.Index)
                    && step.When is null
                    && (step.Plain.Any(Gone) || step.AnyOf.Any(g => g.Members.All(Gone)));
                changed |= isDead && dead.Add(step.Index);
            }
        }
        while (changed);
        return dead;
    }
}
