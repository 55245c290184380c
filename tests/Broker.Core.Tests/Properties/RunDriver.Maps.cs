using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Core.Tests.Properties;

/// <summary>Maps: windows, joins and ends (invariants 28 to 30).</summary>
internal sealed partial class RunDriver
{
    // An operator has ended these, with whatever value.
    private readonly HashSet<(long Run, int Map)> mapsByHand = [];

    private void MapChecks()
    {
        foreach (var map in definition.Maps)
        {
            var items = Run.Rows.Values.Where(step => map.Has(step.Index)).ToList();
            var step = Run.Rows.GetValueOrDefault(map.Index);
            Violation.If(step?.Items is null && items.Count > 0, $"invariant 28: map {map.Name} was not reached and has items");
            if (step?.Items is not { } progress) continue;

            var open = items.Count(item => item.IsActive);
            Violation.If(open > map.Window, $"invariant 28: {open} items of {map.Name} are open, {map.Window} may");
            Violation.If(step.Status is not StepStatus.Waiting && open > 0, $"invariant 30: map {map.Name} is {step.Status} and has {open} open items");
            if (step.Status is StepStatus.Waiting) WaitingChecks(map, progress, items, open);
            else if (step.Status is StepStatus.Succeeded && !mapsByHand.Contains((Run.Run.Id, map.Index))) SucceededChecks(map, step, items);
            else if (step is { Status: StepStatus.Failed, Error.Name: RunSession.ItemsFailedName } && !mapsByHand.Contains((Run.Run.Id, map.Index)))
                Violation.If(items.Count(item => item.Status is StepStatus.Failed) <= map.Tolerated, $"invariant 29: map {map.Name} failed, and its failures were tolerable");
        }
    }

    private static void WaitingChecks(MapDefinition map, MapProgress progress, List<StepState> items, int open)
    {
        Violation.If(!progress.IsRead, $"invariant 28: the list of {map.Name} was not read");
        Violation.If(progress.Open != open, $"invariant 28: map {map.Name} counts {progress.Open} open items and has {open}");
        Violation.If(progress.Succeeded != items.Count(item => item.IsFinished), $"invariant 29: map {map.Name} counts {progress.Succeeded} successes and has {items.Count(item => item.IsFinished)}");
        Violation.If(progress.Failed != items.Count(item => item.Status is StepStatus.Failed), $"invariant 29: map {map.Name} counts {progress.Failed} failures");
        Violation.If(progress.IsComplete, $"invariant 29: every item of {map.Name} has ended, and the map goes on");
        Violation.If(progress.Failed > map.Tolerated, $"invariant 29: {progress.Failed} items of {map.Name} have failed, and the map goes on");
        Violation.If(open < map.Window && !progress.IsExhausted, $"invariant 28: map {map.Name} has room for items and begins none");
        var begun = items.Select(item => MapDefinition.NumberOf(item.Index)).ToHashSet();
        Violation.If(Enumerable.Range(0, progress.Next).Any(number => !begun.Contains(number)), $"invariant 28: an item of {map.Name} was left out");
        Violation.If(begun.Any(number => number >= Math.Max(progress.Next, progress.KeptTo)), $"invariant 28: an item of {map.Name} began out of order");
    }

    private void SucceededChecks(MapDefinition map, StepState step, List<StepState> items)
    {
        var list = new MapReads(Run).ItemsOf(map, null);
        Violation.If(items.Count != list.Count || items.Any(item => !item.IsTerminal), $"invariant 29: map {map.Name} succeeded after {items.Count} of {list.Count} items");
        Violation.If(items.Count(item => item.Status is StepStatus.Failed) > map.Tolerated, $"invariant 29: map {map.Name} succeeded with too many failures");
        if (map.Collect is not MapCollect.Results) return;
        var results = JsonElement.Parse(step.Result!).EnumerateArray().Select(value => value.GetRawText());
        var expected = items.OrderBy(item => item.Index).Select(item => item.IsFinished ? item.Result ?? "null" : "null");
        Violation.If(!results.SequenceEqual(expected), $"invariant 29: map {map.Name} gives on {step.Result}");
    }
}
