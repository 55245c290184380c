using System.Net.Sockets;
using Broker.Storage.Lanes;
using Broker.Storage.Stores;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Broker.Storage.Postgres;

internal sealed class PostgresEngine : IEngine, IAsyncDisposable
{
    public const string Channel = "broker";

    /// <summary>For the lanes. See HotSql: its statements are walks along indexes, whatever the planner has last counted.</summary>
    public const string WalkSettings = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

    private readonly NpgsqlDataSource source;
    private readonly DbContextOptions<PostgresDb> options;

    public PostgresEngine(string connectionString, int lanes)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);

        // Measured: without prepared statements parsing and planning took as long as running them. Behind a pooler in transaction mode
        // write Max Auto Prepare=0 into the connection string.
        if (!connectionString.Contains("Max Auto Prepare", StringComparison.OrdinalIgnoreCase)) settings.MaxAutoPrepare = 100;
        settings.AutoPrepareMinUsages = 2;
        settings.ApplicationName ??= "broker";
        source = NpgsqlDataSource.Create(settings);
        options = new DbContextOptionsBuilder<PostgresDb>().UseNpgsql(source).Options;
        Lanes = lanes;
        ConnectionString = settings.ConnectionString;
    }

    public int Lanes { get; }

    /// <summary>For the listener, which has a connection of its own.</summary>
    public string ConnectionString { get; }

    public async Task<IUnit> OpenAsync(DefinitionCache definitions, CancellationToken ct)
    {
        var connection = await source.OpenConnectionAsync(ct);
        try
        {
            await using var walk = new NpgsqlCommand(WalkSettings, connection);
            await walk.ExecuteNonQueryAsync(ct);
            return new PostgresUnit(connection, definitions);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public BrokerDb CreateContext() => new PostgresDb(options);

    public async Task<DateTimeOffset> NowAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(HotSql.Now);
        return Instants.FromMicros((long)(await command.ExecuteScalarAsync(ct))!);
    }

    public async Task PingAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(HotSql.Ping);
        await command.ExecuteNonQueryAsync(ct);
    }

    public Task<IDisposable> WriteTurnAsync(CancellationToken ct) => NoTurn;

    private static readonly Task<IDisposable> NoTurn = Task.FromResult<IDisposable>(new FreeTurn());

    public bool IsTransient(Exception fault) =>
        Fault(fault) is { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.LockNotAvailable };

    public bool IsDuplicate(Exception fault) => Fault(fault) is { SqlState: PostgresErrorCodes.UniqueViolation };

    // Classes 08 connection, 53 resources, 57 operator intervention, 58 system error; 25006 read-only.
    public bool IsUnavailable(Exception fault) => Fault(fault) is { } known
        ? known.SqlState[..2] is "08" or "53" or "57" or "58" || known.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction
        : fault is NpgsqlException or TimeoutException or IOException or SocketException || fault.InnerException is NpgsqlException or IOException or SocketException;

    public async Task<long> ReserveIdsAsync(int ids, CancellationToken ct)
    {
        await using var command = source.CreateCommand(HotSql.ReserveIds);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = ids });
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    public async Task NotifyAsync(IReadOnlyCollection<string> topics, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"SELECT pg_notify('{Channel}', t) FROM unnest($1::text[]) AS t");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. topics] });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>How many brokers listen on this database, this one included.</summary>
    public async Task<long> CountListenersAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'broker-listen-%' AND datname = current_database()");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private static PostgresException? Fault(Exception fault) => fault as PostgresException ?? fault.InnerException as PostgresException;

    private sealed class FreeTurn : IDisposable
    {
        public void Dispose()
        {
            // Many writers: nobody waits for a turn.
        }
    }
}
