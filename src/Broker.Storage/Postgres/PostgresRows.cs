using Broker.Storage.Tables;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>The present result set of an exchange.</summary>
internal readonly struct PostgresRows(NpgsqlDataReader reader) : IRows
{
    public bool Read() => reader.Read();

    public bool IsDBNull(int column) => reader.IsDBNull(column);

    public bool GetBoolean(int column) => reader.GetBoolean(column);

    public short GetInt16(int column) => reader.GetInt16(column);

    public int GetInt32(int column) => reader.GetInt32(column);

    public long GetInt64(int column) => reader.GetInt64(column);

    public string GetString(int column) => reader.GetString(column);
}
