using Broker.Core.Definitions;
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
        var insertedColumns = StepColumns.Inserted<TRow>(model);
        (map, Values, InsertedValues) = (new(columns), new(columns), new(insertedColumns));
        var key = $"run_id = {Values[nameof(StepRow.RunId)]} AND idx = {Values[nameof(StepRow.Idx)]}";
        Load = $"SELECT {columns.Names} FROM step WHERE run_id = @p0 AND idx = @p1";
        LoadActive = $"SELECT {columns.Names} FROM step WHERE run_id = @p0 AND idx < @p1 AND (status IN (1, 2, 3, 8) OR fence IS NOT NULL) ORDER BY idx";
        LoadAll = $"SELECT {columns.Names} FROM step WHERE run_id = @p0 AND idx < {StepDefinition.FirstDynamic}";
        Update = $"UPDATE step SET {Values.AssignmentsBut(nameof(StepRow.RunId), nameof(StepRow.Idx))} WHERE {key}";
        Insert = $"INSERT INTO step ({insertedColumns.Names}) VALUES ({InsertedValues.Places})";
        var copied = insertedColumns.Without(nameof(StepRow.RunId), nameof(StepRow.Fence), nameof(StepRow.ExpiresAt), nameof(StepRow.Ahead), nameof(StepRow.Deadline), nameof(StepRow.TotalDeadline));
        CopyItems = $"INSERT INTO step (run_id, {copied.Names}) SELECT @p0, {copied.Names} FROM step WHERE run_id = @p1 AND idx >= @p2 AND idx < @p3 AND status = @p4";
    }

    public string Load { get; }

    public string LoadActive { get; }

    public string LoadAll { get; }

    public string Update { get; }

    public string Insert { get; }

    /// <summary>Copies ended items of one status from an earlier run.</summary>
    public string CopyItems { get; }

    /// <summary>The parameters of <see cref="Update"/>.</summary>
    public RowValues<TRow> Values { get; }

    /// <summary>The parameters of <see cref="Insert"/>.</summary>
    public RowValues<TRow> InsertedValues { get; }

    /// <summary>A row of <see cref="Load"/> or <see cref="LoadActive"/> or <see cref="LoadAll"/>.</summary>
    public TRow Read(SqliteRows rows) => map.Read(rows);
}
