using Broker.Storage.Contracts;
using Microsoft.Data.Sqlite;

namespace Broker.Storage.Sqlite;

/// <summary>
/// A copy of the database file while brokers use it: one moment of it, as a read transaction sees it, so no writer waits. Copying the file
/// with other means is not safe, as the last commits stand in the log beside it.
/// </summary>
internal static class SqliteBackup
{
    /// <summary>Writes the copy; returns its size. The file must not exist, and appears only when it is complete.</summary>
    public static async Task<long> CopyAsync(string database, string copy, CancellationToken ct)
    {
        if (!File.Exists(database)) throw new IOException($"There is no database at {Path.GetFullPath(database)}.");
        if (File.Exists(copy)) throw new IOException($"{Path.GetFullPath(copy)} exists; a backup does not replace a file.");
        var part = $"{copy}.part";
        File.Delete(part);
        PrivateFiles.TryCreate(part);
        var source = new SqliteConnectionStringBuilder { DataSource = database, Mode = SqliteOpenMode.ReadWrite, Pooling = false };
        await using (var connection = new SqliteConnection(source.ConnectionString))
        {
            await connection.OpenAsync(ct);
            await using var vacuum = connection.CreateCommand();
            vacuum.CommandText = "PRAGMA busy_timeout = 10000; VACUUM INTO $copy";
            vacuum.Parameters.AddWithValue("$copy", part);
            await vacuum.ExecuteNonQueryAsync(ct);
        }

        // The statement leaves this to the operating system.
        await using (var file = new FileStream(part, FileMode.Open, FileAccess.ReadWrite)) file.Flush(flushToDisk: true);
        File.Move(part, copy);
        return new FileInfo(copy).Length;
    }
}
