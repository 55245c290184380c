using Broker.Storage.Sqlite;

namespace Broker.Storage;

/// <summary>Backup and restore of a SQLite file: for commands, beside the broker that serves it.</summary>
public static class SqliteMaintenance
{
    /// <inheritdoc cref="SqliteBackup.CopyAsync"/>
    public static Task<long> CopyAsync(string database, string copy, CancellationToken ct) => SqliteBackup.CopyAsync(database, copy, ct);

    /// <inheritdoc cref="SqliteRestore.CheckAsync"/>
    public static Task CheckAsync(string copy, CancellationToken ct) => SqliteRestore.CheckAsync(copy, ct);

    /// <inheritdoc cref="SqliteRestore.ReplaceAsync"/>
    public static Task<string?> ReplaceAsync(string database, string copy, DateTimeOffset now, CancellationToken ct) => SqliteRestore.ReplaceAsync(database, copy, now, ct);
}
