using Broker.Storage.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A schedule: see <see cref="StoredSchedule"/>.</summary>
internal sealed class ScheduleRow
{
    public required string Name { get; set; }
    public required string Workflow { get; set; }
    public bool IsOwned { get; set; }
    public required string Spec { get; set; }
    public required string KeyId { get; set; }
    public int Revision { get; set; }
    public long? PausedAt { get; set; }
    public string? PausedBy { get; set; }
    public string? PauseNote { get; set; }
    public string? DisabledBecause { get; set; }
    public long LastNominal { get; set; }
    public long? PausedUntil { get; set; }

    /// <summary>When a round looks at it; while one does, the end of its lease. Null: nothing is due.</summary>
    public long? NextAt { get; set; }

    /// <summary>The round that looks at it.</summary>
    public string? Owner { get; set; }
    public string? LastInstance { get; set; }
    public long? LastAt { get; set; }
    public long Started { get; set; }
    public long Skipped { get; set; }
    public long CreatedAt { get; set; }
    public long UpdatedAt { get; set; }

    public static void Map(EntityTypeBuilder<ScheduleRow> schedule)
    {
        schedule.ToTable("schedule");
        schedule.HasKey(s => s.Name);

        // Serves the look for what is due. Paused schedules and those that have ended are not in it.
        schedule.HasIndex(s => s.NextAt, "ix_schedule_due").HasFilter("next_at IS NOT NULL");

        // Serves the schedules of a definition.
        schedule.HasIndex(s => s.Workflow);
    }
}

/// <summary>An instant of a schedule: see <see cref="Firing"/>.</summary>
internal sealed class ScheduleFiringRow
{
    public long Id { get; set; }
    public required string Schedule { get; set; }
    public short Kind { get; set; }
    public short Phase { get; set; }
    public long Nominal { get; set; }
    public long? Until { get; set; }
    public int Count { get; set; }
    public bool IsCapped { get; set; }
    public string? Reason { get; set; }
    public string? Detail { get; set; }
    public string? Instance { get; set; }
    public short? Overlap { get; set; }
    public long At { get; set; }

    public static void Map(EntityTypeBuilder<ScheduleFiringRow> firing)
    {
        firing.ToTable("schedule_firing", table =>
        {
            table.HasCheckConstraint("ck_schedule_firing_phase", $"phase BETWEEN {(int)FiringPhase.Waiting} AND {(int)FiringPhase.Skipped} AND kind BETWEEN {(int)FiringKind.Planned} AND {(int)FiringKind.Backfilled}");
            table.HasCheckConstraint("ck_schedule_firing_reason", $"(phase = {(int)FiringPhase.Skipped}) = (reason IS NOT NULL) AND count > 0");
        });

        // Serves the history of one schedule.
        firing.HasIndex(f => new { f.Schedule, f.Id });

        // Serves what waits: as small as that.
        firing.HasIndex(f => new { f.Schedule, f.Nominal }, "ix_schedule_firing_waiting").HasFilter($"phase = {(int)FiringPhase.Waiting}");

        // Serves expiry.
        firing.HasIndex(f => f.At);
    }
}
