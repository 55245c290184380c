namespace Broker.Storage.Tables;

/// <summary>Rows of an answer, one after the other: what the readers of both engines need of it.</summary>
internal interface IRows
{
    bool Read();

    bool IsDBNull(int column);

    bool GetBoolean(int column);

    short GetInt16(int column);

    int GetInt32(int column);

    long GetInt64(int column);

    string GetString(int column);
}

internal static class NullableValues
{
    public static string? Text<TRows>(this TRows rows, int column)
        where TRows : IRows => rows.IsDBNull(column) ? null : rows.GetString(column);
}
