using System.Net.Sockets;
using Broker.Storage.Catalog;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Health;
using Broker.Storage.Postgres.Caching;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace Broker.Storage.Postgres;

internal sealed class PostgresEngine : IDatabaseEngine, IAsyncDisposable
{
    public const string Channel = "broker";

    private const string NotConfirmed = "The database does not confirm commits: a synchronous standby may be away.";

    // A commit on a remote standby takes 10 % of it, and readiness has 4 s.
    private const int ProbeSecs = 2;

    /// <summary>
    /// For batch loops. See HotSql: its statements are walks along indexes, whatever the planner has last counted. Plans are made once.
    /// Left alone, the server planned anew for the number of keys of each call, and that was 40 % of its processor time.
    /// </summary>
    public const string WalkSettings = """
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
        SET jit = off; SET plan_cache_mode = force_generic_plan
        """;

    /// <summary>
    /// The same for one transaction, with what <see cref="CommitWarnings"/> needs: behind a pooler a session is not ours to keep. One statement, and
    /// one that returns no rows.
    /// </summary>
    public const string LocalWalkSettings = """
        DO $$ BEGIN
            SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
            SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL client_min_messages = warning;
        END $$
        """;

    private readonly NpgsqlDataSource source;
    private readonly NpgsqlDataSource batchSource;
    private readonly PooledDbContextFactory<PostgresDb> contexts;
    private readonly ClaimCursors cursors;
    private readonly DatabaseClockEstimate clock = new();
    private readonly StoreHealth health;

    private readonly EpochWatch watch;

    // None of several hosts being the primary just now is no fault of the settings, but the driver calls it one.
    private readonly bool hasSeveralHosts;

    public PostgresEngine(string connectionString, int slots, Accelerators accelerators, StoreHealth health, EpochWatch watch, TimeProvider clock)
    {
        this.health = health;
        this.watch = watch;
        var settings = new NpgsqlConnectionStringBuilder(connectionString);

        // Measured: without prepared statements parsing and planning took as long as running them.
        IsPooled = IsBehindPooler(connectionString);
        if (!ChoosesPrepare(connectionString)) settings.MaxAutoPrepare = 100;
        settings.AutoPrepareMinUsages = 2;
        settings.ApplicationName ??= "broker";

        // Nothing changes a session that goes back to the pool, so none is reset: that was half the transactions of an idle broker.
        settings.NoResetOnClose = true;
        hasSeveralHosts = settings.Host?.Contains(',', StringComparison.Ordinal) is true;
        source = CreateSource(settings.ConnectionString);
        batchSource = CreateSource(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ConnectionString);
        contexts = new(new DbContextOptionsBuilder<PostgresDb>().UseNpgsql(source).AddInterceptors(new CommitInterceptor(health, IsPooled), new EpochInterceptor(watch)).Options);
        Slots = slots;
        cursors = new ClaimCursors(clock);
        HasClaimLoops = accelerators.HasFlag(Accelerators.ClaimLoop);
        Runs = new RunCache(this.clock, accelerators.HasFlag(Accelerators.RunCache), accelerators.HasFlag(Accelerators.ResultCache));
        ConnectionString = settings.ConnectionString;
    }

    /// <summary>Only a pooler in transaction mode is a reason to forbid prepared statements, and there settings of a session do not hold either.</summary>
    public static bool IsBehindPooler(string connectionString) =>
        ChoosesPrepare(connectionString) && new NpgsqlConnectionStringBuilder(connectionString).MaxAutoPrepare == 0;

    private static bool ChoosesPrepare(string connectionString) => connectionString.Contains("Max Auto Prepare", StringComparison.OrdinalIgnoreCase);

    private NpgsqlDataSource CreateSource(string settings)
    {
        var builder = new NpgsqlDataSourceBuilder(settings);
        builder.UsePhysicalConnectionInitializer(connection => watch.Check(connection, isNew: true), connection => watch.CheckAsync(connection, isNew: true));
        return builder.Build();
    }

    public int Slots { get; }

    public int Loops => 2 * Slots;

    public bool HasClaimLoops { get; }

    /// <summary>Shared by all batch loops.</summary>
    public RunCache Runs { get; }

    /// <summary>Behind a pooler in transaction mode: no prepared statements, no settings of the session, no LISTEN.</summary>
    public bool IsPooled { get; }

    /// <summary>For the listener, which has a connection of its own.</summary>
    public string ConnectionString { get; }

    public IBatchTransaction Open(DefinitionCache definitions)
    {
        var connection = batchSource.OpenConnection();
        try
        {
            if (IsPooled) return new PostgresBatchTransaction(connection, definitions, cursors, clock, Runs, watch, health, LocalWalkSettings);
            using var walk = new NpgsqlCommand(WalkSettings, connection);
            walk.ExecuteNonQuery();
            return new PostgresBatchTransaction(connection, definitions, cursors, clock, Runs, watch, health, null);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The database has another history. Connections that wait to be used were asked about the former one. They are closed first, so that nothing that
    /// is cached from now on comes from them.
    /// </summary>
    public void Forget()
    {
        source.Clear();
        cursors.Forget();
        Runs.ForgetHistory();
    }

    public BrokerDb CreateContext() => contexts.CreateDbContext();

    public async Task<DateTimeOffset> NowAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(HotSql.Now);
        var now = (long)(await command.ExecuteScalarAsync(ct))!;
        clock.Observe(now);
        return Instants.FromMicros(now);
    }

    // Measured on an idle broker: the timers' look at the clock, five times a second, was 25 % of its transactions.
    public async Task<DateTimeOffset> NowOrBeforeAsync(CancellationToken ct) => clock.Now() is { } now ? Instants.FromMicros(now) : await NowAsync(ct);

    public async Task PingAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(HotSql.Ping);
        await command.ExecuteNonQueryAsync(ct);
    }

    public async Task<bool> IsReadOnlyAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("SELECT current_setting('transaction_read_only') = 'on'");
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    public async Task<string?> CommitFaultAsync(bool inDoubt, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var warnings = new CommitWarnings(connection);
        await using var standbys = new NpgsqlCommand("SELECT current_setting('synchronous_standby_names') <> ''", connection);
        if (!((bool)(await standbys.ExecuteScalarAsync(ct))! || inDoubt)) return null;

        using var probe = AloneOn(connection);
        probe.Timeout = ProbeSecs;
        probe.Add(HotSql.Confirm);
        try
        {
            await probe.RunAsync(ct);
        }
        catch (Exception fault) when (IsUnavailable(fault))
        {
            return NotConfirmed;
        }

        return warnings.First is null ? null : NotConfirmed;
    }

    public Task ConfirmAsync(BrokerDb db, CancellationToken ct) => db.Database.ExecuteSqlRawAsync(HotSql.Confirm, ct);

    public Task LockAsync(BrokerDb db, IReadOnlyList<string> keys, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended(k, 0)) FROM unnest({keys.ToArray()}) AS k", ct);

    public Task<IDisposable> WriteTurnAsync(CancellationToken ct) => NoTurn;

    public IDisposable WriteTurn() => NoTurn.Result;

    private static readonly Task<IDisposable> NoTurn = Task.FromResult<IDisposable>(new FreeTurn());

    /// <summary>
    /// EF's own lock is let go between two migrations. A broker that came in there applied the second one, and the first broker then
    /// failed at doing it again. A lock of a transaction, so that it holds behind a pooler too.
    /// </summary>
    public async Task<IAsyncDisposable> MigrationTurnAsync(CancellationToken ct)
    {
        var connection = await source.OpenConnectionAsync(ct);
        try
        {
            await connection.BeginTransactionAsync(ct);
            await using var taken = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtextextended('broker migrations', 0))", connection) { CommandTimeout = 0 };
            await taken.ExecuteNonQueryAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public bool IsTransient(Exception fault) =>
        fault is OptimisticConcurrencyException || Fault(fault) is { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable };

    /// <summary>
    /// All that the server refuses. Of the statements behind the refused one, those that were just being prepared are not prepared, and the
    /// driver may take them for prepared. A batch loop that kept its connection after a deadlock was refused from then on.
    /// </summary>
    public bool SpoilsConnection(Exception fault) => Fault(fault) is not null || IsUnavailable(fault);

    public bool IsDuplicate(Exception fault) => Fault(fault) is { SqlState: PostgresErrorCodes.UniqueViolation };

    // Classes 08 connection, 53 resources, 57 operator intervention, 58 system error; 25006 read-only; of a restore 42P01 a table that is dropped, 3D000 and 55000 a
    // database that is renamed or takes no connections.
    public bool IsUnavailable(Exception fault) => fault.FindInner<StoreUnavailableException>() is not (null or StaleEpochException) || (Fault(fault) is { } known
        ? known.SqlState[..2] is "08" or "53" or "57" or "58" || known.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.UndefinedTable
                or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.ObjectNotInPrerequisiteState
        : fault is TimeoutException || fault.FindInner<NpgsqlException>() is not null || fault.FindInner<IOException>() is not null || fault.FindInner<SocketException>() is not null);

    // Class 08 connection; too many clients; the server starts, stops or was promoted. A certificate that cannot be read is an I/O fault that stays.
    public bool IsAway(Exception fault) => Fault(fault) is { } known
        ? known.SqlState[..2] is "08" || known.SqlState[..3] is "57P" || known.SqlState is PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.ReadOnlySqlTransaction
        : fault.FindInner<FileNotFoundException>() is null && fault.FindInner<DirectoryNotFoundException>() is null
            && (fault.FindInner<StoreUnavailableException>() is not null || fault.FindInner<TimeoutException>() is not null || fault.FindInner<IOException>() is not null || fault.FindInner<SocketException>() is not null
                || (fault.FindInner<NpgsqlException>() is { InnerException: null or AggregateException } driver && (driver.IsTransient || hasSeveralHosts)));

    public long ReserveIds(int ids)
    {
        using var connection = source.OpenConnection();
        var (warnings, before) = (new CommitWarnings(connection), watch.Ask());
        using var batch = AloneOn(connection);
        batch.Add(HotSql.ReserveIds, new NpgsqlParameter<long> { TypedValue = ids });
        var first = ReadOne(batch);
        watch.Reserved(before, first, first + ids);
        health.RequireConfirmed(warnings.First?.MessageText);
        return first;
    }

    // One statement that commits by itself and whose warnings are read: behind a pooler it takes the setting along.
    private BatchBuilder AloneOn(NpgsqlConnection connection)
    {
        var batch = new BatchBuilder(connection);
        if (IsPooled) batch.Add(CommitWarnings.ShowLocally);
        return batch;
    }

    // Warnings of the commit come behind the row: the reader is closed before they are looked at.
    private static long ReadOne(BatchBuilder batch)
    {
        using var reader = batch.Read();
        reader.Read();
        return reader.GetInt64(0);
    }

    public async Task NotifyAsync(IReadOnlyCollection<string> topics, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"SELECT pg_notify('{Channel}', t) FROM unnest($1::text[]) AS t");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. topics] });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>A statement of its own, on any connection.</summary>
    public NpgsqlCommand CreateCommand(string sql) => source.CreateCommand(sql);

    /// <summary>
    /// Ends the connections that brokers have to this database under the same name and a role that this one may act as; returns how many.
    /// </summary>
    public async Task<long> EndOtherConnectionsAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'MEMBER')
                AND (application_name = current_setting('application_name') OR application_name LIKE 'broker-listen-%')
            """);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>How many brokers listen on this database, this one included.</summary>
    public async Task<long> CountListenersAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'broker-listen-%' AND datname = current_database()");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    public async ValueTask DisposeAsync()
    {
        await batchSource.DisposeAsync();
        await source.DisposeAsync();
    }

    private static PostgresException? Fault(Exception fault) => fault.FindInner<PostgresException>();

    private sealed class FreeTurn : IDisposable
    {
        public void Dispose()
        {
            // Many writers: none waits for a turn.
        }
    }
}
