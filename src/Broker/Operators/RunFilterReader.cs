using Broker.Core.Runs;
using Broker.Operators.Where;
using Broker.Storage.Contracts;

namespace Broker.Operators;

/// <summary>Expressions as filters of the store.</summary>
internal static class RunFilterReader
{
    private static readonly RunStatus[] Active = [RunStatus.Queued, RunStatus.Running, RunStatus.Waiting, RunStatus.Pausing, RunStatus.Paused];

    /// <param name="where">The expression.</param>
    /// <param name="now">The instant that times ago are counted from.</param>
    /// <param name="limit">The only workflows that the caller may know; null: all.</param>
    public static RunFilter Of(WhereExpression where, DateTimeOffset now, IReadOnlyList<string>? limit)
    {
        var filter = where.Terms.Aggregate(RunFilter.All, (filter, term) => With(filter, term, now));
        return limit is null ? filter : filter with { Workflows = Both(filter.Workflows, limit) };
    }

    private static RunFilter With(RunFilter filter, WhereTerm term, DateTimeOffset now)
    {
        var words = term.Values.Select(value => value.Text).ToArray();
        var isNot = term.Operator is WhereOperator.NotEqual;
        var isAbove = term.Operator is WhereOperator.Greater;
        return term.Field switch
        {
            "workflow" => isNot ? filter with { NotWorkflows = [.. filter.NotWorkflows, .. words] } : filter with { Workflows = Both(filter.Workflows, words) },
            "version" => isNot ? filter with { NotVersions = [.. filter.NotVersions, .. words] } : filter with { Versions = Both(filter.Versions, words) },
            "status" => filter with { Statuses = Statuses(filter.Statuses, words, isNot) },
            "instance" => Instance(filter, term, isNot),
            "run" => Number(filter, term, isAbove),
            "created" => isAbove ? After(filter, Instant(words[0], now)) : Before(filter, Instant(words[0], now)),
            "since" => After(filter, Instant(words[0], now)),
            "until" => Before(filter, Instant(words[0], now)),
            "ended" => isAbove
                ? filter with { EndedAfter = Later(filter.EndedAfter, Instant(words[0], now)) }
                : filter with { EndedBefore = Earlier(filter.EndedBefore, Instant(words[0], now)) },
            "duration" => Duration(filter, words[0], isAbove),
            "error" => term.Operator is WhereOperator.Contains ? filter with { ErrorTexts = [.. filter.ErrorTexts, .. words] }
                : isNot ? filter with { NotErrorNames = [.. filter.NotErrorNames, .. words] } : filter with { ErrorNames = Both(filter.ErrorNames, words) },
            "error.group" => isNot ? filter with { NotErrorGroups = [.. filter.NotErrorGroups, .. words] } : filter with { ErrorGroups = Both(filter.ErrorGroups, words) },
            "tag" => filter with { Tags = [.. filter.Tags, new(term.Key!, words, isNot)] },
            "step" => filter with { Steps = Both(filter.Steps, words) },
            "worker" => filter with { Workers = Both(filter.Workers, words) },
            _ => throw new OperatorException(StatusCodes.Status400BadRequest, "invalid_where", $"This broker cannot search by {term.Field}.", "query.where"),
        };
    }

    private static RunFilter Instance(RunFilter filter, WhereTerm term, bool isNot)
    {
        NameMatch[] names = [.. term.Values.Select(value => value.Prefix is { } prefix ? new NameMatch(prefix, IsPrefix: true) : new NameMatch(value.Text, IsPrefix: false))];
        if (isNot) return filter with { NotInstances = [.. filter.NotInstances, .. names] };
        if (filter.Instances is not { } before) return filter with { Instances = names };

        // Both conditions: of each pair the narrower one, if they can be met together.
        return filter with { Instances = [.. from a in before from b in names where a.Fits(b.Text) || b.Fits(a.Text) select a.Text.Length > b.Text.Length || !a.IsPrefix ? a : b] };
    }

    private static RunFilter Number(RunFilter filter, WhereTerm term, bool isAbove)
    {
        int[] numbers = [.. term.Values.Select(value => WhereValues.TryNumber(value.Text, out var number) ? number : 0)];
        if (term.Operator is WhereOperator.Equal) return filter with { Numbers = filter.Numbers is { } before ? [.. before.Intersect(numbers)] : numbers };
        return isAbove
            ? filter with { NumberAbove = Math.Max(filter.NumberAbove ?? 0, numbers[0]) }
            : filter with { NumberBelow = Math.Min(filter.NumberBelow ?? int.MaxValue, numbers[0]) };
    }

    private static RunFilter Duration(RunFilter filter, string word, bool isAbove)
    {
        _ = WhereValues.TryDuration(word, out var length);
        return isAbove
            ? filter with { LongerThan = filter.LongerThan > length ? filter.LongerThan : length }
            : filter with { ShorterThan = filter.ShorterThan < length ? filter.ShorterThan : length };
    }

    private static HashSet<RunStatus> Statuses(IReadOnlySet<RunStatus>? before, string[] words, bool isNot)
    {
        var named = words.SelectMany(word => word.Equals("active", StringComparison.OrdinalIgnoreCase) ? Active : [Enum.Parse<RunStatus>(word, ignoreCase: true)]).ToHashSet();
        return Enum.GetValues<RunStatus>().Where(status => named.Contains(status) != isNot && before?.Contains(status) is not false).ToHashSet();
    }

    private static RunFilter After(RunFilter filter, DateTimeOffset at) => filter with { CreatedAfter = Later(filter.CreatedAfter, at) };

    private static RunFilter Before(RunFilter filter, DateTimeOffset at) => filter with { CreatedBefore = Earlier(filter.CreatedBefore, at) };

    private static DateTimeOffset Later(DateTimeOffset? one, DateTimeOffset other) => one > other ? one.Value : other;

    private static DateTimeOffset Earlier(DateTimeOffset? one, DateTimeOffset other) => one < other ? one.Value : other;

    private static DateTimeOffset Instant(string word, DateTimeOffset now) => WhereValues.TryInstant(word, now, out var instant) ? instant : now;

    private static IReadOnlyList<string> Both(IReadOnlyList<string>? before, IReadOnlyList<string> words) => before is null ? words : [.. before.Intersect(words)];
}
