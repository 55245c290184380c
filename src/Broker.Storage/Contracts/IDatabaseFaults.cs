namespace Broker.Storage.Contracts;

/// <summary>What a fault says about the database.</summary>
public interface IDatabaseFaults
{
    /// <summary>Whether the database cannot be reached, or cannot write, at present.</summary>
    bool IsUnavailable(Exception fault);

    /// <summary>Whether a start that failed with this may succeed later: the database cannot be reached. A wrong password or a full disk stays.</summary>
    bool IsAway(Exception fault);
}
