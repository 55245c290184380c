using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A workflow file as its folder last showed it. A version that came from a file is offered while a row names it.</summary>
internal sealed class WorkflowFileRow
{
    /// <summary>Id of the workflow.</summary>
    public required string Name { get; set; }

    /// <summary>The folder that owns the row; brokers with the same folder share it.</summary>
    public required string Source { get; set; }

    /// <summary>Name of the file in its folder.</summary>
    public required string File { get; set; }

    /// <summary>Version of the definition that the file holds; null when it cannot be read.</summary>
    public string? Version { get; set; }

    /// <summary>Why it cannot be read.</summary>
    public string? Error { get; set; }
    public long ChangedAt { get; set; }

    public static void Map(EntityTypeBuilder<WorkflowFileRow> file)
    {
        file.ToTable("workflow_file", table => table.HasCheckConstraint("ck_workflow_file_state", "(version IS NULL) <> (error IS NULL)"));

        // The name first: it serves "does another folder offer this version".
        file.HasKey(f => new { f.Name, f.Source });
    }
}
