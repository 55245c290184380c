using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Broker.Core.Definitions;

namespace Broker.Core.Graphs;

/// <summary>A join that a predecessor has reached, with the predecessors that it still waits for.</summary>
/// <param name="Step">The step below the join.</param>
/// <param name="Unfinished">Predecessors, of any kind, that have not finished.</param>
/// <param name="Plain">Predecessors outside any-of groups that have not finished.</param>
/// <param name="Groups">Bit g set: any-of group g has a finished member.</param>
/// <param name="Fired">The step was made ready; later members must not do so again.</param>
public readonly record struct Join(int Step, int Unfinished, int Plain, ulong Groups, bool Fired)
{
    public bool IsSatisfiedFor(StepDefinition step) => Plain == 0 && ulong.PopCount(Groups) == (ulong)step.AnyOf.Length;
}

/// <summary>
/// The open joins of a run, kept in the run's row. Finishing a step moves a counter and reads no other predecessor, so it costs the same
/// below a join of 10 steps as of 10,000. A join leaves the set when it can no longer change.
/// </summary>
public sealed class JoinSet
{
    /// <summary>Any-of groups of one step, at most: they are bits of one number.</summary>
    public const int MaxGroups = 64;

    public static JoinSet Empty { get; } = new(ImmutableSortedDictionary<int, Join>.Empty);

    private readonly ImmutableSortedDictionary<int, Join> joins;

    private JoinSet(ImmutableSortedDictionary<int, Join> joins) => this.joins = joins;

    public int Count => joins.Count;

    /// <summary>
    /// Counts a finished step at every join below it, and returns the chosen successors that become ready by that. Rules:
    /// broker contract 4.3; a step becomes ready at most once a run.
    /// </summary>
    public (JoinSet Next, ImmutableArray<int> Ready) Finish(WorkflowDefinition definition, StepDefinition finished, string? branch, bool succeeded)
    {
        var next = joins;
        var chosen = finished.Chosen(branch);
        ImmutableArray<int>.Builder? ready = null;
        foreach (var below in finished.Dependents)
        {
            var step = definition.Steps[below];
            if (step.NeedsSuccess && !succeeded) continue;

            var isChosen = chosen.Contains(below);
            if (step.Predecessors.Length == 1)
            {
                if (isChosen) (ready ??= ImmutableArray.CreateBuilder<int>()).Add(below);
                continue;
            }

            var join = Counted(next.TryGetValue(below, out var known) ? known : Fresh(step), step, finished.Index);
            if (isChosen && !join.Fired && join.IsSatisfiedFor(step))
            {
                (ready ??= ImmutableArray.CreateBuilder<int>()).Add(below);
                join = join with { Fired = true };
            }

            next = join.Unfinished == 0 ? next.Remove(below) : next.SetItem(below, join);
        }

        return (ReferenceEquals(next, joins) ? this : new JoinSet(next), ready?.ToImmutable() ?? []);
    }

    private static Join Fresh(StepDefinition step) => new(step.Index, step.Predecessors.Length, step.Plain.Length, 0, false);

    private static Join Counted(Join join, StepDefinition step, int finished)
    {
        var groups = join.Groups;
        for (var g = 0; g < step.AnyOf.Length; g++)
        {
            if (step.AnyOf[g].Members.Contains(finished)) groups |= 1UL << g;
        }

        return join with
        {
            Unfinished = join.Unfinished - 1,
            Plain = step.Plain.Contains(finished) ? join.Plain - 1 : join.Plain,
            Groups = groups,
        };
    }

    /// <summary>The stored form, null when empty: <c>step,unfinished,plain,groups,fired;…</c></summary>
    public string? Write()
    {
        if (joins.IsEmpty) return null;
        var text = new StringBuilder();
        foreach (var (_, join) in joins)
        {
            if (text.Length > 0) text.Append(';');
            text.Append(CultureInfo.InvariantCulture, $"{join.Step},{join.Unfinished},{join.Plain},{join.Groups:x},{(join.Fired ? 1 : 0)}");
        }

        return text.ToString();
    }

    public static JoinSet Read(string? stored)
    {
        if (string.IsNullOrEmpty(stored)) return Empty;
        var joins = ImmutableSortedDictionary.CreateBuilder<int, Join>();
        foreach (var part in stored.Split(';'))
        {
            var fields = part.Split(',');
            var step = int.Parse(fields[0], CultureInfo.InvariantCulture);
            joins[step] = new Join(
                step,
                int.Parse(fields[1], CultureInfo.InvariantCulture),
                int.Parse(fields[2], CultureInfo.InvariantCulture),
                ulong.Parse(fields[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                fields[4] == "1");
        }

        return new JoinSet(joins.ToImmutable());
    }
}
