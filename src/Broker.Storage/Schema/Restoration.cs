using Broker.Storage.Dispatch;
using Broker.Storage.Postgres;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Schema;

/// <summary>Begins a new epoch of a database that was restored: brokers that run drop what they remember of the former one.</summary>
internal sealed class Restoration(IDatabaseEngine engine, IServiceProvider services)
{
    /// <summary>Name of the counter that numbers epochs.</summary>
    public const string Counter = "epoch";

    /// <summary>Returns how many connections of brokers were ended: their next ones see the epoch before anything else.</summary>
    public async Task<long> BeginEpochAsync(CancellationToken ct)
    {
        // By time: a second restore of the same backup must not come to the same number.
        var number = (await engine.NowAsync(ct)).ToMicros();
        using (await engine.WriteTurnAsync(ct))
        {
            await using var db = engine.CreateContext();
            if (await db.Counters.SingleOrDefaultAsync(c => c.Name == Counter, ct) is { } row) row.Next = Math.Max(number, row.Next + 1);
            else db.Counters.Add(new CounterRow { Name = Counter, Next = number });
            await db.SaveChangesAsync(ct);
        }

        return services.GetService(typeof(PostgresEngine)) is PostgresEngine postgres ? await postgres.EndOthersAsync(ct) : 0;
    }
}
