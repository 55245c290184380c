using Broker.Storage.Contracts;

namespace Broker.Storage.Postgres;

/// <summary>PostgreSQL: any number of brokers.</summary>
internal sealed class SharedDatabase : IBrokerLock
{
    public void Take()
    {
        // Every broker may serve it.
    }
}
