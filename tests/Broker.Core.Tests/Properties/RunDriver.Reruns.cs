using Broker.Core.Conditions;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Tests.Properties;

/// <summary>Retries, forks and cancels with a grace time.</summary>
internal sealed partial class RunDriver
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private void CancelGently()
    {
        now = now.AddMilliseconds(1);
        var (wasTerminal, wasCancelling) = (Run.Run.IsTerminal, Run.Run.IsCancelling);
        var session = Run.Open(Run.Active);
        var verdict = session.Cancel(now, Grace);
        Run.Save(session);
        var cleansUp = definition.HasConditions;
        Violation.If(verdict is ControlVerdict.Terminal != wasTerminal, $"a gentle cancel was {verdict}");
        Violation.If(verdict is ControlVerdict.NoChange != (cleansUp && wasCancelling && !wasTerminal), $"a second gentle cancel was {verdict}");
        Violation.If(!cleansUp && !wasTerminal && Run.Run.Phase is not RunPhase.Cancelled, "invariant 25: a run without conditions goes on after a cancel");
        Violation.If(verdict is ControlVerdict.Done && !Run.Run.IsTerminal && Run.Run.Deadline > now + Grace, "invariant 25: a cancel has no end");
    }

    private void CancellingChecks()
    {
        if (Run.Run.CancelledAt is not { } cancelled) return;
        Violation.If(Run.Run.IsTerminal && Run.Run.Phase is not RunPhase.Cancelled, $"invariant 25: a run that was cancelled is {Run.Run.Phase}");
        Violation.If(Run.Active.Any(step => ConditionOf(step.Index) is null), "invariant 25: a step without a condition is open after a cancel");
        foreach (var step in definition.Steps.Where(step => step.When is not null))
        {
            var row = Run.Rows.GetValueOrDefault(step.Index);
            if (row is { Status: StepStatus.Cancelled } || row?.QueuedAt < cancelled || (row is null && Run.Run.IsTerminal)) continue;

            // In a cycle a step is before itself. Its condition was decided before its own end, and before the ends of the steps behind it.
            var before = Run.Rows.Where(other => other.Key != step.Index && !(other.Value.EndedAt > row?.QueuedAt)).ToDictionary();
            var runs = ReferenceConditions.Runs(definition, step, before, isCancelled: true);
            Violation.If(runs is { } decided && (row is null || row.Status is not StepStatus.NotRun != decided), $"invariant 25: step {step.Index} is {row?.Status}, should run: {runs}");
        }
    }

    // An item runs under the condition of its map.
    private Expression? ConditionOf(int index) => definition.Steps[index < StepDefinition.FirstDynamic ? index : definition.MapOf(index).Index].When;

    private void Rerun(Command command)
    {
        if (!Run.Run.IsTerminal || definition.Steps.IsEmpty) return;
        int[]? from = command.Detail % 3 == 0 ? [command.Pick % definition.Steps.Length] : null;
        var plan = RerunPlan.Of(definition, [.. Run.OfDefinition], from);
        if (from is null && plan.Again.Count == 0) return;

        var old = Run;
        PlanChecks(old, plan, from);
        var voided = old.Open(old.Rows.Values);
        voided.VoidLeases();
        old.Save(voided);
        var image = old.Image;
        now = now.AddMilliseconds(1);
        var undelivered = old.Undelivered.ToList();
        var fresh = new RunState { Id = runs.Count + 1, Definition = definition, Streams = true, CreatedAt = now, UpdatedAt = now, InboxCount = undelivered.Count };
        var run = new StoredRun(fresh, undelivered, plan.Kept, writing, ItemsOf(old, plan));
        run.Save(RunSession.Rerun(fresh, keeping(plan.Kept), undelivered, now, resumed: plan.Resumed));
        runs.Add(run);
        fates = [];
        Violation.If(old.Image != image, "invariant 24: a retry changed the earlier run");
        foreach (var kept in plan.Kept.Where(kept => mapsByHand.Contains((old.Run.Id, kept.Index)))) mapsByHand.Add((run.Run.Id, kept.Index));
        foreach (var kept in plan.Kept)
            Violation.If(run.Rows.GetValueOrDefault(kept.Index) != kept, $"invariant 24: the kept step {kept.Index} is another one in the new run");
        Violation.If(run.Active.Any(step => plan.Kept.Any(kept => kept.Index == step.Index)), "invariant 24: a kept step runs again");
    }

    // Of a map that is kept all items, of one that goes on those that have finished.
    private IEnumerable<StepState> ItemsOf(StoredRun old, RerunPlan plan) => old.Rows.Values.Where(step => step.Index >= StepDefinition.FirstDynamic
        && definition.MapOf(step.Index).Index is var map
        && (plan.Kept.Any(kept => kept.Index == map) ? step.IsTerminal : plan.Resumed.ContainsKey(map) && step.IsFinished));

    private void PlanChecks(StoredRun old, RerunPlan plan, int[]? from)
    {
        var kept = plan.Kept.Select(step => step.Index).ToHashSet();
        bool Chosen(StepState row) => from?.Contains(row.Index) is true
            || row.Status is StepStatus.Cancelled || (row.Status is StepStatus.Failed && !definition.RulesOf(row.Index).Optional);
        bool Follows(int index, HashSet<int> seen) => definition.RulesOf(index).Predecessors.Where(seen.Add).Any(p =>
            (old.Rows.TryGetValue(p, out var row) ? Chosen(row) : from?.Contains(p) is true) || Follows(p, seen));
        foreach (var row in old.OfDefinition)
        {
            var again = Chosen(row) || Follows(row.Index, []);
            Violation.If(again == kept.Contains(row.Index), $"invariant 24: step {row.Index} ({row.Status}) is {(again ? "kept and follows a step that runs again" : "not kept without a reason")}");
        }
    }
}
