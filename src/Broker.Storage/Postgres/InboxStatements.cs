using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Postgres;

/// <summary>Statements that load and write inbox events, made from the EF model.</summary>
internal sealed class InboxStatements
{
    private readonly RowMap<InboxRow, PostgresRows> pending;
    private readonly RowMap<InboxRow, PostgresRows> taken;
    private readonly RowArrays<InboxRow> arriving;
    private readonly RowArrays<InboxRow> consumed;

    public InboxStatements(IReadOnlyModel model)
    {
        var columns = new InboxColumns(model);
        (pending, taken, arriving, consumed) = (new(columns.Pending), new(columns.Taken), new(columns.Arriving), new(columns.Consumed));
        var newRows = new ArrayRows([.. columns.Arriving.Typed]);
        var consumedRows = new ArrayRows([.. columns.Consumed.Typed]);

        Pending = $"SELECT {columns.Pending.Names} FROM inbox WHERE run_id = ANY($1) AND delivered_at IS NULL ORDER BY run_id, id FOR UPDATE";
        Taken = $"""
            SELECT DISTINCT {columns.Taken.NamesOf("i")} FROM unnest($1::bigint[], $2::int[]) AS k(run_id, idx)
            JOIN inbox i ON i.run_id = k.run_id AND i.consumed_by = k.idx ORDER BY i.run_id, i.id
            """;
        Insert = $"INSERT INTO inbox ({newRows.Names}) SELECT {newRows.Values} FROM {newRows.Each}";
        Consume = $"""
            UPDATE inbox m SET {consumedRows.AssignmentsBut("run_id", "id")}
            FROM {consumedRows.Each} WHERE m.run_id = {consumedRows["run_id"]} AND m.id = {consumedRows["id"]}
            """;
    }

    /// <summary>Locked: a claim that hands events to its step takes them without the run's lock, and an event is consumed once.</summary>
    public string Pending { get; }

    public string Taken { get; }

    public string Insert { get; }

    public string Consume { get; }

    /// <summary>A row of <see cref="Pending"/>.</summary>
    public InboxRow ReadPending(PostgresRows rows) => pending.Read(rows);

    /// <summary>A row of <see cref="Taken"/>.</summary>
    public InboxRow ReadTaken(PostgresRows rows) => taken.Read(rows);

    public void AddInsert(BatchBuilder batch, IReadOnlyList<InboxRow> events) => batch.Add(Insert, arriving.Of(events));

    public void AddConsume(BatchBuilder batch, IReadOnlyList<InboxRow> events) => batch.Add(Consume, consumed.Of(events));
}
