using Microsoft.Data.Sqlite;

namespace Broker.Testing;

/// <summary>A path for a SQLite database that does not exist yet; the file and its companions go on dispose.</summary>
public sealed class SqliteFile : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"broker-{Guid.NewGuid():N}.db");

    public string ConnectionString => new SqliteConnectionStringBuilder { DataSource = Path }.ConnectionString;

    public void Dispose()
    {
        using (var pool = new SqliteConnection(ConnectionString)) SqliteConnection.ClearPool(pool);

        foreach (var companion in (string[])["", "-wal", "-shm", "-journal", ".lock", ".owner", ".migrating"]) File.Delete(Path + companion);

        // The key ring of a broker that was given credentials.
        var keys = System.IO.Path.ChangeExtension(Path, ".keys");
        if (Directory.Exists(keys)) Directory.Delete(keys, recursive: true);
    }
}
