namespace Broker.Storage.Dispatch;

/// <summary>
/// Hands out to claims that are limited to workflows. Label queues hold steps of all workflows, so it reads along them, in pages and from cursors
/// on (see <see cref="LimitedClaimCursors"/>), until it has enough.
/// </summary>
internal sealed class LimitedClaimScan(ClaimGroup group, ILimitedStepReader steps)
{
    /// <summary>After so many rows one transaction reads no further page for a group: other claims wait for it. Measured: 10 ms.</summary>
    public const int MostRows = 4096;

    private const int PageRows = 1024;
    private const int FewestRows = 16;

    // Steps that other transactions may be taking.
    private const int TakenElsewhere = 64;

    // A step may become visible after one that was due later. Such steps of this broker lower the cursor, as do signalled ones of others.
    private const long Settled = 1_000_000;

    private readonly ClaimLimit limit = group.Limit!;
    private int served;

    public void Run()
    {
        var parts = group.Queues.Select(queue => new LimitedQueueScan(queue, limit.Cursors.Begin(queue.Id, limit.Key))).ToList();
        var (rows, now) = (0, 0L);
        while (served < group.Slots.Count && parts.FindAll(part => part is { Next: not null, Found.Count: 0 }) is { Count: > 0 } open && rows < MostRows)
        {
            now = steps.Read(open, limit.Workflows, Math.Max(FewestRows, PageRows / open.Count), group.Slots.Count - served + TakenElsewhere);
            foreach (var part in open.Where(part => part.Found.Count > 0)) part.First ??= part.Found[0].Place;
            rows = parts.Sum(part => part.Rows);
            Lease(parts);
        }

        if (served < group.Slots.Count && parts.Exists(part => part.Next is not null))
        {
            foreach (var slot in group.Slots.Skip(served)) slot.Claim.IsCut = true;
        }

        foreach (var part in parts) End(part, now);
    }

    // By priority, and within one in order. While a queue of one priority is not read to its end, none of a lower one is taken.
    private void Lease(List<LimitedQueueScan> parts)
    {
        foreach (var priority in parts.GroupBy(part => part.Queue.Priority))
        {
            var found = priority.SelectMany(part => part.Found).OrderBy(f => f.Place).Select(f => f.Step).ToList();
            foreach (var part in priority) part.Found.Clear();
            if (found.Count > 0) served += steps.Lease(group, served, found);
            if (served == group.Slots.Count || priority.Any(part => part.Next is not null)) return;
        }
    }

    private void End(LimitedQueueScan part, long now)
    {
        var settled = new QueuePlace(now - Settled, 0, 0);
        var reached = part.First ?? part.Next ?? (part.Walk.From.CompareTo(settled) > 0 ? part.Walk.From : settled);
        limit.Cursors.End(part.Walk, reached, part.Rows, isCut: part.First is null && part.Next is not null);
    }
}
