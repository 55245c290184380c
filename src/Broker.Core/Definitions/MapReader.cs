using System.Collections.Immutable;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Steps;

namespace Broker.Core.Definitions;

/// <summary>A map as it was written, its list not resolved yet.</summary>
internal sealed record MapDraft(string Items, MapItemDraft Item, int Window, int Tolerated, MapCollect Collect);

/// <summary>The task of a map's items as it was written.</summary>
internal sealed record MapItemDraft(
    string? Handler, string? Command, IReadOnlyList<string> Labels, int Priority, RetryPolicy Retry, int? LeaseSecs, StepTimeouts Timeouts);

/// <summary>
/// Reader of steps of the kind <c>map</c>:
/// <c>{"items": "results.STEP.MEMBER", "item": {"handler" or "command", …}, "max_parallel", "tolerate": {"failures"}, "collect"}</c>.
/// </summary>
internal static class MapReader
{
    private const string Results = "results.";
    private const string Inputs = "inputs.";

    // The broker finishes a map: these say something about a worker or an end that it does not have.
    private static readonly string[] OfTasks =
    [
        "command", "required_labels", "retries", "retry_policy", "timeouts", "timeout_ms", "lease_ttl_secs", "priority", "emits", "accepts", "event", "duration_ms",
    ];

    private static readonly string[] OfItems = ["handler", "command", "required_labels", "retries", "retry_policy", "timeouts", "timeout_ms", "lease_ttl_secs", "priority"];

    public static MapDraft? Read(JsonElement step, string path, ProblemList problems)
    {
        foreach (var member in OfTasks.Where(name => Has(step, name))) problems.Add($"{path}.{member}", "is for tasks: write it in the map's item");
        if (Has(step, "policies") && step.GetProperty("policies") is { ValueKind: JsonValueKind.Array } policies && policies.GetArrayLength() > 0)
            problems.Add($"{path}.policies", "is for tasks");
        var items = problems.Text(step, "items", path);
        if (items is null) problems.Add($"{path}.items", "is required: where the list is, such as results.STEP, results.STEP.MEMBER or inputs.NAME");
        if (problems.Object(step, "item", path) is not { } item)
        {
            if (!Has(step, "item")) problems.Add($"{path}.item", "is required: the task of each item, with a handler or a command");
            return null;
        }

        var draft = ReadItem(item, $"{path}.item", problems);
        var window = problems.Integer(step, "max_parallel", path, 1, MapDefinition.LargestWindow) ?? MapDefinition.LargestWindow;
        var tolerated = problems.Object(step, "tolerate", path) is { } tolerate ? ReadTolerate(tolerate, $"{path}.tolerate", problems) : 0;
        var collect = problems.Text(step, "collect", path) switch
        {
            null or "results" => MapCollect.Results,
            "summary" => MapCollect.Summary,
            "none" => MapCollect.None,
            var other => problems.Add<MapCollect>($"{path}.collect", $"is '{other}', expected results, summary or none"),
        };
        return items is null ? null : new(items, draft, (int)window, tolerated, collect);
    }

    /// <summary>Gives the maps their lists and items; returns them in order.</summary>
    public static ImmutableArray<MapDefinition> Resolve(ImmutableArray<StepDefinition> steps, IReadOnlyList<StepDraft> drafts, ProblemList problems)
    {
        var maps = ImmutableArray.CreateBuilder<MapDefinition>();
        for (var i = 0; i < steps.Length; i++)
        {
            if (drafts[i].Map is not { } draft) continue;
            if (maps.Count == MapDefinition.MostMaps)
            {
                problems.Add("steps", $"has more than {MapDefinition.MostMaps} maps");
                break;
            }

            var step = steps[i];
            if (PlaceOf(step, steps, draft.Items) is { } place) maps.Add(step.Map = Map(step, draft, place, maps.Count));
            else problems.Add($"steps.{step.Name}.items", Unresolved(draft.Items));
        }

        foreach (var step in steps.Where(step => maps.Any(map => IsItemName(step.Name, map.Name))))
            problems.Add($"steps.{step.Name}", "has the name of an item of a map");
        return maps.ToImmutable();
    }

    private static bool IsItemName(string name, string map) => name.Length > map.Length + 2 && name[^1] == ']' && name[map.Length] == '['
        && name.StartsWith(map, StringComparison.Ordinal) && !name.AsSpan(map.Length + 1, name.Length - map.Length - 2).ContainsAnyExceptInRange('0', '9');

    private static string Unresolved(string items) => items.StartsWith(Results, StringComparison.Ordinal)
        ? $"reads '{items}', which names no predecessor of this step"
        : $"is '{items}', expected results.STEP, results.STEP.MEMBER or inputs.NAME";

    private static MapDefinition Map(StepDefinition step, MapDraft draft, ItemPlace place, int ordinal) => new()
    {
        Ordinal = ordinal,
        Index = step.Index,
        Name = step.Name,
        Items = place,
        Window = draft.Window,
        Tolerated = draft.Tolerated,
        Collect = draft.Collect,
        Item = new StepDefinition
        {
            Index = MapDefinition.FirstOf(ordinal),
            Name = step.Name,
            Successors = ImmutableDictionary<string, ImmutableArray<int>>.Empty,

            // Results of the steps above go to each item, but not the list itself: it is as long as there are items.
            Predecessors = [.. step.Predecessors.Where(above => above != place.Step)],
            Plain = [],
            AnyOf = [],
            Command = draft.Item.Command,
            Handler = draft.Item.Handler,
            RequiredLabels = [.. draft.Item.Labels.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Priority = draft.Item.Priority,
            Retry = draft.Item.Retry,
            LeaseSecs = draft.Item.LeaseSecs,
            TimeoutMs = draft.Item.Timeouts.AttemptMs,
            Timeouts = draft.Item.Timeouts,
        },
    };

    // Names of steps may have dots: the longest one that fits is meant.
    private static ItemPlace? PlaceOf(StepDefinition step, ImmutableArray<StepDefinition> steps, string items)
    {
        if (items.StartsWith(Inputs, StringComparison.Ordinal) && items.Length > Inputs.Length) return new(items, null, PathOf(items[Inputs.Length..]));
        if (!items.StartsWith(Results, StringComparison.Ordinal)) return null;
        var rest = items[Results.Length..];
        var above = step.Predecessors.Select(index => steps[index])
            .Where(s => rest == s.Name || (rest.Length > s.Name.Length + 1 && rest.StartsWith(s.Name, StringComparison.Ordinal) && rest[s.Name.Length] == '.'))
            .MaxBy(s => s.Name.Length);
        return above is null ? null : new(items, above.Index, rest == above.Name ? [] : PathOf(rest[(above.Name.Length + 1)..]));
    }

    private static ImmutableArray<string> PathOf(string path) => [.. path.Split('.')];

    private static MapItemDraft ReadItem(JsonElement item, string path, ProblemList problems)
    {
        foreach (var member in item.EnumerateObject().Select(JsonText.NameOf).Where(name => !OfItems.Contains(name)))
            problems.Add($"{path}.{member}", $"is not known; expected {string.Join(", ", OfItems)}");
        var (handler, command) = (problems.Text(item, "handler", path), problems.Text(item, "command", path));
        if (handler is null == command is null) problems.Add(path, "expected either a handler or a command");
        if (handler is not null) problems.IsName(handler, $"{path}.handler");
        var attempt = problems.Integer(item, "timeout_ms", path, 1, RetryPolicy.LongestMs);
        List<string> labels = [.. problems.Strings(item, "required_labels", path)];
        if (handler is not null) labels.Add(MapDefinition.HandlerLabel + handler);
        return new(
            handler,
            command,
            labels,
            (int)(problems.Integer(item, "priority", path, -StepDefinition.MaxPriority, StepDefinition.MaxPriority) ?? 0),
            RetryPolicyReader.Read(item, path, problems),
            (int?)problems.Integer(item, "lease_ttl_secs", path, 1, 24 * 60 * 60),
            TimeoutsReader.Read(item, path, StepKind.Task, attempt, problems));
    }

    private static int ReadTolerate(JsonElement tolerate, string path, ProblemList problems)
    {
        foreach (var member in tolerate.EnumerateObject().Select(JsonText.NameOf).Where(name => name != "failures")) problems.Add($"{path}.{member}", "is not known; expected failures");
        return (int)(problems.Integer(tolerate, "failures", path, 0, MapDefinition.MostItems) ?? 0);
    }

    private static bool Has(JsonElement owner, string member) => owner.TryGetProperty(member, out var value) && value.ValueKind is not JsonValueKind.Null;
}
