using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Tables;

/// <summary>Columns of the inbox by what a hot statement does with them.</summary>
internal sealed class InboxColumns(IReadOnlyModel model)
{
    private readonly TableColumns<InboxRow> all = new(model);

    /// <summary>An event that no step has consumed.</summary>
    public TableColumns<InboxRow> Pending => all.Without(nameof(InboxRow.ClientId), nameof(InboxRow.DeliveredAt), nameof(InboxRow.ConsumedBy));

    /// <summary>An event with the step that has consumed it.</summary>
    public TableColumns<InboxRow> Taken => all.Without(nameof(InboxRow.ClientId), nameof(InboxRow.DeliveredAt));

    /// <summary>An event that arrives.</summary>
    public TableColumns<InboxRow> Arriving => all.Without(nameof(InboxRow.DeliveredAt), nameof(InboxRow.ConsumedBy));

    /// <summary>The key, and what its consumption changes.</summary>
    public TableColumns<InboxRow> Consumed => all.Only(nameof(InboxRow.RunId), nameof(InboxRow.Id), nameof(InboxRow.DeliveredAt), nameof(InboxRow.ConsumedBy));
}
