using Broker.Core.Runs;
using Broker.Storage.Catalog;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>Claims steps. The write of its transaction grants them.</summary>
internal sealed class ClaimCommand : StoreCommand<IReadOnlyList<Assignment>>
{
    private readonly List<Assignment> given = [];

    public ClaimCommand(ClaimRequest request, IReadOnlyList<QueueRow> queues)
    {
        (Request, Queues, Outcome) = (request, queues, given);
        Limit = request.Workflows is null ? null : ClaimScopes.LimitOf(request.Workflows);
    }

    public ClaimRequest Request { get; }

    public IReadOnlyList<QueueRow> Queues { get; }

    /// <summary>Equal for claims that may have steps of the same workflows; null: of all.</summary>
    public string? Limit { get; }

    /// <summary>Fences to use, where the claim can be sent again; else they are made at random.</summary>
    public long[]? Fences { get; init; }

    /// <summary>Made before its worker claims.</summary>
    public bool IsAhead { get; init; }

    /// <summary>The claim was sent before: leases that it was granted then are live, have been renewed, and no others are granted.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>It is limited to workflows and has read as many steps of others as a transaction may: there may be more behind them.</summary>
    public bool IsCut { get; set; }

    /// <summary>The same claim once more.</summary>
    public ClaimCommand Again() => new(Request, Queues) { Cancelled = Cancelled, Fences = Fences };

    public void Give(Assignment step) => given.Add(step);

    public override void Reset()
    {
        given.Clear();
        IsRepeated = IsCut = false;
    }
}
