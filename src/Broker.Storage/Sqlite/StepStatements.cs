using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Broker.Storage.Sqlite;

/// <summary>Statements that load and write one step, made from the EF model.</summary>
internal sealed class StepStatements<TRow>
    where TRow : StepRow
{
    private readonly RowMap<TRow, SqliteRows> map;

    public StepStatements(IReadOnlyModel model)
    {
        var columns = StepColumns.Ruled<TRow>(model);
        (map, Values) = (new(columns), new(columns));
        var key = $"run_id = {Values[nameof(StepRow.RunId)]} AND idx = {Values[nameof(StepRow.Idx)]}";
        Load = $"SELECT {columns.Names} FROM step WHERE run_id = @p0 AND idx = @p1";
        LoadActive = $"SELECT {columns.Names} FROM step WHERE run_id = @p0 AND (status IN (1, 2, 3, 8) OR fence IS NOT NULL) ORDER BY idx";
        LoadAll = $"SELECT {columns.Names} FROM step WHERE run_id = @p0";
        Update = $"UPDATE step SET {Values.AssignmentsBut(nameof(StepRow.RunId), nameof(StepRow.Idx))} WHERE {key}";
        Insert = $"INSERT INTO step ({columns.Names}) VALUES ({Values.Places})";
    }

    public string Load { get; }

    public string LoadActive { get; }

    public string LoadAll { get; }

    public string Update { get; }

    public string Insert { get; }

    /// <summary>The parameters of <see cref="Update"/> and <see cref="Insert"/>.</summary>
    public RowValues<TRow> Values { get; }

    /// <summary>A row of <see cref="Load"/> or <see cref="LoadActive"/> or <see cref="LoadAll"/>.</summary>
    public TRow Read(SqliteRows rows) => map.Read(rows);
}
