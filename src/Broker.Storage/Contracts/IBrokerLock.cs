namespace Broker.Storage.Contracts;

/// <summary>Right of this process to serve the database, taken before the first write and held until the process ends.</summary>
public interface IBrokerLock
{
    /// <summary>Throws <see cref="DatabaseInUseException"/> when another broker has it. Taking it again changes nothing.</summary>
    void Take();
}

/// <summary>Another broker serves this database, which takes one at a time; the message names its process.</summary>
public sealed class DatabaseInUseException(string message) : Exception(message);
