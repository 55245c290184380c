using Broker.Storage.Dispatch;
using Broker.Storage.Tables;

namespace Broker.Storage.Sqlite;

/// <summary>Reads and leases for limited claims, row by row.</summary>
/// <param name="transaction">The transaction.</param>
/// <param name="now">Its instant.</param>
/// <param name="claimed">Where leased steps go.</param>
internal sealed class SqliteLimitedStepReader(SqliteBatchTransaction transaction, long now, List<ClaimedRow> claimed) : ILimitedStepReader
{
    public long Read(IReadOnlyList<LimitedQueueScan> parts, IReadOnlyList<string> workflows, int page, int most)
    {
        foreach (var part in parts) Read(part, workflows, page, most);
        return now;
    }

    private void Read(LimitedQueueScan part, IReadOnlyList<string> workflows, int page, int most)
    {
        var from = part.Next!.Value;
        using var rows = transaction.Query(SqliteSql.LimitedPage, part.Queue.Id, from.Rank, from.Due, from.Index, now, page);
        for (var read = 0; rows.Read(); read++)
        {
            var place = new QueuePlace(rows.GetInt64(2), rows.GetInt64(3), rows.GetInt32(1));
            part.Next = place.Next;
            part.Rows++;
            if (workflows.Contains(rows.GetString(4))) part.Found.Add((place, new StepKey(rows.GetInt64(0), place.Index)));
            if (read + 1 == page || part.Found.Count == most) return;
        }

        part.Next = null;
    }

    public int Lease(ClaimGroup group, int slot, IReadOnlyList<StepKey> steps)
    {
        var leased = Math.Min(group.Slots.Count - slot, steps.Count);
        for (var i = 0; i < leased; i++) claimed.Add(transaction.Lease(steps[i], group.Slots[slot + i], now));
        return leased;
    }
}
