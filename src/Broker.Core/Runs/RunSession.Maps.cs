using System.Text;
using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Maps: their lists, the window of open items, and their joins (invariants 28 to 30).</summary>
public sealed partial class RunSession
{
    /// <summary>Name of the failure of a map with too many failed items.</summary>
    public const string ItemsFailedName = "ItemsFailed";

    /// <summary>A map has no time of its own: it ends with its items.</summary>
    public static readonly DateTimeOffset Never = new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero);

    // Maps that were reached, or of which an item has ended; null: none.
    private SortedSet<int>? movedMaps;

    // Maps in which too many items have failed; null: none.
    private Dictionary<int, StepError>? lostMaps;

    /// <summary>A map waits for <see cref="ServeMaps"/>. The caller calls it before the transaction is written.</summary>
    public bool HasMovedMaps => movedMaps is not null;

    /// <summary>
    /// Begins items as far as the windows of their maps allow, and ends maps whose items have ended or failed too often. A map that ends may reach another
    /// one, which is served too.
    /// </summary>
    public void ServeMaps(IMapReads reads, DateTimeOffset now)
    {
        // A wait below a map may take an event that is kept, and reach the next map.
        while (movedMaps is not null)
        {
            while (movedMaps is { Count: > 0 })
            {
                var index = movedMaps.Min;
                movedMaps.Remove(index);
                if (Run.IsTerminal || !steps.TryGetValue(index, out var step)) continue;
                if (step.Status is StepStatus.Waiting) Serve(step, Definition(index).Map!, reads, now);
                else if (step.Items is { Open: > 0 }) CancelItems(Definition(index).Map!, reads, now);
            }

            movedMaps = null;
            Settle(now);
        }
    }

    private void Serve(StepState step, MapDefinition map, IMapReads reads, DateTimeOffset now)
    {
        if (lostMaps?.Remove(map.Index, out var error) is true)
        {
            EndMap(StepMachine.Fail(step, error!, now), now);
            return;
        }

        var progress = step.Items!;
        if (!progress.IsRead || (progress.Open < map.Window && !progress.IsExhausted))
        {
            var list = reads.ItemsOf(map, map.Items.Step is { } above && (updated.Contains(above) || inserted.Contains(above)) ? steps[above] : null);
            if (list.Fault is { } fault)
            {
                EndMap(StepMachine.Fail(step, fault, now), now);
                return;
            }

            if (!progress.IsRead) progress = progress with { Count = list.Count };
            progress = Begin(map, progress, list, reads, now);
            Set(step with { Items = progress });
        }

        if (progress.IsComplete) EndMap(StepMachine.Finish(steps[map.Index], Collected(map, progress, reads), now), now);
    }

    // Each item that begins here has a row, and no transaction writes more of them than a window holds.
    private MapProgress Begin(MapDefinition map, MapProgress progress, ItemList list, IMapReads reads, DateTimeOffset now)
    {
        var room = map.Window - progress.Open;
        var begun = 0;
        var next = progress.Next;
        if (next < progress.KeptTo)
        {
            var kept = Math.Min(progress.KeptTo, list.Count);
            foreach (var number in reads.MissingItems(map, next, kept, room))
            {
                BeginItem(map, number, list[number], now);
                next = number + 1;
                begun++;
            }

            if (begun < room) next = kept;
        }

        for (; begun < room && next < list.Count; next++, begun++) BeginItem(map, next, list[next], now);
        return progress with { Next = next, Open = progress.Open + begun };
    }

    private void BeginItem(MapDefinition map, int number, string value, DateTimeOffset now)
    {
        var index = map.First + number;
        var due = BeginOf(now);
        var total = map.Item.Timeouts.TotalFrom(due);
        steps[index] = new StepState
        {
            Index = index,
            Status = StepStatus.Ready,
            QueuedAt = now,
            Due = due,
            Paused = !Run.HandsOut,
            TotalDeadline = total,
            Deadline = map.Item.Timeouts.QueueFrom(due, total),
            Input = value,
        };
        inserted.Add(index);
        moved = true;
        Run = Run with { Active = Run.Active + 1 };
    }

    // The join: a counter in the map's row. It fires once every item has ended, or when too many have failed.
    private void CountItem(StepState ended, DateTimeOffset now)
    {
        var map = Run.Definition.MapOf(ended.Index);
        if (!steps.TryGetValue(map.Index, out var step) || step.Status is not StepStatus.Waiting || step.Items is not { } progress) return;
        var after = progress.Counting(ended, map.Collect is MapCollect.Results ? 1 + (ended.IsFinished && ended.Result is { } result ? Encoding.UTF8.GetByteCount(result) : 4) : 0);
        Set(step with { Items = after });
        (movedMaps ??= []).Add(map.Index);
        if (after.Failed > map.Tolerated && lostMaps?.ContainsKey(map.Index) is not true)
        {
            var error = ended.Error ?? new(StepError.DefaultName, "failed");
            var many = after.Failed == 1 ? "1 item" : $"{after.Failed} items";
            (lostMaps ??= [])[map.Index] = new(ItemsFailedName, $"{many} of {after.Count} failed, {map.Tolerated} may; {map.NameOf(ended.Index)}: {error.Message}");
        }

        Touch(now);
    }

    private void EndMap(StepState ended, DateTimeOffset now)
    {
        Set(ended);
        Announce(ended, "not_running", null);
        Left(ended, now);
    }

    // The open items of a map that has ended otherwise. The others never begin.
    private void CancelItems(MapDefinition map, IMapReads reads, DateTimeOffset now)
    {
        foreach (var stored in reads.OpenItems().Where(item => map.Has(item.Index))) steps.TryAdd(stored.Index, stored);
        foreach (var open in Active().Where(item => map.Has(item.Index)))
        {
            Set(StepMachine.Cancel(open, now));
            Run = Run with { Active = Run.Active - 1 };
        }

        Set(steps[map.Index] with { Items = steps[map.Index].Items! with { Open = 0 } });
    }

    private string? Collected(MapDefinition map, MapProgress progress, IMapReads reads) => map.Collect switch
    {
        MapCollect.None => null,
        MapCollect.Summary => $"{{{Numbers(progress)}}}",
        MapCollect.Results when progress.Bytes <= MapDefinition.MostCollectedBytes => ListOf(map, progress, reads.ItemResults(map)),
        MapCollect.Results => HandleOf(map, progress, reads.Run),
    };

    private string ListOf(MapDefinition map, MapProgress progress, IReadOnlyDictionary<int, string?> results)
    {
        var text = new StringBuilder("[", 2 + (int)progress.Bytes);
        for (var number = 0; number < progress.Count; number++)
        {
            if (number > 0) text.Append(',');
            var index = map.First + number;
            text.Append((steps.TryGetValue(index, out var ended) ? ended.IsFinished ? ended.Result : null : results.GetValueOrDefault(index)) ?? "null");
        }

        return text.Append(']').ToString();
    }

    private static string HandleOf(MapDefinition map, MapProgress progress, RunRef run)
    {
        var items = $$"""{"workflow":{{JsonSerializer.Serialize(run.Workflow)}},"instance":{{JsonSerializer.Serialize(run.InstanceId)}},"run":{{run.Number}},"step":{{JsonSerializer.Serialize(map.Name)}}""";
        return $"{{{Numbers(progress)},\"items\":{items}}}}}";
    }

    private static string Numbers(MapProgress progress) => $"\"count\":{progress.Count},\"succeeded\":{progress.Succeeded},\"failed\":{progress.Failed}";
}
