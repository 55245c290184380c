using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A subscription of a workflow's latest definition to a type of event.</summary>
internal sealed class TriggerRow
{
    public required string Workflow { get; set; }
    public int Place { get; set; }
    public required string Type { get; set; }
    public required string Spec { get; set; }

    public static void Map(EntityTypeBuilder<TriggerRow> trigger)
    {
        trigger.ToTable("event_trigger");
        trigger.HasKey(t => new { t.Workflow, t.Place });

        // Serves an event.
        trigger.HasIndex(t => new { t.Type, t.Workflow, t.Place }, "ix_event_trigger_type");
    }
}
