using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Tables;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Broker.Storage.Sqlite;

/// <summary>One file, one writer: every write of this process takes its turn.</summary>
internal sealed class SqliteEngine : IDatabaseEngine, IBrokerLock, IDisposable
{
    // SQLite's extended result codes: primary key and unique constraint.
    private const int DuplicateKey = 1555;
    private const int DuplicateUnique = 2067;

    // The provider asks again for that long while another process holds the file; its own 30 s would hold up every caller.
    private const int BusySecs = 3;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    private readonly string connectionString;
    private readonly PooledDbContextFactory<SqliteDb> contexts;
    private readonly SqliteClock clock;
    private readonly SemaphoreSlim writer = new(1);
    private readonly SqliteFiles files;
    private readonly Lock taking = new();
    private FileStream? served;
    private long nextId;

    public SqliteEngine(string path, TimeProvider time)
    {
        clock = new SqliteClock(time);
        files = new SqliteFiles(path);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { Length: > 0 } folder) PrivateFiles.CreateFolder(folder);

        // SQLite gives the files beside it, -wal and -shm, the mode of this one.
        PrivateFiles.TryCreate(files.Database);
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = true, ForeignKeys = false, DefaultTimeout = BusySecs }.ConnectionString;
        contexts = new(new DbContextOptionsBuilder<SqliteDb>().UseSqlite(connectionString).AddInterceptors(new SqlitePragmas()).Options);
    }

    public int Slots => 1;

    public int Loops => 1;

    public bool HasClaimLoops => false;

    public IBatchTransaction Open(DefinitionCache definitions)
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        SqlitePragmas.Apply(connection);
        return new SqliteBatchTransaction(connection, definitions, clock);
    }

    public BrokerDb CreateContext() => contexts.CreateDbContext();

    public Task<DateTimeOffset> NowAsync(CancellationToken ct) => Task.FromResult(clock.Now);

    public Task<DateTimeOffset> NowOrBeforeAsync(CancellationToken ct) => NowAsync(ct);

    public async Task PingAsync(CancellationToken ct)
    {
        await using var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM (SELECT 1 FROM run LIMIT 0)";
        await command.ExecuteScalarAsync(ct);
    }

    // All that can be read is on the disk.
    public Task ConfirmAsync(BrokerDb db, CancellationToken ct) => Task.CompletedTask;

    public async Task<IDisposable> WriteTurnAsync(CancellationToken ct)
    {
        await writer.WaitAsync(ct);
        return new Turn(writer);
    }

    public IDisposable WriteTurn()
    {
        writer.Wait();
        return new Turn(writer);
    }

    public void Take()
    {
        lock (taking)
        {
            if (served is not null) return;
            served = SqliteFiles.TryLock(files.Served) ?? throw new DatabaseInUseException(
                $"""
                Another broker serves the database {files.Database}: {files.OwnerName()}. A SQLite file is for one broker at a time. Do one of these:
                  - stop that process first
                  - let this broker use a file of its own:       DATABASE_URL=sqlite:PATH
                  - let several brokers share one PostgreSQL:    DATABASE_URL=postgres://user:password@host:5432/database
                """);
            files.NameOwner(clock.Now);
        }
    }

    /// <summary>
    /// EF's own lock is a row that stays when its process is killed, and the next process waits for its removal without end. This lock ends
    /// with its process; with it in hand, a row that is still there belongs to a process that is gone.
    /// </summary>
    public async Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct)
    {
        FileStream? turn;
        while ((turn = SqliteFiles.TryLock(files.Migrating)) is null) await Task.Delay(BetweenLooks, TimeProvider.System, ct);
        try
        {
            await using var connection = new SqliteConnection(connectionString);
            await connection.OpenAsync(ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "DROP TABLE IF EXISTS \"__EFMigrationsLock\"";
            await command.ExecuteNonQueryAsync(ct);
            return turn;
        }
        catch
        {
            await turn.DisposeAsync();
            throw;
        }
    }

    public Task<bool> IsReadOnlyAsync(CancellationToken ct) => Task.FromResult(false);

    /// <summary>A commit that fails is rolled back when the file is next opened, and there is no other copy to wait for.</summary>
    public Task<string?> CommitFaultAsync(bool inDoubt, CancellationToken ct) => Task.FromResult<string?>(null);

    public bool IsTransient(Exception fault) => false;

    public bool SpoilsConnection(Exception fault) => IsUnavailable(fault);

    public bool IsDuplicate(Exception fault) => Fault(fault) is { SqliteExtendedErrorCode: DuplicateKey or DuplicateUnique };

    // Busy, locked, read-only, I/O error, full disk, cannot open: the file is not to be had at present.
    public bool IsUnavailable(Exception fault) => Fault(fault) is { SqliteErrorCode: 5 or 6 or 8 or 10 or 13 or 14 };

    // Busy and locked: another process holds the file, and lets go of it.
    public bool IsAway(Exception fault) => Fault(fault) is { SqliteErrorCode: 5 or 6 };

    // One process uses the file, so the next id is the highest there is, plus one.
    public long ReserveIds(int ids)
    {
        if (nextId == 0)
        {
            using var db = CreateContext();
            nextId = 1 + (db.Runs.Max(r => (long?)r.Id) ?? 0);
        }

        var first = nextId;
        nextId += ids;
        return first;
    }

    // One process serves the file.
    public Task<long> EndOtherConnectionsAsync(CancellationToken ct) => Task.FromResult(0L);

    // The write turn orders them.
    public Task LockAsync(BrokerDb db, IReadOnlyList<string> keys, CancellationToken ct) => Task.CompletedTask;

    public void Dispose()
    {
        served?.Dispose();
        writer.Dispose();
    }

    private static SqliteException? Fault(Exception fault) => fault.FindInner<SqliteException>();

    private sealed class Turn(SemaphoreSlim writer) : IDisposable
    {
        private SemaphoreSlim? held = writer;

        public void Dispose() => Interlocked.Exchange(ref held, null)?.Release();
    }
}

/// <summary>
/// FULL, not NORMAL: in WAL mode NORMAL can lose the last commits with the power, and a 2xx promises that nothing is lost.
/// </summary>
internal sealed class SqlitePragmas : DbConnectionInterceptor
{
    private const string BusyTimeout = "PRAGMA busy_timeout = 3000;";
    private const string Durability = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

    public static void Apply(System.Data.Common.DbConnection connection)
    {
        using var command = connection.CreateCommand();

        // EF looks read-only whether the file is there. A restored copy is not in WAL mode yet, and cannot be brought there by that look.
        command.CommandText = connection.ConnectionString.Contains("Mode=ReadOnly", StringComparison.OrdinalIgnoreCase) ? BusyTimeout : BusyTimeout + Durability;
        command.ExecuteNonQuery();
    }

    public override void ConnectionOpened(System.Data.Common.DbConnection connection, ConnectionEndEventData eventData) => Apply(connection);

    public override Task ConnectionOpenedAsync(System.Data.Common.DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Apply(connection);
        return Task.CompletedTask;
    }
}
