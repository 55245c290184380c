using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A notice of a transaction. Written in that transaction and deleted when it is sent, so the table is small.</summary>
internal sealed class OutboxRow
{
    public long Id { get; set; }
    public short Kind { get; set; }
    public long RunId { get; set; }
    public required string Body { get; set; }

    /// <summary>The broker that sends it, until the lease is over; null: none.</summary>
    public string? Owner { get; set; }
    public long LeaseUntil { get; set; }

    public static void Map(EntityTypeBuilder<OutboxRow> outbox) => outbox.ToTable("outbox");
}
