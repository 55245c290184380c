using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A tag of a run, by which runs are found. The run's own row has all its tags as JSON, as they were written.</summary>
internal sealed class RunTagRow
{
    public required string Name { get; set; }

    /// <summary>Text of a string, or a number as it was written.</summary>
    public required string Value { get; set; }

    /// <summary>Creation of the run.</summary>
    public long CreatedAt { get; set; }
    public long RunId { get; set; }

    public static IEnumerable<RunTagRow> Of(long runId, long createdAt, string? tagsJson) =>
        Core.Runs.RunTags.All(tagsJson).Select(tag => new RunTagRow { Name = tag.Name, Value = tag.Value, CreatedAt = createdAt, RunId = runId });

    public static void Map(EntityTypeBuilder<RunTagRow> tag)
    {
        tag.ToTable("run_tag");

        // Serves searches by tag, in the order in which runs are listed.
        tag.HasKey(t => new { t.Name, t.Value, t.CreatedAt, t.RunId });

        // Serves changes of tags and the removal of runs.
        tag.HasIndex(t => t.RunId);
    }
}
