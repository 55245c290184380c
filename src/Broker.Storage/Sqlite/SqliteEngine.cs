using Broker.Storage.Lanes;
using Broker.Storage.Stores;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Broker.Storage.Sqlite;

/// <summary>One file, one writer: every write of this process takes its turn.</summary>
internal sealed class SqliteEngine : IEngine, IDisposable
{
    // SQLite's extended result codes: primary key and unique constraint.
    private const int DuplicateKey = 1555;
    private const int DuplicateUnique = 2067;

    // The provider asks again for that long while another process holds the file; its own 30 s would hold up every caller.
    private const int BusySecs = 3;

    private readonly string connectionString;
    private readonly PooledDbContextFactory<SqliteDb> contexts;
    private readonly SqliteClock clock;
    private readonly SemaphoreSlim writer = new(1);
    private long nextId;

    public SqliteEngine(string path, TimeProvider time)
    {
        clock = new SqliteClock(time);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = true, ForeignKeys = false, DefaultTimeout = BusySecs }.ConnectionString;
        contexts = new(new DbContextOptionsBuilder<SqliteDb>().UseSqlite(connectionString).AddInterceptors(new SqlitePragmas()).Options);
    }

    public int Turns => 1;

    public int Lanes => 1;

    public bool ClaimsApart => false;

    public IUnit Open(DefinitionCache definitions)
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        SqlitePragmas.Apply(connection);
        return new SqliteUnit(connection, definitions, clock);
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

    /// <summary>EF's own lock is a row that stays until all migrations are applied.</summary>
    public Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct) => Task.FromResult<IAsyncDisposable>(new FreeTurn());

    public Task<bool> IsReadOnlyAsync(CancellationToken ct) => Task.FromResult(false);

    /// <summary>A commit that fails is rolled back when the file is next opened, and there is no other copy to wait for.</summary>
    public Task<string?> CommitFaultAsync(bool inDoubt, CancellationToken ct) => Task.FromResult<string?>(null);

    public bool IsTransient(Exception fault) => false;

    public bool SpoilsConnection(Exception fault) => IsUnavailable(fault);

    public bool IsDuplicate(Exception fault) => Fault(fault) is { SqliteExtendedErrorCode: DuplicateKey or DuplicateUnique };

    // Busy, locked, read-only, I/O error, full disk, cannot open: the file is not to be had at present.
    public bool IsUnavailable(Exception fault) => Fault(fault) is { SqliteErrorCode: 5 or 6 or 8 or 10 or 13 or 14 };

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

    public Task NotifyAsync(IReadOnlyCollection<string> topics, CancellationToken ct) => Task.CompletedTask;

    public void Dispose() => writer.Dispose();

    private static SqliteException? Fault(Exception fault) => fault.Find<SqliteException>();

    private sealed class FreeTurn : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

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
    private const string Patience = "PRAGMA busy_timeout = 3000;";
    private const string Durability = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

    public static void Apply(System.Data.Common.DbConnection connection)
    {
        using var command = connection.CreateCommand();

        // EF looks read-only whether the file is there. A restored copy is not in WAL mode yet, and cannot be brought there by that look.
        command.CommandText = connection.ConnectionString.Contains("Mode=ReadOnly", StringComparison.OrdinalIgnoreCase) ? Patience : Patience + Durability;
        command.ExecuteNonQuery();
    }

    public override void ConnectionOpened(System.Data.Common.DbConnection connection, ConnectionEndEventData eventData) => Apply(connection);

    public override Task ConnectionOpenedAsync(System.Data.Common.DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Apply(connection);
        return Task.CompletedTask;
    }
}
