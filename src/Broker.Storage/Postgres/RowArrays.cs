using System.Reflection;
using Broker.Storage.Tables;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Parameters for <see cref="ArrayRows"/>: an array for each column, filled from rows. Nothing is boxed.</summary>
internal sealed class RowArrays<TRow>
    where TRow : class
{
    private static readonly MethodInfo OfType = typeof(RowArrays<TRow>).GetMethod(nameof(Of), BindingFlags.NonPublic | BindingFlags.Static)!;

    private readonly Func<IReadOnlyList<TRow>, NpgsqlParameter>[] arrays;

    public RowArrays(TableColumns<TRow> columns) => arrays =
    [
        .. Enumerable.Range(0, columns.Count).Select(i => (Func<IReadOnlyList<TRow>, NpgsqlParameter>)OfType
            .MakeGenericMethod(columns[i].Property.PropertyType).Invoke(null, [columns[i].Property])!),
    ];

    /// <param name="rows">The rows.</param>
    /// <param name="more">Parameters behind those of the columns.</param>
    public NpgsqlParameter[] Of(IReadOnlyList<TRow> rows, params ReadOnlySpan<NpgsqlParameter> more)
    {
        var parameters = new NpgsqlParameter[arrays.Length + more.Length];
        for (var i = 0; i < arrays.Length; i++) parameters[i] = arrays[i](rows);
        more.CopyTo(parameters.AsSpan(arrays.Length));
        return parameters;
    }

    private static Func<IReadOnlyList<TRow>, NpgsqlParameter> Of<T>(PropertyInfo property)
    {
        var get = property.GetMethod!.CreateDelegate<Func<TRow, T>>();
        return rows => Parameters.Column(rows, get);
    }
}
