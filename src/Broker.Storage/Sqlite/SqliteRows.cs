using System.Text;
using Broker.Storage.Tables;
using SQLitePCL;

namespace Broker.Storage.Sqlite;

/// <summary>Rows of a statement under way. To dispose of them ends it.</summary>
internal readonly struct SqliteRows(SqliteStatement statement, sqlite3_stmt handle) : IRows, IDisposable
{
    public bool Read() => statement.Step();

    public bool IsDBNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;

    public bool GetBoolean(int column) => raw.sqlite3_column_int64(handle, column) != 0;

    public short GetInt16(int column) => checked((short)raw.sqlite3_column_int64(handle, column));

    public int GetInt32(int column) => checked((int)raw.sqlite3_column_int64(handle, column));

    public long GetInt64(int column) => raw.sqlite3_column_int64(handle, column);

    // The bytes as they are stored: as text they would end at the first NUL.
    public string GetString(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(handle, column));

    public void Dispose() => statement.Reset();
}
