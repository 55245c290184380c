namespace Broker.Storage.Contracts;

/// <summary>Optional parts that only make the store faster. Each can be switched off: results are the same without it.</summary>
[Flags]
public enum Accelerators
{
    None = 0,

    /// <summary>Leases the next step of a worker in the transaction of its report.</summary>
    EagerDispatch = 1,

    /// <summary>Keeps rows of runs whose steps are leased, so that a report loads nothing. PostgreSQL only.</summary>
    RunCache = 2,

    /// <summary>Keeps small results of ended steps for the steps that follow. PostgreSQL only.</summary>
    ResultCache = 4,

    /// <summary>Gives claims a batch loop of their own, beside that of all other commands. PostgreSQL only.</summary>
    ClaimLoop = 8,

    All = EagerDispatch | RunCache | ResultCache | ClaimLoop,
}
