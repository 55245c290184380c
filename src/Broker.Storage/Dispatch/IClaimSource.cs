using Broker.Storage.Dispatch.Commands;

namespace Broker.Storage.Dispatch;

/// <summary>
/// Adds claims to transactions beside those of their callers. A transaction asks each source in order and knows none of them by name; a new reason to
/// grant a step early is another implementation.
/// </summary>
internal interface IClaimSource
{
    /// <summary>Adds claims for steps that the transaction makes ready, before it grants steps.</summary>
    /// <param name="queueIds">The queue of each ready step.</param>
    /// <param name="most">Claims to add at most.</param>
    /// <param name="commands">Takes the claims: they are answered like all others.</param>
    void AddForReadySteps(IReadOnlyList<int> queueIds, int most, List<StoreCommand> commands)
    {
    }

    /// <summary>Claims that the workers of these reports will make next; null: none.</summary>
    /// <param name="commands">All commands of the transaction, after their verdicts.</param>
    /// <param name="mayGrant">Whether steps may be granted to them now.</param>
    IPendingClaims? ForReports(IReadOnlyList<StoreCommand> commands, bool mayGrant) => null;

    /// <summary>The transaction is committed, and its callers are not answered yet.</summary>
    /// <param name="commands">All commands of the transaction.</param>
    /// <param name="turnedRuns">Runs whose phase has changed; null: none.</param>
    void Committed(IReadOnlyList<StoreCommand> commands, IReadOnlyList<long>? turnedRuns)
    {
    }
}

/// <summary>Claims that a source expects after one transaction.</summary>
internal interface IPendingClaims
{
    /// <summary>Those that get steps in this transaction.</summary>
    IEnumerable<ClaimCommand> Claims { get; }

    /// <summary>The transaction is committed: from now on the workers may come.</summary>
    void Committed();
}
