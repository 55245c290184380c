using Broker.Storage.Dispatch;
using Broker.Storage.Tables;
using Npgsql;
using static Broker.Storage.Postgres.Parameters;

namespace Broker.Storage.Postgres;

/// <summary>Reads and leases for limited claims on one connection: an exchange for a page of each queue, and one to lease what it has found.</summary>
/// <param name="claims">Reads what has been leased.</param>
/// <param name="open">Statements of the transaction under way.</param>
/// <param name="claimed">Where leased steps go.</param>
internal sealed class PostgresLimitedStepReader(PostgresClaimScanner claims, Func<BatchBuilder> open, List<ClaimedRow> claimed) : ILimitedStepReader
{
    public long Read(IReadOnlyList<LimitedQueueScan> parts, IReadOnlyList<string> workflows, int page, int most)
    {
        using var batch = open();
        batch.Add(HotSql.FindLimited, [.. Places(parts), Parameter(workflows.Where(StorableText.Fits).ToArray()), Parameter((long)page), Parameter((long)most)]);
        batch.Add(HotSql.PageEnds, [.. Places(parts), Parameter((long)page)]);
        using var reader = batch.Read();
        while (reader.Read())
        {
            var place = new QueuePlace(reader.GetInt64(3), reader.GetInt64(4), reader.GetInt32(2));
            parts[(int)reader.GetInt64(0) - 1].Found.Add((place, new StepKey(reader.GetInt64(1), place.Index)));
        }

        reader.NextResult();
        var now = 0L;
        while (reader.Read())
        {
            var part = parts[(int)reader.GetInt64(0) - 1];
            now = reader.GetInt64(1);

            part.Rows += reader.IsDBNull(5) ? page : (int)reader.GetInt64(5);

            // It stopped at the last one, with the rest of the page unread.
            if (part.Found.Count == most) part.Next = part.Found[^1].Place.Next;
            else part.Next = reader.IsDBNull(2) ? null : new QueuePlace(reader.GetInt64(2), reader.GetInt64(3), reader.GetInt32(4));
        }

        return now;
    }

    private static NpgsqlParameter[] Places(IReadOnlyList<LimitedQueueScan> parts) =>
        [Column(parts, p => p.Queue.Id), Column(parts, p => p.Next!.Value.Rank), Column(parts, p => p.Next!.Value.Due), Column(parts, p => p.Next!.Value.Index)];

    public int Lease(ClaimGroup group, int slot, IReadOnlyList<StepKey> steps)
    {
        var slots = group.Slots.Skip(slot).ToList();
        using var batch = open();
        batch.Add(HotSql.ClaimFound,
            Column(slots, s => s.Worker), Column(slots, s => s.Fence), Column(slots, s => s.LeaseSecs), Column(steps, s => s.RunId), Column(steps, s => s.Index),
            Parameter((long)slots.Count));
        using var reader = batch.Read();
        var before = claimed.Count;
        while (reader.Read()) claimed.Add(claims.ReadOne(reader, slots).Claimed);
        return claimed.Count - before;
    }
}
