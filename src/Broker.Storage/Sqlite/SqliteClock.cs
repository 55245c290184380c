using Broker.Storage.Tables;

namespace Broker.Storage.Sqlite;

/// <summary>The host's clock, in whole microseconds, strictly growing from one transaction to the next.</summary>
internal sealed class SqliteClock(TimeProvider time)
{
    private long last;

    public DateTimeOffset Now => Instants.FromMicros(Math.Max(Volatile.Read(ref last), time.GetUtcNow().ToMicros()));

    /// <summary>A later instant than any before. Called by the single writer.</summary>
    public DateTimeOffset Tick()
    {
        last = Math.Max(last + 1, time.GetUtcNow().ToMicros());
        return Instants.FromMicros(last);
    }

    /// <summary>Instants up to this one have been given to rows: what comes next is later.</summary>
    public void AtLeast(long micros) => last = Math.Max(last, micros);
}
