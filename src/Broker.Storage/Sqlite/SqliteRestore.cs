using System.Globalization;
using Broker.Storage.Contracts;
using Microsoft.Data.Sqlite;

namespace Broker.Storage.Sqlite;

/// <summary>Puts a copy that <see cref="SqliteBackup"/> made in the place of the database. The former file is kept under another name.</summary>
internal static class SqliteRestore
{
    /// <summary>Returns the name under which the former database is kept; null where there was none. The copy, checked before, stays as it is.</summary>
    public static async Task<string?> ReplaceAsync(string database, string copy, DateTimeOffset now, CancellationToken ct)
    {
        var place = new SqliteFiles(database).Database;
        var part = $"{place}.restored";
        File.Delete(part);
        await SqliteBackup.CopyAsync(copy, part, ct);
        var former = MoveAway(place, now);
        File.Move(part, place);
        return former;
    }

    /// <summary>Throws an <see cref="IOException"/> that names the file unless it is a whole database of a broker.</summary>
    public static async Task CheckAsync(string copy, CancellationToken ct)
    {
        var name = Path.GetFullPath(copy);
        if (!File.Exists(copy)) throw new IOException($"There is no backup at {name}.");
        RegularFile.RequireIfThere(copy, $"{name} is not a regular file.");
        try
        {
            // Not read-only: a copy made by other means may have a log that is to be read as well.
            var source = new SqliteConnectionStringBuilder { DataSource = copy, Mode = SqliteOpenMode.ReadWrite, Pooling = false };
            await using var connection = new SqliteConnection(source.ConnectionString);
            await connection.OpenAsync(ct);
            await using var check = connection.CreateCommand();
            check.CommandText = "PRAGMA integrity_check(1)";
            if (await check.ExecuteScalarAsync(ct) is not "ok") throw new IOException($"{name} is damaged.");
            check.CommandText = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('run', 'step', 'counter')";
            if (await check.ExecuteScalarAsync(ct) is not 3L) throw new IOException($"{name} is no database of a broker.");
        }
        catch (SqliteException unreadable)
        {
            // Without it as the inner exception: that one is reported as a fault of the database in use.
            throw new IOException($"{name} cannot be read as a SQLite database: {unreadable.Message}");
        }
    }

    // With the log beside it, in which its last commits may stand.
    private static string? MoveAway(string place, DateTimeOffset now)
    {
        if (!File.Exists(place)) return null;
        var former = string.Create(CultureInfo.InvariantCulture, $"{place}.{now.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}");
        if (File.Exists(former)) throw new IOException($"{former} exists: a former database is not replaced.");
        foreach (var suffix in (string[])["", "-wal", "-shm"])
        {
            if (File.Exists(place + suffix)) File.Move(place + suffix, former + suffix);
        }

        return former;
    }
}
