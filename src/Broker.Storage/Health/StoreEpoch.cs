using Broker.Storage.Contracts;

namespace Broker.Storage.Health;

/// <summary>
/// Number of the database's history that this broker remembers from. A failover that lost transactions, or a restore, begins another one: then
/// all that is remembered is dropped, and what was decided from it is not written.
/// </summary>
internal sealed class StoreEpoch : IStoreEpoch
{
    private int number;

    /// <summary>Taken before anything is remembered or recalled; see <see cref="Require"/>.</summary>
    public int Number => Volatile.Read(ref number);

    /// <summary>Drops what is remembered. Called more than once for one change.</summary>
    public event Action? Changed;

    /// <summary>Another history has been found. It counts twice, so that what begins while memories are dropped does not count as begun after.</summary>
    public void Begin()
    {
        Interlocked.Increment(ref number);
        Changed?.Invoke();
        Interlocked.Increment(ref number);
    }

    /// <summary>Throws if another history was found since <paramref name="seen"/>, and drops what was remembered in between.</summary>
    public void Require(int seen)
    {
        if (seen == Number) return;
        Changed?.Invoke();
        throw new StaleEpochException();
    }
}
