using Broker.Core.Runs;

namespace Broker.Storage.Contracts;

/// <summary>Where idle claims wait for work: woken as many as there is work for, by this broker's writes, other brokers' or a poll.</summary>
public interface IWaitingClaims
{
    /// <summary>
    /// Whether claims of the same kind are waiting, one of them has looked in vain and nothing has become ready since: a look would find
    /// nothing either.
    /// </summary>
    ValueTask<bool> IsQuietAsync(ClaimRequest claim, CancellationToken ct);

    /// <summary>Joins the queue of waiting claims; dispose to leave it.</summary>
    Task<IWaitingClaim> EnterAsync(ClaimRequest claim, CancellationToken ct);
}

/// <summary>One waiting claim.</summary>
public interface IWaitingClaim : IDisposable
{
    /// <summary>Begins a look, if it may find something.</summary>
    bool BeginsLook();

    /// <summary>The look was in vain: until something becomes ready others of this kind need not look.</summary>
    void FoundNothing();

    /// <summary>
    /// What it is being given by the transaction that makes a step ready, without a look of its own; null: nothing, it has to look. Once.
    /// </summary>
    Task<IReadOnlyList<Assignment>>? TakeOffer();

    /// <summary>The claim got something: nobody else need look for what it was woken for.</summary>
    void Served();

    /// <summary>Returns true when it is worth another look, false when the time is up.</summary>
    Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct);
}
