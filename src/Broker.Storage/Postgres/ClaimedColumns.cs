using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Columns that a claim returns: the place of its slot, those of step and run, and those that may be cached of the run.</summary>
internal sealed class ClaimedColumns
{
    private readonly RowMap<StepRow, PostgresRows> step;
    private readonly RowMap<RunRow, PostgresRows> run;
    private readonly int joins;

    public ClaimedColumns(IReadOnlyModel model)
    {
        var steps = StepColumns.Claimed(model);
        var runs = new RunColumns(model).Claimed;
        step = new(steps, 1);
        run = new(runs, 1 + steps.Count);
        joins = 1 + steps.Count + runs.Count;

        // A version only of what RunCache may keep: its rule for a run, and a first attempt, whose state needs no more than these columns. Of a run with a
        // priority, a later start or a deadline, and of a step with a deadline, the rules need more.
        List = $"""
            p.ord::bigint, {steps.NamesOf("s")}, {runs.NamesOf("r")}, CASE WHEN length(r.joins) <= 400 THEN r.joins END,
                CASE WHEN s.attempt = 0 AND s.deadline IS NULL AND r.phase = 0 AND r.mail = 0 AND r.error IS NULL AND r.priority IS NULL AND r.start_at IS NULL
                    AND r.deadline IS NULL AND coalesce(length(r.joins), 0) <= 400 THEN r.xmin END
            """;
    }

    /// <summary>For RETURNING, of a step s and its run r.</summary>
    public string List { get; }

    /// <summary>Place of the slot that the row goes to, from 0 on.</summary>
    public static int Slot(NpgsqlDataReader reader) => (int)reader.GetInt64(0) - 1;

    public StepRow Step(NpgsqlDataReader reader) => step.Read(new PostgresRows(reader));

    public RunRow Run(NpgsqlDataReader reader) => run.Read(new PostgresRows(reader));

    public string? Joins(NpgsqlDataReader reader) => reader.IsDBNull(joins) ? null : reader.GetString(joins);

    /// <summary>Version of the run; null where it may not be cached.</summary>
    public uint? Version(NpgsqlDataReader reader) => reader.IsDBNull(joins + 1) ? null : reader.GetFieldValue<uint>(joins + 1);
}
