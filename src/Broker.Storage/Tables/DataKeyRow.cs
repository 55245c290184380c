using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A key of the key ring that brokers on one database share, as the framework writes it.</summary>
internal sealed class DataKeyRow
{
    public required string Name { get; set; }

    /// <summary>XML; its secret part is encrypted where a secret is configured.</summary>
    public required string Xml { get; set; }
    public long AddedAt { get; set; }

    public static void Map(EntityTypeBuilder<DataKeyRow> key)
    {
        key.ToTable("data_key");
        key.HasKey(k => k.Name);
    }
}
