using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>Outcome of a start that may be sent again. Written in the start's own transaction: neither is there without the other.</summary>
internal sealed class StartKeyRow
{
    public required string Key { get; set; }
    public required string Request { get; set; }
    public short Verdict { get; set; }
    public long RunId { get; set; }
    public required string Workflow { get; set; }
    public required string InstanceId { get; set; }
    public int Number { get; set; }
    public long At { get; set; }

    public static void Map(EntityTypeBuilder<StartKeyRow> key)
    {
        key.ToTable("start_key");
        key.HasKey(k => k.Key);

        // Serves the pruning.
        key.HasIndex(k => k.At);
    }
}
