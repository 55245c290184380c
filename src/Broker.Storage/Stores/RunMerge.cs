using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>
/// Walks the current runs of all workflows, or of some, in order of (created, id). It merges the walks along the index that lists each
/// workflow's runs by creation; an index for all runs would be one more write for each start. It holds a few keys of each workflow.
/// </summary>
internal sealed class RunMerge
{
    private const int Keys = 32;

    private readonly IPageReads pages;
    private readonly PriorityQueue<Walk, (long CreatedAt, long Id)> walks = new();

    private RunMerge(IPageReads pages) => this.pages = pages;

    /// <param name="pages">For its reads.</param>
    /// <param name="workflows">Only these; null for all.</param>
    /// <param name="after">The last run that was seen.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<RunMerge> BeginAsync(IPageReads pages, IReadOnlyCollection<string>? workflows, RunPlace? after, CancellationToken ct)
    {
        var (at, id) = after is { } place ? (place.CreatedAt.ToMicros(), place.Id) : (long.MinValue, 0);
        var heads = await pages.RunAsync(
            db => db.Definitions.Where(d => workflows == null || workflows.Contains(d.Name)).Select(d => d.Name).Distinct()
                .Select(n => new
                {
                    Name = n,
                    First = db.Runs.Where(r => r.Workflow == n && r.CreatedAt >= at && (r.CreatedAt > at || r.Id > id) && r.IsCurrent).Min(r => (long?)r.CreatedAt),
                })
                .Where(n => n.First != null).ToListAsync(ct),
            ct);
        var merge = new RunMerge(pages);
        foreach (var head in heads) merge.walks.Enqueue(new Walk(head.Name, (at, id)), (head.First!.Value, 0));
        return merge;
    }

    /// <summary>The next ids, at most that many; none at the end.</summary>
    public async Task<List<long>> NextAsync(int most, CancellationToken ct)
    {
        var next = new List<long>();
        while (next.Count < most && walks.TryDequeue(out var walk, out _))
        {
            if (walk.IsEmpty && !await FillAsync(walk, ct)) continue;
            if (walk.IsNew)
            {
                // Enqueued under the instant of its first run alone; now under its key.
                walk.IsNew = false;
                walks.Enqueue(walk, walk.First);
                continue;
            }

            next.Add(walk.Take().Id);
            if (!walk.IsEmpty || await FillAsync(walk, ct)) walks.Enqueue(walk, walk.First);
        }

        return next;
    }

    private async Task<bool> FillAsync(Walk walk, CancellationToken ct)
    {
        var (name, at, id) = (walk.Workflow, walk.Last.CreatedAt, walk.Last.Id);
        var keys = await pages.RunAsync(
            db => db.Runs.Where(r => r.Workflow == name && r.CreatedAt >= at && (r.CreatedAt > at || r.Id > id) && r.IsCurrent)
                .OrderBy(r => r.CreatedAt).ThenBy(r => r.Id).Take(Keys).Select(r => new { r.CreatedAt, r.Id }).ToListAsync(ct),
            ct);
        foreach (var key in keys) walk.Add((key.CreatedAt, key.Id));
        return keys.Count > 0;
    }

    private sealed class Walk(string workflow, (long CreatedAt, long Id) last)
    {
        private readonly Queue<(long CreatedAt, long Id)> keys = new();

        public string Workflow => workflow;

        public bool IsNew { get; set; } = true;

        public bool IsEmpty => keys.Count == 0;

        public (long CreatedAt, long Id) First => keys.Peek();

        /// <summary>The last key that was read.</summary>
        public (long CreatedAt, long Id) Last { get; private set; } = last;

        public void Add((long CreatedAt, long Id) key)
        {
            keys.Enqueue(key);
            Last = key;
        }

        public (long CreatedAt, long Id) Take() => keys.Dequeue();
    }
}
