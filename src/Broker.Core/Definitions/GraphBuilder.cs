using System.Collections.Frozen;
using System.Collections.Immutable;
using Broker.Core.Graphs;

namespace Broker.Core.Definitions;

/// <summary>Resolves names to indexes, finds back edges and refuses graphs in which a step can never start.</summary>
internal static class GraphBuilder
{
    private static readonly FrozenSet<int> NoSteps = [];

    public static ImmutableArray<StepDefinition> Build(IReadOnlyList<StepDraft> drafts, ProblemList problems)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < drafts.Count; i++) index[drafts[i].Name] = i;

        var edges = new Edges(drafts, index, problems);
        if (problems.Any) return [];

        var back = BackEdges(edges, drafts, problems);
        if (problems.Any) return [];

        var steps = new StepDefinition[drafts.Count];
        for (var i = 0; i < steps.Length; i++) steps[i] = Resolve(i, drafts[i], edges, back);

        var dependents = new List<int>[steps.Length];
        foreach (var step in steps)
        {
            foreach (var predecessor in step.Predecessors) (dependents[predecessor] ??= []).Add(step.Index);
        }

        foreach (var step in steps) step.Dependents = dependents[step.Index] is { } below ? [.. below] : [];

        RefuseUnreachable(steps, problems);
        return [.. steps];
    }

    private static StepDefinition Resolve(int i, StepDraft draft, Edges edges, HashSet<(int From, int To)> back)
    {
        bool Counts(int predecessor) => !back.Contains((predecessor, i));

        // A group keeps members that lead back: workers look for the value under the first one listed (broker contract 4.4).
        // A group without any other member can never be met, so it is dropped.
        var groups = edges.Groups[i].Where(g => g.Members.Any(Counts)).Select(g => new AnyOfGroup(g.Name, [.. g.Members])).ToImmutableArray();
        var grouped = groups.IsEmpty ? NoSteps : groups.SelectMany(g => g.Members).ToFrozenSet();
        var predecessors = edges.Predecessors[i].Where(p => Counts(p) || grouped.Contains(p)).ToImmutableArray();
        return new StepDefinition
        {
            Index = i,
            Name = draft.Name,
            Kind = draft.Kind,
            Successors = edges.Successors[i],
            Predecessors = predecessors,
            Plain = groups.IsEmpty ? predecessors : [.. predecessors.Where(p => !grouped.Contains(p))],
            AnyOf = groups,
            NeedsSuccess = draft.DependsOn is not null,
            When = draft.When,
            Optional = draft.Optional,
            FailFast = draft.FailFast,
            Command = draft.Command,
            RequiredLabels = [.. draft.RequiredLabels.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Priority = draft.Priority,
            Retry = draft.Retry,
            LeaseSecs = draft.LeaseSecs,
            BudgetSecs = draft.BudgetSecs,
            TimeoutMs = draft.TimeoutMs,
            Timeouts = draft.Timeouts,
            EventType = draft.EventType,
            DurationMs = draft.DurationMs,
            Emits = [.. draft.Emits],
            Accepts = [.. draft.Accepts],
            DisplayJson = draft.DisplayJson,
        };
    }

    // Depth first from the roots in order of definition; iterative, since a chain of ten thousand steps is a legal graph.
    private static HashSet<(int From, int To)> BackEdges(Edges edges, IReadOnlyList<StepDraft> drafts, ProblemList problems)
    {
        var back = new HashSet<(int, int)>();
        var colour = new byte[drafts.Count];
        var path = new Stack<(int Step, int Next)>();
        var roots = Enumerable.Range(0, drafts.Count).Where(i => edges.Predecessors[i].Count == 0)
            .Concat(Enumerable.Range(0, drafts.Count).Where(i => drafts[i].DependsOn is not null));
        foreach (var root in roots)
        {
            if (colour[root] != 0) continue;
            colour[root] = 1;
            path.Push((root, 0));
            while (path.TryPop(out var at))
            {
                var targets = edges.Targets[at.Step];
                if (at.Next == targets.Count)
                {
                    colour[at.Step] = 2;
                    continue;
                }

                path.Push((at.Step, at.Next + 1));
                var to = targets[at.Next];
                if (colour[to] == 0)
                {
                    colour[to] = 1;
                    path.Push((to, 0));
                }
                else if (colour[to] == 1)
                {
                    if (drafts[to].DependsOn is not null)
                    {
                        var cycle = path.Select(p => p.Step).TakeWhile(s => s != to).Reverse().Prepend(to).Append(to).Select(s => drafts[s].Name);
                        problems.Add($"steps.{drafts[to].Name}.depends_on", $"is part of a cycle: {string.Join(" → ", cycle)}");
                        return back;
                    }

                    back.Add((at.Step, to));
                }
            }
        }

        return back;
    }

    private static void RefuseUnreachable(StepDefinition[] steps, ProblemList problems)
    {
        var startable = new bool[steps.Length];
        var queue = new Queue<int>();
        void Start(int step)
        {
            if (startable[step]) return;
            startable[step] = true;
            queue.Enqueue(step);
        }

        var waiting = new int[steps.Length];
        foreach (var step in steps)
        {
            // Plain predecessors count one each, each group counts one until its first startable member.
            waiting[step.Index] = step.Plain.Length + step.AnyOf.Length;
            if (waiting[step.Index] == 0) Start(step.Index);
        }

        var groupDone = new HashSet<(int, int)>();
        while (queue.TryDequeue(out var index))
        {
            foreach (var below in steps[index].Dependents)
            {
                var step = steps[below];
                if (step.Plain.Contains(index)) waiting[below]--;
                for (var g = 0; g < step.AnyOf.Length; g++)
                {
                    if (step.AnyOf[g].Members.Contains(index) && groupDone.Add((below, g))) waiting[below]--;
                }

                if (waiting[below] == 0) Start(below);
            }
        }

        foreach (var step in steps)
        {
            if (!startable[step.Index]) problems.Add($"steps.{step.Name}", "can never start: what it waits for can never finish");
        }
    }

    /// <summary>The edges as indexes: successors by action, everything that leads here, any-of groups.</summary>
    private sealed class Edges
    {
        // Shared: most steps of a wide graph have nothing of their own here, and 20,000 empty collections of each kind are 10 MB.
        private static readonly Dictionary<string, ImmutableArray<int>> NoBranches = new(StringComparer.Ordinal);
        private static readonly List<(string, List<int>)> NoGroups = [];
        private static readonly List<int> None = [];

        public Edges(IReadOnlyList<StepDraft> drafts, Dictionary<string, int> index, ProblemList problems)
        {
            var successors = new Dictionary<string, List<int>>?[drafts.Count];
            var incoming = new List<int>?[drafts.Count];
            var known = new HashSet<int>?[drafts.Count];
            Groups = new List<(string, List<int>)>[drafts.Count];

            for (var i = 0; i < drafts.Count; i++)
            {
                var draft = drafts[i];
                var path = $"steps.{draft.Name}";
                List<int> Resolve(string member, IReadOnlyList<string> names)
                {
                    if (names.Count == 0) return [];
                    var found = new List<int>(names.Count);
                    var once = new HashSet<int>();
                    foreach (var name in names)
                    {
                        if (!index.TryGetValue(name, out var to)) problems.Add($"{path}.{member}", $"names the step '{name}', which does not exist");
                        else if (once.Add(to)) found.Add(to);
                    }

                    return found;
                }

                void Precede(int from, int to)
                {
                    if ((known[to] ??= []).Add(from)) (incoming[to] ??= []).Add(from);
                }

                foreach (var from in Resolve("predecessors", draft.Predecessors)) Precede(from, i);
                foreach (var from in Resolve("depends_on", draft.DependsOn ?? []))
                {
                    Precede(from, i);
                    var branches = successors[from] ??= [];
                    if (!branches.TryGetValue(StepDefinition.DefaultAction, out var plain)) branches[StepDefinition.DefaultAction] = plain = [];
                    if (!plain.Contains(i)) plain.Add(i);
                }

                foreach (var (action, names) in draft.Successors)
                {
                    // Steps above that depend on this one have put themselves among its plain successors.
                    var declared = Resolve($"successors.{action}", names);
                    var branches = successors[i] ??= [];
                    branches[action] = branches.TryGetValue(action, out var depending) ? [.. declared.Union(depending)] : declared;
                    foreach (var to in declared) Precede(i, to);
                }

                Groups[i] = draft.AnyOf.Count == 0 ? NoGroups : [.. draft.AnyOf.Select(g => (g.Key, Resolve($"or_groups.{g.Key}", g.Value)))];
                if (Groups[i].Count > JoinSet.MaxGroups) problems.Add($"{path}.or_groups", $"has more than {JoinSet.MaxGroups} groups");
                foreach (var (name, members) in Groups[i])
                {
                    if (members.Count == 0) problems.Add($"{path}.or_groups.{name}", "is empty: no step could ever satisfy it");
                    foreach (var member in members) Precede(member, i);
                }
            }

            Predecessors = [.. incoming.Select(list => list ?? None)];
            Successors = [.. successors.Select(s => s is null ? NoBranches : s.ToDictionary(e => e.Key, e => e.Value.ToImmutableArray(), StringComparer.Ordinal))];
            Targets = [.. successors.Select(s => s is null ? None : [.. s.Values.SelectMany(v => v).Distinct()])];
            if (problems.Any) return;

            // A predecessor none of whose actions leads to the step could never choose it.
            for (var i = 0; i < drafts.Count; i++)
            {
                if (Predecessors[i].Count > 0 && !Predecessors[i].Any(from => Targets[from].Contains(i)))
                    problems.Add($"steps.{drafts[i].Name}", "can never start: no predecessor has it among its successors");
            }
        }

        public List<int>[] Predecessors { get; }
        public Dictionary<string, ImmutableArray<int>>[] Successors { get; }
        public List<int>[] Targets { get; }
        public List<(string Name, List<int> Members)>[] Groups { get; }
    }
}
