using System.Linq.Expressions;
using System.Reflection;

namespace Broker.Storage.Tables;

/// <summary>Reads rows of a SELECT that lists these columns in their order. Compiled once: a row costs one call and boxes nothing.</summary>
internal sealed class RowMap<TRow, TRows>
    where TRow : class
    where TRows : struct, IRows
{
    private readonly Func<TRows, TRow> read;

    /// <param name="columns">The columns.</param>
    /// <param name="from">Place of the first of them.</param>
    public RowMap(TableColumns<TRow> columns, int from = 0)
    {
        var rows = Expression.Parameter(typeof(TRows));
        var values = Enumerable.Range(0, columns.Count).Select(i => Expression.Bind(columns[i].Property, Value(rows, columns[i], from + i)));
        read = Expression.Lambda<Func<TRows, TRow>>(Expression.MemberInit(Expression.New(typeof(TRow)), values), rows).Compile();
    }

    /// <summary>The row that the reader is at. Properties without a column here keep their defaults.</summary>
    public TRow Read(TRows rows) => read(rows);

    private static Expression Value(ParameterExpression rows, TableColumn column, int place)
    {
        var type = column.Property.PropertyType;
        var index = Expression.Constant(place);
        var value = Expression.Convert(Expression.Call(rows, Getter(Nullable.GetUnderlyingType(type) ?? type), index), type);
        return column.IsNullable ? Expression.Condition(Expression.Call(rows, Method(nameof(IRows.IsDBNull)), index), Expression.Default(type), value) : value;
    }

    private static MethodInfo Getter(Type type) => Method(
        type == typeof(string) ? nameof(IRows.GetString)
        : type == typeof(long) ? nameof(IRows.GetInt64)
        : type == typeof(int) ? nameof(IRows.GetInt32)
        : type == typeof(short) ? nameof(IRows.GetInt16)
        : type == typeof(bool) ? nameof(IRows.GetBoolean)
        : throw new NotSupportedException($"Rows have no values of type {type}."));

    private static MethodInfo Method(string name) => typeof(TRows).GetMethod(name, [typeof(int)])!;
}
