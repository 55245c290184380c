using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Sqlite;

/// <summary>Statements that load and write inbox events, made from the EF model.</summary>
internal sealed class InboxStatements
{
    private readonly RowMap<InboxRow, SqliteRows> pending;

    public InboxStatements(IReadOnlyModel model)
    {
        var columns = new InboxColumns(model);
        (pending, ArrivingValues, ConsumedValues) = (new(columns.Pending), new(columns.Arriving), new(columns.Consumed));
        Pending = $"SELECT {columns.Pending.Names} FROM inbox WHERE run_id = @p0 AND delivered_at IS NULL ORDER BY id";
        Taken = $"SELECT {columns.Pending.Names} FROM inbox WHERE run_id = @p0 AND consumed_by = @p1 ORDER BY id";
        Insert = $"INSERT INTO inbox ({columns.Arriving.Names}) VALUES ({ArrivingValues.Places})";
        Consume = $"""
            UPDATE inbox SET {ConsumedValues.AssignmentsBut(nameof(InboxRow.RunId), nameof(InboxRow.Id))}
            WHERE run_id = {ConsumedValues[nameof(InboxRow.RunId)]} AND id = {ConsumedValues[nameof(InboxRow.Id)]}
            """;
    }

    public string Pending { get; }

    public string Taken { get; }

    public string Insert { get; }

    public string Consume { get; }

    /// <summary>The parameters of <see cref="Insert"/>.</summary>
    public RowValues<InboxRow> ArrivingValues { get; }

    /// <summary>The parameters of <see cref="Consume"/>.</summary>
    public RowValues<InboxRow> ConsumedValues { get; }

    /// <summary>A row of <see cref="Pending"/> or <see cref="Taken"/>.</summary>
    public InboxRow Read(SqliteRows rows) => pending.Read(rows);
}
