using System.Linq.Expressions;
using Broker.Storage.Tables;

namespace Broker.Storage.Sqlite;

/// <summary>Parameters of a statement that takes a row: @p0 for the first column, and so on.</summary>
internal sealed class RowValues<TRow>
    where TRow : class
{
    private readonly Action<TRow, SqliteValue[]> write;
    private readonly TableColumns<TRow> columns;

    public RowValues(TableColumns<TRow> columns)
    {
        this.columns = columns;
        var (row, values) = (Expression.Parameter(typeof(TRow)), Expression.Parameter(typeof(SqliteValue[])));
        var assignments = Enumerable.Range(0, columns.Count).Select(i => Expression.Assign(
            Expression.ArrayAccess(values, Expression.Constant(i)), Expression.Convert(Expression.Property(row, columns[i].Property), typeof(SqliteValue))));
        write = Expression.Lambda<Action<TRow, SqliteValue[]>>(Expression.Block(assignments), row, values).Compile();
    }

    public int Count => columns.Count;

    /// <summary>For VALUES.</summary>
    public string Places => string.Join(", ", Enumerable.Range(0, columns.Count).Select(i => $"@p{i}"));

    /// <summary>For SET: every column but those of the named properties.</summary>
    public string AssignmentsBut(params string[] properties) => string.Join(
        ", ", Enumerable.Range(0, columns.Count).Where(i => !properties.Contains(columns[i].Property.Name)).Select(i => $"{columns[i].Name} = @p{i}"));

    /// <summary>Place of the column of a property.</summary>
    public string this[string property] => $"@p{Enumerable.Range(0, columns.Count).First(i => columns[i].Property.Name == property)}";

    public void Write(TRow row, SqliteValue[] values) => write(row, values);
}
