using Broker.Core.Definitions;
using Broker.Core.Steps;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>
/// Statements that load and write steps, made from the EF model. A statement that writes a few columns names those that it leaves out. So each statement
/// writes a new column until it leaves it out too.
/// </summary>
internal sealed class StepStatements<TRow>
    where TRow : StepRow
{
    // The lease ends with the attempt, and these stay as the claim wrote them.
    private static readonly string[] KeptByEnd =
    [
        nameof(StepRow.QueueId), nameof(StepRow.Rank), nameof(StepRow.Due), nameof(StepRow.Attempt), nameof(StepRow.Losses), nameof(StepRow.Worker), nameof(StepRow.QueuedAt),
        nameof(StepRow.GrantedAt), nameof(StepRow.LeaseSecs), nameof(StepRow.BegunAt), nameof(StepRow.Fence), nameof(StepRow.ExpiresAt), nameof(StepRow.Ahead), nameof(StepRow.Deadline),
        nameof(StepRow.TotalDeadline), nameof(StepRow.AttemptMs), nameof(StepRow.Items),
    ];

    // A step that waits for its first claim has none of these.
    private static readonly string[] UnsetWhenReady =
    [
        nameof(StepRow.Status), nameof(StepRow.Attempt), nameof(StepRow.Losses), nameof(StepRow.Fence), nameof(StepRow.Worker), nameof(StepRow.GrantedAt), nameof(StepRow.ExpiresAt),
        nameof(StepRow.BegunAt), nameof(StepRow.EndedAt), nameof(StepRow.Result), nameof(StepRow.Error), nameof(StepRow.Ahead), nameof(StepRow.Items),
    ];

    private readonly RowMap<TRow, PostgresRows> map;
    private readonly RowArrays<TRow> all;
    private readonly RowArrays<TRow> ended;
    private readonly RowArrays<TRow> ready;
    private readonly RowArrays<TRow> inserted;
    private readonly RowArrays<TRow> readyItems;

    public StepStatements(IReadOnlyModel model)
    {
        var columns = StepColumns.Ruled<TRow>(model);
        var endedColumns = columns.Without(KeptByEnd);
        var insertedColumns = StepColumns.Inserted<TRow>(model);
        var itemColumns = insertedColumns.Without(UnsetWhenReady);
        var readyColumns = itemColumns.Without(StepColumns.Dynamic);
        (map, all, ended, ready) = (new(columns), new(columns), new(endedColumns), new(readyColumns));
        (inserted, readyItems) = (new(insertedColumns), new(itemColumns));
        var keys = new ArrayRows([.. columns.Only(nameof(StepRow.RunId), nameof(StepRow.Idx)).Typed]);
        var rows = new ArrayRows([.. columns.Typed]);
        var leased = new ArrayRows([.. columns.Typed, ("held", "bigint")]);
        var endedRows = new ArrayRows([.. endedColumns.Typed, ("held", "bigint")]);
        var readyRows = new ArrayRows([.. readyColumns.Typed]);
        var insertedRows = new ArrayRows([.. insertedColumns.Typed]);
        var itemRows = new ArrayRows([.. itemColumns.Typed]);

        Load = $"""
            SELECT s.* FROM {keys.Each}
            JOIN LATERAL (SELECT {columns.Names} FROM step WHERE run_id = {keys["run_id"]} AND idx = {keys["idx"]} OFFSET 0) s ON true
            """;
        Lock = $"""
            SELECT s.* FROM (SELECT run_id, idx FROM unnest($1::bigint[], $2::int[]) AS u(run_id, idx) ORDER BY run_id, idx) k
            JOIN LATERAL (SELECT {columns.Names} FROM step WHERE run_id = k.run_id AND idx = k.idx FOR UPDATE) s ON true
            """;
        LockActive = $"""
            SELECT {columns.Names} FROM step
            WHERE run_id = ANY($1) AND idx < $2 AND (status IN (1, 2, 3, 8) OR fence IS NOT NULL) ORDER BY run_id, idx FOR UPDATE
            """;
        LoadAll = $"SELECT {columns.Names} FROM step WHERE run_id = ANY($1) AND idx < {StepDefinition.FirstDynamic}";
        Update = $"""
            UPDATE step s SET {rows.AssignmentsBut("run_id", "idx")}
            FROM {rows.Each} WHERE s.run_id = {rows["run_id"]} AND s.idx = {rows["idx"]}
            """;
        UpdateLeased = $"""
            UPDATE step s SET {leased.AssignmentsBut("run_id", "idx", "held")}
            FROM {leased.Each} WHERE {StillLeased(leased)}
            """;
        EndLeased = $"""
            UPDATE step s SET {endedRows.AssignmentsBut("run_id", "idx", "held")}, fence = NULL, expires_at = NULL, ahead = false
            FROM {endedRows.Each} WHERE {StillLeased(endedRows)}
            """;
        Insert = $"INSERT INTO step ({insertedRows.Names}) SELECT {insertedRows.Values} FROM {insertedRows.Each}";
        InsertReady = $"INSERT INTO step ({readyRows.Names}, status, attempt, losses) SELECT {readyRows.Values}, 1, 0, 0 FROM {readyRows.Each}";
        InsertReadyItems = $"INSERT INTO step ({itemRows.Names}, status, attempt, losses) SELECT {itemRows.Values}, 1, 0, 0 FROM {itemRows.Each}";
        var copied = insertedColumns.Without(nameof(StepRow.RunId), nameof(StepRow.Fence), nameof(StepRow.ExpiresAt), nameof(StepRow.Ahead), nameof(StepRow.Deadline), nameof(StepRow.TotalDeadline));
        CopyItems = $"INSERT INTO step (run_id, {copied.Names}) SELECT $1, {copied.Names} FROM step WHERE run_id = $2 AND idx >= $3 AND idx < $4 AND status = ANY($5)";
    }

    /// <summary>Named steps by primary key. LATERAL with OFFSET 0 keeps it a walk: as a plain join it was once hashed over the whole table.</summary>
    public string Load { get; }

    /// <summary>
    /// The same for leases that may have expired, locked in order: read without the lock, a lease that a heartbeat had renewed meanwhile was
    /// reaped.
    /// </summary>
    public string Lock { get; }

    /// <summary>Waits for claims that are under way: after it, no ready step of these runs is being handed out. Only indexes below a bound.</summary>
    public string LockActive { get; }

    /// <summary>The steps of the definitions of runs, by primary key: no dynamic ones, of which there may be 100,000.</summary>
    public string LoadAll { get; }

    public string Update { get; }

    /// <summary>
    /// The same for steps that are cached as leased: only those that are still leased under the cached fence. Plus zero keeps the planner from the
    /// index of fences. With a plan made while the table was empty, a step cost 24 us, not 12.
    /// </summary>
    public string UpdateLeased { get; }

    /// <summary>The same where all of them have ended: only the columns that this changes. Measured: ten steps cost 0.16 ms so, 0.19 with all columns.</summary>
    public string EndLeased { get; }

    public string Insert { get; }

    /// <summary>The same where all of them wait for a worker: only the columns that differ. Measured: ten steps cost 0.13 ms so, 0.15 with all columns.</summary>
    public string InsertReady { get; }

    /// <summary>The same for items of maps.</summary>
    public string InsertReadyItems { get; }

    /// <summary>Copies ended items of an earlier run. One statement for all of a map: no row of them comes here.</summary>
    public string CopyItems { get; }

    /// <summary>A row of <see cref="Load"/>, <see cref="Lock"/> or <see cref="LockActive"/>.</summary>
    public TRow Read(PostgresRows rows) => map.Read(rows);

    public NpgsqlBatchCommand AddUpdate(BatchBuilder batch, IReadOnlyList<TRow> steps) => batch.Add(Update, all.Of(steps));

    /// <param name="batch">Takes the statement.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="fences">The fences under which they must still be leased.</param>
    public NpgsqlBatchCommand AddUpdateLeased(BatchBuilder batch, IReadOnlyList<TRow> steps, NpgsqlParameter fences) => steps.All(s => s.EndedAt is not null)
        ? batch.Add(EndLeased, ended.Of(steps, fences))
        : batch.Add(UpdateLeased, all.Of(steps, fences));

    public NpgsqlBatchCommand AddInsert(BatchBuilder batch, IReadOnlyList<TRow> steps)
    {
        if (!steps.All(s => s.Status == (short)StepStatus.Ready)) return batch.Add(Insert, inserted.Of(steps));
        return steps.All(s => s.Kind is null) ? batch.Add(InsertReady, ready.Of(steps)) : batch.Add(InsertReadyItems, readyItems.Of(steps));
    }

    private static string StillLeased(ArrayRows rows) =>
        $"s.run_id = {rows["run_id"]} AND s.idx = {rows["idx"]} AND s.status + 0 = 2 AND s.fence + 0 = {rows["held"]}";
}
