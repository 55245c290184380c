using System.Text.Json;
using Broker.Auth;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Operators.Where;
using Broker.Storage.Contracts;

namespace Broker.Operators.Bulk;

/// <summary>An action on many runs with its arguments and its choice: read once from its record or request.</summary>
internal sealed class BulkOrder
{
    /// <summary>Actions, in the order in which the API names them.</summary>
    public static readonly IReadOnlyList<string> Actions =
    [
        RunActions.Retry, RunActions.Cancel, RunActions.Pause, RunActions.Resume, RunActions.Restart, RunActions.Terminate, RunActions.Delete, RunActions.Tag, RunActions.SendEvent,
    ];

    private static readonly RunStatus[] Ended = [RunStatus.Succeeded, RunStatus.Failed, RunStatus.Cancelled];

    private readonly HashSet<(string Workflow, string Instance, int? Run)> excluded;

    public BulkOrder(BulkRecord record)
        : this(record.Action, record.ArgsJson is { } args ? JsonSerializer.Deserialize(args, OperatorJson.Default.BulkArguments)! : new(), ExcludedOf(record.ExcludeJson), record.Where, record.AsOf)
    {
    }

    public BulkOrder(string action, BulkArguments arguments, IReadOnlyList<RunAddress> exclude, string? where, DateTimeOffset asOf)
    {
        (Action, Arguments, AsOf) = (action, arguments, asOf);
        excluded = [.. exclude.Select(run => (run.Workflow, run.Instance, run.Run))];
        Where = where is not null && WhereExpression.TryParse(where, out var expression, out _) ? expression : null;
    }

    public string Action { get; }

    public BulkArguments Arguments { get; }

    public DateTimeOffset AsOf { get; }

    /// <summary>Null: the runs are named.</summary>
    public WhereExpression? Where { get; }

    /// <summary>Runs that fit, of those that were there at <see cref="AsOf"/>; where ended runs are chosen, of those that had ended.</summary>
    public RunFilter Filter(IReadOnlyList<string>? limit)
    {
        var filter = RunFilterReader.Of(Where ?? WhereExpression.All, AsOf, limit);
        var end = AsOf.AddMicroseconds(1);
        filter = filter with { CreatedBefore = filter.CreatedBefore < end ? filter.CreatedBefore : end };
        return filter.Statuses?.All(Ended.Contains) is true ? filter with { EndedBefore = filter.EndedBefore < end ? filter.EndedBefore : end } : filter;
    }

    public bool IsExcluded(RunRef run) =>
        excluded.Count > 0 && (excluded.Contains((run.Workflow, run.InstanceId, null)) || excluded.Contains((run.Workflow, run.InstanceId, run.Number)));

    /// <summary>Why the action does not take the run now; null when it does.</summary>
    public (string Code, string Message)? WhyNot(ChosenRun run)
    {
        if (Action != RunActions.Tag && !run.IsNewest) return ("not_newest", RunActions.NotNewest);
        if (RunActions.WhyNot(Action, run.Status) is { } why && !(Action == RunActions.Retry && Arguments.Steps is not null && run.Status is RunStatus.Succeeded)) return ("not_allowed", why);
        if (Arguments.Steps?.FirstOrDefault(step => run.Definition.Find(step) is null) is { } unknown) return ("invalid", $"There is no step '{unknown}' in its definition.");
        if (Action != RunActions.SendEvent) return null;
        if (Arguments.Step is { } target && run.Definition.Find(target) is null) return ("invalid", $"There is no step '{target}' in its definition.");
        return Arguments.Value is { } value && run.Definition.Events.Find(Arguments.Type!)?.Errors(value.Text, allowsMore: true) is { Count: > 0 } errors
            ? ("invalid", $"The value does not fit the event: {errors[0].Path} {errors[0].Message}") : null;
    }

    /// <summary>The tags of a run after the action: those that it sets over those that the run has. False: they would be too many.</summary>
    public bool TryTag(string? before, out string? after)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        var changes = JsonElement.Parse(Arguments.Tags!.Value.Text).EnumerateObject().ToList();
        foreach (var tag in (before is null ? [] : JsonElement.Parse(before).EnumerateObject().ToList()).Concat(changes)) tags[JsonText.NameOf(tag)] = tag.Value.GetRawText();
        foreach (var gone in changes.Where(tag => tag.Value.ValueKind is JsonValueKind.Null)) tags.Remove(JsonText.NameOf(gone));
        after = tags.Count == 0 ? null : $"{{{string.Join(',', tags.Select(tag => $"{JsonSerializer.Serialize(tag.Key)}:{tag.Value}"))}}}";
        return tags.Count <= RunTags.Most;
    }

    /// <summary>Whether the caller may do that action.</summary>
    public static bool May(Caller caller, string action) => caller.May(Scope.Manage) && caller.May(RunActions.ScopeOf(action));

    private static IReadOnlyList<RunAddress> ExcludedOf(string? json) => json is null ? [] : JsonSerializer.Deserialize(json, OperatorJson.Default.IReadOnlyListRunAddress)!;
}
