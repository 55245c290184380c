using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>Parameters of known types: nothing is boxed, and no type is looked up by value.</summary>
internal static class Parameters
{
    public static NpgsqlParameter<T> Parameter<T>(T value) => new() { TypedValue = value };

    /// <summary>One column of the rows, as <see cref="ArrayRows"/> reads it.</summary>
    public static NpgsqlParameter<T[]> Column<TRow, T>(IReadOnlyList<TRow> rows, Func<TRow, T> column)
    {
        var values = new T[rows.Count];
        var isNull = default(T) is null;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = column(rows[i]);
            isNull = isNull && values[i] is null;
        }

        return new() { TypedValue = isNull ? null : values };
    }
}
