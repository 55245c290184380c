using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>A filter as conditions of a query, and what only the rows themselves can answer: texts of errors, tags, and names of steps.</summary>
internal sealed class RunConditions
{
    // The largest character: both databases compare bytes of UTF-8.
    private const string Last = "\U0010FFFF";

    // Rows whose steps are read together.
    private const int Batch = 500;

    private static readonly RunStatus[] Active = [RunStatus.Queued, RunStatus.Running, RunStatus.Waiting, RunStatus.Pausing, RunStatus.Paused];

    private readonly RunFilter filter;
    private readonly long now;

    // Found runs carry their names and what their status asks for.
    private readonly bool isWhole;

    private RunConditions(RunFilter filter, long now, bool isWhole) => (this.filter, this.now, this.isWhole) = (filter, now, isWhole);

    public IReadOnlyList<string>? Workflows => filter.Workflows;

    public IReadOnlyList<NameMatch>? Instances => filter.Instances;

    public IReadOnlyList<string>? Workers => filter.Workers;

    public long? CreatedAfter => filter.CreatedAfter.ToMicros();

    public long? CreatedBefore => filter.CreatedBefore.ToMicros();

    /// <summary>Runs that have ended do not fit.</summary>
    public bool IsActiveOnly => filter.Statuses is { } statuses && statuses.All(status => Active.Contains(status));

    /// <summary>Whether a run in any of these statuses may fit.</summary>
    public bool MayBe(params ReadOnlySpan<RunStatus> any)
    {
        foreach (var status in any)
        {
            if (filter.Statuses?.Contains(status) is not false) return true;
        }

        return false;
    }

    /// <summary>Runs without an error do not fit: the small indexes of failed runs serve.</summary>
    public bool IsFailedOnly => filter is { ErrorTexts.Count: > 0 } or { ErrorNames: not null } or { ErrorGroups: not null } || (filter.Statuses is { Count: 1 } statuses && statuses.Contains(RunStatus.Failed));

    /// <summary>A tag that runs must have, with as few values as possible: its rows serve. Null: there is none.</summary>
    public TagMatch? Tag => filter.Tags.Where(tag => !tag.IsNot).MinBy(tag => tag.Values.Count);

    /// <summary>Null when no run can fit. Names that no column can hold are in no row.</summary>
    public static RunConditions? Of(RunFilter filter, DateTimeOffset now, bool isWhole = false)
    {
        var storable = filter with
        {
            Workflows = Storable(filter.Workflows),
            Versions = Storable(filter.Versions),
            Workers = Storable(filter.Workers),
            Instances = filter.Instances is null ? null : [.. filter.Instances.Where(i => StorableText.Fits(i.Text))],
            NotWorkflows = Storable(filter.NotWorkflows)!,
            NotVersions = Storable(filter.NotVersions)!,
            Tags = [.. filter.Tags.Select(tag => tag.IsNot ? tag : tag with { Values = StorableText.Fits(tag.Name) ? [.. tag.Values.Where(StorableText.Fits).Distinct(StringComparer.Ordinal)] : [] })],
        };
        var isEmpty = storable.Tags.Any(tag => tag is { IsNot: false, Values.Count: 0 })
            || storable is { Workflows.Count: 0 } or { Versions.Count: 0 } or { Workers.Count: 0 } or { Instances.Count: 0 } or { Statuses.Count: 0 } or { Numbers.Count: 0 };
        return isEmpty ? null : new(storable, now.ToMicros(), isWhole);
    }

    /// <summary>The text that is behind every text with that begin.</summary>
    public static string EndOf(string prefix) => prefix + Last;

    /// <summary>The fitting runs of a window, in its order, at most that many.</summary>
    /// <param name="db">The database.</param>
    /// <param name="window">Runs to examine.</param>
    /// <param name="size">Their number, at most.</param>
    /// <param name="definitions">For names of steps.</param>
    /// <param name="most">At most that many.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<List<FoundRun>> FitAsync(BrokerDb db, IQueryable<RunRow> window, int size, DefinitionCache definitions, int most, CancellationToken ct)
    {
        if (filter.Steps is not { } steps) return await FitAsync(db, window, most, ct);

        // Part by part: the steps of one part are read together, and the first parts may have enough.
        var fitting = new List<FoundRun>();
        for (var from = 0; from < size && fitting.Count < most; from += Batch)
            fitting.AddRange(await WithStepAsync(db, await FitAsync(db, window.Skip(from).Take(Batch), Batch, ct), steps, definitions, ct));
        return fitting.Count > most ? fitting[..most] : fitting;
    }

    private async Task<List<FoundRun>> FitAsync(BrokerDb db, IQueryable<RunRow> window, int most, CancellationToken ct)
    {
        var rows = HistoryStatus.Of(Simple(db, window), db, now, withResult: false);
        if (filter.Statuses is { } statuses) rows = rows.Where(HistoryStatus.In(statuses));
        if (Duration() is { } duration) rows = rows.Where(duration);
        var byGroup = filter is { ErrorGroups: not null } or { NotErrorGroups.Count: > 0 };
        var byError = byGroup || filter is { ErrorTexts.Count: > 0 } or { ErrorNames: not null } or { NotErrorNames.Count: > 0 };
        var byTag = filter.Tags.Count > 0;
        var found = isWhole ? rows.Select(Whole(byError || IsFailedOnly, byTag)) : rows.Select(a => new FoundRun
        {
            Id = a.Run.Id,
            CreatedAt = a.Run.CreatedAt,
            DefinitionId = a.Run.DefinitionId,
            Workflow = byGroup ? a.Run.Workflow : null,
            Error = byError ? a.Run.Error : null,
            Tags = byTag ? a.Run.Tags : null,
        });
        if (!byError && !byTag) return await found.Take(most).ToListAsync(ct);

        var fitting = new List<FoundRun>();
        await foreach (var run in found.AsAsyncEnumerable().WithCancellation(ct))
        {
            if ((byError && !FitsError(run)) || (byTag && !FitsTags(run.Tags))) continue;
            fitting.Add(run);
            if (fitting.Count == most) break;
        }

        return fitting;
    }

    private static Expression<Func<RunActivity, FoundRun>> Whole(bool withError, bool withTags) => a => new FoundRun
    {
        Id = a.Run.Id,
        CreatedAt = a.Run.CreatedAt,
        DefinitionId = a.Run.DefinitionId,
        Workflow = a.Run.Workflow,
        Error = withError ? a.Run.Error : null,
        Tags = withTags ? a.Run.Tags : null,
        Whole = new RunActivity
        {
            Run = new RunRow
            {
                Id = a.Run.Id,
                Workflow = a.Run.Workflow,
                InstanceId = a.Run.InstanceId,
                Number = a.Run.Number,
                IsCurrent = a.Run.IsCurrent,
                DefinitionId = a.Run.DefinitionId,
                Phase = a.Run.Phase,
                CreatedAt = a.Run.CreatedAt,
                EndedAt = a.Run.EndedAt,
                Inputs = "{}",
            },
            Leased = a.Leased,
            Claimable = a.Claimable,
            Pending = a.Pending,
            Begun = a.Begun,
        },
    };

    [SuppressMessage("Performance", "CA1862", Justification = "EF Core translates no other form.")]
    private IQueryable<RunRow> Simple(BrokerDb db, IQueryable<RunRow> runs)
    {
        if (filter.Workflows is { } workflows) runs = runs.Where(r => workflows.Contains(r.Workflow));
        if (filter.NotWorkflows is { Count: > 0 } others) runs = runs.Where(r => !others.Contains(r.Workflow));
        if (filter.Instances is { } instances) runs = runs.Where(Named(instances));
        foreach (var not in filter.NotInstances.Where(i => StorableText.Fits(i.Text)))
        {
            var (text, end) = (not.Text, EndOf(not.Text));
            runs = not.IsPrefix
                ? runs.Where(r => string.Compare(r.InstanceId, text) < 0 || string.Compare(r.InstanceId, end) >= 0)
                : runs.Where(r => r.InstanceId != text);
        }

        if (filter.Versions is { } versions) runs = runs.Where(r => db.Definitions.Any(d => d.Id == r.DefinitionId && versions.Contains(d.Version)));
        if (filter.NotVersions is { Count: > 0 } notVersions) runs = runs.Where(r => !db.Definitions.Any(d => d.Id == r.DefinitionId && notVersions.Contains(d.Version)));
        if (filter.Numbers is { } numbers) runs = runs.Where(r => numbers.Contains(r.Number));
        if (filter.NumberAbove is { } above) runs = runs.Where(r => r.Number > above);
        if (filter.NumberBelow is { } below) runs = runs.Where(r => r.Number < below);
        foreach (var text in filter.ErrorTexts.Where(IsStoredAsIs))
        {
            var lower = text.ToLowerInvariant();
#pragma warning disable CA1862 // The databases translate this form alone.
            runs = runs.Where(r => r.Error!.ToLower().Contains(lower));
#pragma warning restore CA1862
        }

        return InTime(WithLease(db, runs));
    }

    private IQueryable<RunRow> InTime(IQueryable<RunRow> runs)
    {
        if (CreatedAfter is { } createdAfter) runs = runs.Where(r => r.CreatedAt > createdAfter);
        if (CreatedBefore is { } createdBefore) runs = runs.Where(r => r.CreatedAt < createdBefore);
        if (filter.EndedAfter.ToMicros() is { } endedAfter) runs = runs.Where(r => r.EndedAt > endedAfter);
        if (filter.EndedBefore.ToMicros() is { } endedBefore) runs = runs.Where(r => r.EndedAt < endedBefore);
        return runs;
    }

    private IQueryable<RunRow> WithLease(BrokerDb db, IQueryable<RunRow> runs) => filter.Workers is not { } workers ? runs
        : runs.Where(r => r.EndedAt == null && db.Steps.Any(s => s.RunId == r.Id && s.Status == (short)StepStatus.Leased && workers.Contains(s.Worker!)));

    // Any of several: one condition, joined by "or".
    private static Expression<Func<RunRow, bool>> Named(IReadOnlyList<NameMatch> instances)
    {
        var exact = instances.Where(i => !i.IsPrefix).Select(i => i.Text).ToArray();
        Expression<Func<RunRow, bool>> any = r => exact.Contains(r.InstanceId);
        foreach (var prefix in instances.Where(i => i.IsPrefix))
        {
            var (text, end) = (prefix.Text, EndOf(prefix.Text));
            Expression<Func<RunRow, bool>> begun = r => string.Compare(r.InstanceId, text) >= 0 && string.Compare(r.InstanceId, end) < 0;
            any = Expression.Lambda<Func<RunRow, bool>>(Expression.OrElse(any.Body, new Same(begun.Parameters[0], any.Parameters[0]).Visit(begun.Body)), any.Parameters);
        }

        return any;
    }

    private Expression<Func<RunActivity, bool>>? Duration()
    {
        if (filter is { LongerThan: null, ShorterThan: null }) return null;
        var (longer, shorter, until) = (Micros(filter.LongerThan) ?? long.MinValue, Micros(filter.ShorterThan) ?? long.MaxValue, now);
        return a => (a.Run.EndedAt ?? until) - (a.FirstBegun ?? a.Run.StartedAt) > longer && (a.Run.EndedAt ?? until) - (a.FirstBegun ?? a.Run.StartedAt) < shorter;
    }

    // Errors are stored as JSON, which escapes other characters: those texts are looked for in the rows themselves.
    private static bool IsStoredAsIs(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || c is ' ' or '.' or ':' or '_' or '-' or '/');

    private bool FitsError(FoundRun run)
    {
        if (StoredError.Read(run.Error) is not { } error) return filter is { ErrorTexts.Count: 0, ErrorNames: null, ErrorGroups: null };
        if (filter is { ErrorGroups: not null } or { NotErrorGroups.Count: > 0 })
        {
            var group = FailureGroup.Of(run.Workflow!, error);
            if (filter.ErrorGroups?.Contains(group) is false || filter.NotErrorGroups.Contains(group)) return false;
        }

        return filter.ErrorTexts.All(text => error.Message.Contains(text, StringComparison.OrdinalIgnoreCase) || error.Name.Contains(text, StringComparison.OrdinalIgnoreCase))
            && filter.ErrorNames?.Contains(error.Name) is not false
            && !filter.NotErrorNames.Contains(error.Name);
    }

    private bool FitsTags(string? stored) => filter.Tags.All(tag => (RunTags.Find(stored, tag.Name) is { } value && tag.Values.Contains(value)) != tag.IsNot);

    private static async Task<IEnumerable<FoundRun>> WithStepAsync(BrokerDb db, List<FoundRun> rows, IReadOnlyList<string> names, DefinitionCache definitions, CancellationToken ct)
    {
        var wanted = new Dictionary<int, int[]>();
        foreach (var id in rows.Select(row => row.DefinitionId).Distinct())
        {
            var definition = await definitions.GetAsync(id, ct);
            wanted[id] = [.. names.Select(definition.Find).OfType<Core.Definitions.StepDefinition>().Select(step => step.Index)];
        }

        var fitting = new HashSet<long>();
        foreach (var same in rows.GroupBy(row => row.DefinitionId).Where(same => wanted[same.Key].Length > 0))
        {
            long[] ids = [.. same.Select(row => row.Id)];
            var steps = wanted[same.Key];
            fitting.UnionWith(await db.Steps
                .Where(s => ids.Contains(s.RunId) && steps.Contains(s.Idx)
                    && (s.Status == (short)StepStatus.Ready || s.Status == (short)StepStatus.Leased || s.Status == (short)StepStatus.Waiting
                        || s.Status == (short)StepStatus.Failed || s.Status == StepRow.Paused))
                .Select(s => s.RunId).ToListAsync(ct));
        }

        return rows.Where(row => fitting.Contains(row.Id));
    }

    private static IReadOnlyList<string>? Storable(IReadOnlyList<string>? names) => names is null ? null : [.. names.Where(StorableText.Fits)];

    private static long? Micros(TimeSpan? length) => length is { } known ? known.Ticks / TimeSpan.TicksPerMicrosecond : null;

    private sealed class Same(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : node;
    }
}
