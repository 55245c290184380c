using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Statements that load and write runs, made from the EF model.</summary>
internal sealed class RunStatements
{
    private readonly RowMap<RunRow, PostgresRows> loaded;
    private readonly RowArrays<RunRow> changing;
    private readonly RowArrays<RunRow> started;

    public RunStatements(IReadOnlyModel model)
    {
        var columns = new RunColumns(model);
        var startedColumns = columns.All.Without(nameof(RunRow.StartContext), nameof(RunRow.IsCurrent));
        (loaded, changing, started) = (new(columns.Loaded), new(columns.Changing), new(startedColumns));
        var rows = new ArrayRows([.. columns.Changing.Typed]);
        var cachedRows = new ArrayRows([.. columns.Changing.Typed, ("held", "int")]);
        var newRows = new ArrayRows([.. startedColumns.Typed]);

        Lock = $"SELECT {columns.Loaded.Names} FROM run WHERE id = ANY($1) ORDER BY id FOR UPDATE";
        Update = $"""
            UPDATE run r {Set(rows, "id")}
            FROM {rows.Each} WHERE r.id = {rows["id"]}
            RETURNING r.xmin
            """;
        UpdateCached = $"""
            UPDATE run r {Set(cachedRows, "id", "held")}
            FROM {cachedRows.Each} WHERE r.id = {cachedRows["id"]} AND r.xmin = {cachedRows["held"]}
            RETURNING r.xmin, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
            """;
        Insert = $"""
            INSERT INTO run ({newRows.Names}, start_context, is_current)
            SELECT {newRows.Values}, {newRows["context"]}, true FROM {newRows.Each}
            """;
    }

    /// <summary>The first lock of every transaction, in one order for all.</summary>
    public string Lock { get; }

    public string Update { get; }

    /// <summary>
    /// The same for cached runs: only those that still have the cached version, a 32-bit number, locked in the order of the array. A version that is
    /// committed only while this runs is not found: the statement sees the rows of its begin. Measured: to lock and to compare in a statement of their
    /// own was 10 % of the server's work.
    /// </summary>
    public string UpdateCached { get; }

    public string Insert { get; }

    /// <summary>A row of <see cref="Lock"/>.</summary>
    public RunRow Read(PostgresRows rows) => loaded.Read(rows);

    public void AddUpdate(BatchBuilder batch, IReadOnlyList<RunRow> runs) => batch.Add(Update, changing.Of(runs));

    /// <param name="batch">Takes the statement.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="versions">The versions that they must still have.</param>
    public void AddUpdateCached(BatchBuilder batch, IReadOnlyList<RunRow> runs, NpgsqlParameter versions) => batch.Add(UpdateCached, changing.Of(runs, versions));

    public void AddInsert(BatchBuilder batch, IReadOnlyList<RunRow> runs) => batch.Add(Insert, started.Of(runs));

    // A payload that is null stays as it is.
    private static string Set(ArrayRows runs, params string[] keys) => $"""
        SET {runs.AssignmentsBut([.. keys, "context", "result"])},
            context = coalesce({runs["context"]}, r.context), result = coalesce({runs["result"]}, r.result)
        """;
}
