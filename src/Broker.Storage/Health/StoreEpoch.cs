using Broker.Storage.Contracts;

namespace Broker.Storage.Health;

/// <summary>
/// Number of the database's history that the caches of this broker come from. A failover that lost transactions, or a restore, begins another one: then
/// all caches are dropped, and decisions from cached rows are not written.
/// </summary>
internal sealed class StoreEpoch : IStoreEpoch
{
    private int number;

    /// <summary>Read before a cache is filled or used; see <see cref="Require"/>.</summary>
    public int Number => Volatile.Read(ref number);

    /// <summary>Caches must be dropped. Raised more than once for one change.</summary>
    public event Action? Changed;

    /// <summary>Another history has been found. It counts twice, so that a transaction that begins while caches are dropped does not count as begun after.</summary>
    public void Begin()
    {
        Interlocked.Increment(ref number);
        Changed?.Invoke();
        Interlocked.Increment(ref number);
    }

    /// <summary>Throws if another history was found since <paramref name="seen"/>, and drops what was cached in between.</summary>
    public void Require(int seen)
    {
        if (seen == Number) return;
        Changed?.Invoke();
        throw new StaleEpochException();
    }
}
