using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Schema;

/// <summary>Begins a new epoch of a database that was restored: brokers that run drop what they remember of the former one.</summary>
internal sealed class Restoration(IDatabase database) : IRestoration
{
    /// <summary>Name of the counter that numbers epochs.</summary>
    public const string Counter = "epoch";

    /// <summary>Returns how many connections of brokers were ended: their next ones see the epoch before anything else.</summary>
    public async Task<long> BeginEpochAsync(CancellationToken ct)
    {
        // By time: a second restore of the same backup must not come to the same number.
        var number = (await database.NowAsync(ct)).ToMicros();
        using (await database.WriteTurnAsync(ct))
        {
            await using var db = database.CreateContext();
            if (await db.Counters.SingleOrDefaultAsync(c => c.Name == Counter, ct) is { } row) row.Next = Math.Max(number, row.Next + 1);
            else db.Counters.Add(new CounterRow { Name = Counter, Next = number });
            await db.SaveChangesAsync(ct);
        }

        return await database.EndOtherConnectionsAsync(ct);
    }
}
