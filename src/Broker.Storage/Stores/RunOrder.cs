using Broker.Storage.Contracts;
using Broker.Storage.Tables;

namespace Broker.Storage.Stores;

/// <summary>Order of a list of runs: by creation and id, as the index of a workflow's runs has it, or by id alone.</summary>
internal readonly record struct RunOrder(bool IsById, bool OldestFirst)
{
    /// <summary>Less than 0 when <paramref name="left"/> comes first.</summary>
    public int Compare(RunListPlace left, RunListPlace right)
    {
        var ascending = IsById ? left.Id.CompareTo(right.Id) : (left.CreatedAt, left.Id).CompareTo((right.CreatedAt, right.Id));
        return OldestFirst ? ascending : -ascending;
    }

    public RunListPlace PlaceOf(FoundRun run) => new(IsById, Instants.FromMicros(run.CreatedAt), run.Id);

    /// <summary>The same of tags, whose rows are in order of creation.</summary>
    public IQueryable<RunTagRow> From(IQueryable<RunTagRow> tags, RunListPlace? after)
    {
        if (after is { } place)
        {
            var (at, id) = (place.CreatedAt.ToMicros(), place.Id);
            tags = OldestFirst
                ? tags.Where(t => t.CreatedAt >= at && (t.CreatedAt > at || t.RunId > id))
                : tags.Where(t => t.CreatedAt <= at && (t.CreatedAt < at || t.RunId < id));
        }

        return OldestFirst ? tags.OrderBy(t => t.CreatedAt).ThenBy(t => t.RunId) : tags.OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.RunId);
    }

    /// <summary>The runs behind a place, in order. The first comparison lets the index seek; the second one decides among equal instants.</summary>
    public IQueryable<RunRow> From(IQueryable<RunRow> runs, RunListPlace? after)
    {
        if (after is { } place)
        {
            var (at, id) = (place.CreatedAt.ToMicros(), place.Id);
            runs = (IsById, OldestFirst) switch
            {
                (true, true) => runs.Where(r => r.Id > id),
                (true, false) => runs.Where(r => r.Id < id),
                (false, true) => runs.Where(r => r.CreatedAt >= at && (r.CreatedAt > at || r.Id > id)),
                (false, false) => runs.Where(r => r.CreatedAt <= at && (r.CreatedAt < at || r.Id < id)),
            };
        }

        return (IsById, OldestFirst) switch
        {
            (true, true) => runs.OrderBy(r => r.Id),
            (true, false) => runs.OrderByDescending(r => r.Id),
            (false, true) => runs.OrderBy(r => r.CreatedAt).ThenBy(r => r.Id),
            (false, false) => runs.OrderByDescending(r => r.CreatedAt).ThenByDescending(r => r.Id),
        };
    }
}
