namespace Broker.Storage.Contracts;

/// <summary>Whether the database can be reached, and what a fault says about that.</summary>
public interface IDatabaseFaults
{
    /// <summary>Throws when the database does not answer.</summary>
    Task PingAsync(CancellationToken ct);

    /// <summary>Whether the database cannot be reached, or cannot write, at present.</summary>
    bool IsUnavailable(Exception fault);

    /// <summary>Whether a start that failed with this may succeed later: the database cannot be reached. A wrong password or a full disk stays.</summary>
    bool IsAway(Exception fault);
}
