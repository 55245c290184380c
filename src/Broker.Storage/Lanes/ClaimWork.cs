using Broker.Core.Runs;
using Broker.Storage.Model;

namespace Broker.Storage.Lanes;

internal sealed class ClaimWork(ClaimRequest request, IReadOnlyList<QueueRow> queues) : Work<List<Assignment>>
{
    public ClaimRequest Request { get; } = request;

    public IReadOnlyList<QueueRow> Queues { get; } = queues;

    /// <summary>Fences to use, where the claim can be sent again; else they are made at random.</summary>
    public IReadOnlyList<long>? Fences { get; init; }
}
