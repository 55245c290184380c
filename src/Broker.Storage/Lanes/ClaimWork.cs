using Broker.Core.Runs;
using Broker.Storage.Model;

namespace Broker.Storage.Lanes;

internal sealed class ClaimWork : Work<IReadOnlyList<Assignment>>
{
    private readonly List<Assignment> given = [];

    public ClaimWork(ClaimRequest request, IReadOnlyList<QueueRow> queues) => (Request, Queues, Outcome) = (request, queues, given);

    public ClaimRequest Request { get; }

    public IReadOnlyList<QueueRow> Queues { get; }

    /// <summary>Fences to use, where the claim can be sent again; else they are made at random.</summary>
    public long[]? Fences { get; init; }

    /// <summary>Made before its worker asks.</summary>
    public bool IsAhead { get; init; }

    /// <summary>The claim was sent before: leases that it was granted then are live, have been renewed, and no others are granted.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>The same claim once more.</summary>
    public ClaimWork Again() => new(Request, Queues) { Cancelled = Cancelled, Fences = Fences };

    public void Give(Assignment step) => given.Add(step);

    public override void Reset()
    {
        given.Clear();
        IsRepeated = false;
    }
}
