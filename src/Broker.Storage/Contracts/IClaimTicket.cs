using Broker.Core.Runs;

namespace Broker.Storage.Contracts;

/// <summary>One claim of one client, from its request to its answer.</summary>
public interface IClaimTicket
{
    /// <summary>
    /// Leases steps that are ready. With a time-out it waits until a step is ready or the time is up; empty: there was none, or the host stops.
    /// </summary>
    /// <param name="timeout">Longest wait; zero: answers at once.</param>
    /// <param name="stopping">Ends the wait when the host stops.</param>
    Task<IReadOnlyList<Assignment>> TakeAsync(TimeSpan timeout, CancellationToken stopping);
}
