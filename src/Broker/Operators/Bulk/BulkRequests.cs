using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Operators.Where;

namespace Broker.Operators.Bulk;

/// <summary>Checks of requests for actions on many runs: each fault is a 422 with its place.</summary>
internal static class BulkRequests
{
    private const int LongestEventType = 128;

    /// <summary>Throws at the first fault.</summary>
    public static void Check(NewBulk bulk)
    {
        if (bulk.Action is null || !BulkOrder.Actions.Contains(bulk.Action)) throw Bad("/action", $"expected one of {string.Join(", ", BulkOrder.Actions)}");
        if (bulk.Where is null == bulk.Ids is null) throw Bad(bulk.Where is null ? "/where" : "/ids", "expected either where or ids");
        if (!WhereExpression.TryParse(bulk.Where, out _, out var fault)) throw Bad("/where", fault!.ToString(), fault.Column);
        if (bulk.Ids is { } ids) CheckRuns(ids, "/ids", least: 1);
        if (bulk.Exclude is { } exclude) CheckRuns(exclude, "/exclude", least: 0);
        if (bulk.Rate is < 1 or > Limits.LargestRate) throw Bad("/rate", $"expected an integer from 1 to {Limits.LargestRate}");
        CheckArguments(bulk.Action, bulk.Args ?? new());
    }

    private static void CheckRuns(IReadOnlyList<RunAddress> runs, string place, int least)
    {
        if (runs.Count < least || runs.Count > Limits.NamedRuns) throw Bad(place, $"expected {least} to {Limits.NamedRuns} runs");
        for (var i = 0; i < runs.Count; i++)
        {
            if (runs[i] is not { Workflow: not null, Instance: not null, Run: null or >= 0 }) throw Bad($"{place}/{i}", "expected workflow, instance and, if only that run is meant, run");
        }
    }

    private static void CheckArguments(string action, BulkArguments args)
    {
        (string Name, bool IsThere, string Of)[] members =
        [
            ("grace_ms", args.GraceMs is not null, RunActions.Cancel), ("steps", args.Steps is not null, RunActions.Retry), ("tags", args.Tags is not null, RunActions.Tag),
            ("type", args.Type is not null, RunActions.SendEvent), ("value", args.Value is not null, RunActions.SendEvent), ("step", args.Step is not null, RunActions.SendEvent),
        ];
        foreach (var (name, isThere, of) in members)
        {
            if (isThere && of != action) throw Bad($"/args/{name}", $"only the action {of} takes it");
        }

        if (args.GraceMs is < 0 or > RunSession.LongestGraceMs) throw Bad("/args/grace_ms", $"expected an integer from 0 to {RunSession.LongestGraceMs}");
        if (args.Steps is { } steps && (steps.Count is 0 or > 1000 || steps.Contains(null!))) throw Bad("/args/steps", "expected 1 to 1,000 names of steps");
        if (action == RunActions.Tag) CheckTags(args.Tags);
        if (action == RunActions.SendEvent && (args.Type is not { Length: > 0 and <= LongestEventType } type || !StorableText.Fits(type)))
            throw Bad("/args/type", $"expected an event type of 1 to {LongestEventType} characters, none of them NUL");
    }

    private static void CheckTags(RawJson? tags)
    {
        if (tags is null || JsonElement.Parse(tags.Value.Text) is not { ValueKind: JsonValueKind.Object } value || !value.EnumerateObject().Any())
            throw Bad("/args/tags", "expected an object with a string, a number or null for each tag");

        // A tag that is taken away has a name as well.
        var named = value.EnumerateObject().Select(tag => tag.Value.ValueKind is JsonValueKind.Null ? $"{JsonSerializer.Serialize(JsonText.NameOf(tag))}:0" : $"{JsonSerializer.Serialize(JsonText.NameOf(tag))}:{tag.Value.GetRawText()}");
        if (RunTags.Problem(JsonElement.Parse($"{{{string.Join(',', named)}}}")) is var (name, message)) throw Bad(name.Length == 0 ? "/args/tags" : JsonText.Under("/args/tags", name), message);
    }

    private static OperatorException Bad(string place, string expected, int? column = null) =>
        new(StatusCodes.Status422UnprocessableEntity, "invalid_body", $"{place[1..]}: {expected}", place) { Column = column, Errors = [new(place, expected)] };
}
