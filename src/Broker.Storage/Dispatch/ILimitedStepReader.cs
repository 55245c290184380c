using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>How an engine reads and leases steps for claims that are limited to workflows.</summary>
internal interface ILimitedStepReader
{
    /// <summary>Reads a page of each queue and notes in each part the steps found, the start of the next page and the rows read. Returns the database's clock.</summary>
    /// <param name="parts">The queues.</param>
    /// <param name="workflows">Workflows that the claims are limited to.</param>
    /// <param name="page">Rows of each queue at most.</param>
    /// <param name="most">Steps found in each queue at most.</param>
    long Read(IReadOnlyList<LimitedQueueScan> parts, IReadOnlyList<string> workflows, int page, int most);

    /// <summary>Leases those of these steps that are still ready, in order, to the group's slots from that one on; returns how many.</summary>
    int Lease(ClaimGroup group, int slot, IReadOnlyList<StepKey> steps);
}
