using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>How much the log of a job in one run holds: so that an append need not count it.</summary>
internal sealed class LogSizeRow
{
    /// <summary>Stands for "no run": a key column cannot be null.</summary>
    public const long NoRun = 0;

    public long RunId { get; set; }
    public required string Workflow { get; set; }
    public required string Step { get; set; }
    public long Bytes { get; set; }

    /// <summary>The limit was reached, and the line that says so is stored.</summary>
    public bool IsCut { get; set; }

    public static void Map(EntityTypeBuilder<LogSizeRow> size)
    {
        size.ToTable("log_size");
        size.HasKey(s => new { s.RunId, s.Workflow, s.Step });
    }
}
