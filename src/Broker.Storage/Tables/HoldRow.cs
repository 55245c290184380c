using Broker.Storage.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>An operator's order that keeps a worker from claims, or a workflow from starts.</summary>
internal sealed class HoldRow
{
    public short Kind { get; set; }

    /// <summary>Id of the worker, or name of the workflow.</summary>
    public required string Name { get; set; }
    public long At { get; set; }
    public required string KeyId { get; set; }
    public string? Reason { get; set; }

    public static void Map(EntityTypeBuilder<HoldRow> hold)
    {
        hold.ToTable("hold", table => table.HasCheckConstraint("ck_hold_kind", $"kind BETWEEN {(int)HoldKind.Worker} AND {(int)HoldKind.Maintenance}"));
        hold.HasKey(h => new { h.Kind, h.Name });
    }
}
