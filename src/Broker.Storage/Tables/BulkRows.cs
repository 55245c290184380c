using Broker.Storage.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>An action on many runs.</summary>
internal sealed class BulkRow
{
    public long Id { get; set; }
    public short Phase { get; set; }
    public required string Action { get; set; }

    /// <summary>Expression that chooses the runs; null: they were named.</summary>
    public string? Choice { get; set; }

    /// <summary>JSON of what the action takes.</summary>
    public string? Args { get; set; }

    /// <summary>JSON array of runs to leave out.</summary>
    public string? Exclude { get; set; }
    public int? Rate { get; set; }
    public required string KeyId { get; set; }

    /// <summary>JSON array of the only workflows of its key; null: all.</summary>
    public string? Workflows { get; set; }
    public string? Reason { get; set; }
    public required string Confirm { get; set; }
    public long AsOf { get; set; }
    public long CreatedAt { get; set; }
    public long? StartedAt { get; set; }
    public long? EndedAt { get; set; }
    public string? StoppedBecause { get; set; }
    public int Total { get; set; }
    public int Done { get; set; }
    public int Failed { get; set; }
    public int Skipped { get; set; }

    /// <summary>Place of the last run that was listed, as JSON; null: none.</summary>
    public string? Place { get; set; }

    /// <summary>The broker that works on it, until the lease is over.</summary>
    public string? Owner { get; set; }
    public long LeaseUntil { get; set; }

    public static void Map(EntityTypeBuilder<BulkRow> bulk)
    {
        bulk.ToTable("bulk", table => table.HasCheckConstraint("ck_bulk_phase", $"phase BETWEEN {(int)BulkPhase.Planned} AND {(int)BulkPhase.Stopped}"));

        // Serves the look for work: as small as the number of actions under way.
        bulk.HasIndex(b => b.LeaseUntil, "ix_bulk_open").HasFilter($"phase >= {(int)BulkPhase.Collecting} AND phase <= {(int)BulkPhase.Running}");
    }
}

/// <summary>
/// A run of an action. The runs are rows and not a place in a list. So the set is that of one instant whatever the action does to it, and the total
/// is exact. Each run has its outcome, and the work that a killed broker left undone is known.
/// </summary>
internal sealed class BulkItemRow
{
    public long BulkId { get; set; }

    /// <summary>Counts the runs of the action from 1.</summary>
    public int Seq { get; set; }
    public long RunId { get; set; }
    public required string Workflow { get; set; }
    public required string InstanceId { get; set; }
    public int Number { get; set; }
    public short Outcome { get; set; }
    public string? Code { get; set; }
    public string? Message { get; set; }

    public static void Map(EntityTypeBuilder<BulkItemRow> item)
    {
        item.ToTable("bulk_item", table => table.HasCheckConstraint("ck_bulk_item_outcome", $"outcome BETWEEN {(int)BulkOutcome.Pending} AND {(int)BulkOutcome.Skipped}"));
        item.HasKey(i => new { i.BulkId, i.Seq });

        // Serves the next runs to act on, and lists of what was not done. Runs that were done are not in it.
        item.HasIndex(i => new { i.BulkId, i.Outcome, i.Seq }, "ix_bulk_item_open").HasFilter($"outcome <> {(int)BulkOutcome.Done}");
    }
}
