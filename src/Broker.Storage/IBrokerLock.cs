namespace Broker.Storage;

/// <summary>Right of this process to serve the database, taken before the first write and held until the process ends.</summary>
public interface IBrokerLock
{
    /// <summary>Throws <see cref="DatabaseInUseException"/> when another broker has it. Taking it again changes nothing.</summary>
    void Take();
}

/// <summary>Another broker serves this database, which takes one at a time; the message names its process.</summary>
public sealed class DatabaseInUseException(string message) : Exception(message);

/// <summary>PostgreSQL: any number of brokers.</summary>
internal sealed class SharedDatabase : IBrokerLock
{
    public void Take()
    {
        // Every broker may serve it.
    }
}
