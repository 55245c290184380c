using Broker.Storage.Contracts;
using Broker.Storage.Postgres;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>SQL that fills the tables as a broker leaves them after a while: mostly history, a little that is alive.</summary>
internal static class Load
{
    /// <summary>Finished runs; the live ones follow.</summary>
    public const int EndedRuns = 20_000;
    public const int LiveRuns = 600;
    public const int StepsPerRun = 10;
    public const int Queues = 20;

    private const int Runs = EndedRuns + LiveRuns;

    /// <summary>Live runs: in each a leased step, a waiting one, and the others ready (4,800 in all). The rest is history.</summary>
    public static IReadOnlyList<string> Statements(Func<int, string> numbers) =>
    [
        $"""
        INSERT INTO run (id, workflow, instance_id, number, is_current, definition_id, phase, active, mail, streams, inputs, instance_created_at, created_at, updated_at, ended_at)
        SELECT n, 'w' || n % 50, 'i' || n, 0, true, 1, CASE WHEN n <= {EndedRuns} THEN 3 ELSE 0 END, CASE WHEN n <= {EndedRuns} THEN 0 ELSE 10 END, 0, false,
            '"' || n || ' of these are inputs of a usual length, say a hundred characters or a little more than that"', n, n, n, CASE WHEN n <= {EndedRuns} THEN n END
        FROM {numbers(Runs)} AS k
        """,
        $"""
        INSERT INTO step (run_id, idx, status, queue_id, rank, due, attempt, losses, fence, worker, queued_at, granted_at, expires_at, lease_secs, begun_at, ended_at, result)
        SELECT r.id, k.n - 1, CASE WHEN r.id <= {EndedRuns} THEN 4 WHEN k.n = 1 THEN 2 WHEN k.n = 2 THEN 3 ELSE 1 END, 1 + (r.id + k.n) % {Queues}, r.id, r.id, 0, 0,
            CASE WHEN r.id > {EndedRuns} AND k.n = 1 THEN 7 END, CASE WHEN r.id > {EndedRuns} AND k.n = 1 THEN 'w' END, r.id, r.id,
            CASE WHEN r.id > {EndedRuns} AND k.n = 1 THEN 1 END, 60, r.id, CASE WHEN r.id <= {EndedRuns} THEN r.id END,
            CASE WHEN r.id <= {EndedRuns} THEN '"' || r.id || ' is a result of a usual length, say a hundred characters or a little more than that"' END
        FROM run r CROSS JOIN {numbers(StepsPerRun)} AS k
        """,
        $"INSERT INTO stream (run_id, next, read_to, reader_until) SELECT n, 2, -1, 0 FROM {numbers(Runs)} AS k",
        $"INSERT INTO event (run_id, seq, type, value, internal, created_at) SELECT r.id, k.n - 1, 'T', '1', false, 1 FROM run r CROSS JOIN {numbers(2)} AS k",
        $"INSERT INTO run_tag (name, value, created_at, run_id) SELECT 'k', 'v' || n % 50, n, n FROM {numbers(Runs)} AS k",
        $"INSERT INTO inbox (run_id, id, type) SELECT n, 1, 'go' FROM {numbers(Runs)} AS k",
        $"""
        INSERT INTO log (run_id, workflow, step, level, category, message, sequence, stream, timestamp_ms, created_at)
        SELECT n, 'w' || n % 50, 's', 'info', 'c', '"x"', n, 'stdout', 1, 1 FROM {numbers(Runs)} AS k
        """,
        "INSERT INTO counter (name, next) VALUES ('run', 1000000)",
        Analyze,
    ];

    public const string Analyze = "ANALYZE";

    public static string PostgresNumbers(int n) => $"(SELECT generate_series(1, {n}) AS n)";
}

/// <summary>A loaded PostgreSQL database for all tests of a class.</summary>
public sealed class LoadedPostgres(PostgresCluster cluster) : IAsyncLifetime
{
    private string connectionString = "";

    public async ValueTask InitializeAsync()
    {
        if (!PostgresCluster.IsAvailable) return;
        connectionString = await cluster.CreateDatabaseAsync();
        await using var connection = await OpenAsync(Ct);
        foreach (var statement in Load.Statements(Load.PostgresNumbers))
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    internal StoreHarness Open() => StoreHarness.Open(new DatabaseTarget(connectionString, null), TimeProvider.System);

    internal async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(ct);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        if (connectionString.Length > 0) await cluster.DropAsync(connectionString);
    }
}

/// <summary>The hot statements on full tables, by plans that a session made while the tables were empty.</summary>
public sealed class EarlyPlans(PostgresCluster cluster) : IAsyncLifetime
{
    private readonly Dictionary<string, string> plans = [];

    internal string Of(string statement) => plans[statement];

    public async ValueTask InitializeAsync()
    {
        if (!PostgresCluster.IsAvailable) return;
        var ct = TestContext.Current.CancellationToken;
        var database = new NpgsqlConnectionStringBuilder(await cluster.CreateDatabaseAsync()) { Pooling = false }.ConnectionString;
        try
        {
            await using var lane = new NpgsqlConnection(database);
            await lane.OpenAsync(ct);
            await ExecuteAsync(lane, PostgresEngine.WalkSettings);
            var statements = PostgresPlanTests.Statements.Select((s, i) => (s.Key, Name: $"hot{i}", s.Value.Sql, s.Value.Arguments)).ToList();
            foreach (var (_, name, sql, arguments) in statements)
                await ExecuteAsync(lane, $"{PostgresPlanTests.Prepared(name, sql, arguments)}; EXPLAIN EXECUTE {name}({arguments})");

            await using (var load = new NpgsqlConnection(database))
            {
                await load.OpenAsync(ct);

                // Not analysed: that would make the session plan anew.
                foreach (var statement in Load.Statements(Load.PostgresNumbers).Where(s => s != Load.Analyze)) await ExecuteAsync(load, statement);
            }

            foreach (var (key, name, _, arguments) in statements) plans[key] = await ExplainAsync(lane, $"{name}({arguments})", ct);
        }
        finally
        {
            await cluster.DropAsync(database);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<string> ExplainAsync(NpgsqlConnection lane, string call, CancellationToken ct)
    {
        await using var transaction = await lane.BeginTransactionAsync(ct);
        await using var explain = new NpgsqlCommand($"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE {call}", lane);
        var lines = new List<string>();
        await using var reader = await explain.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) lines.Add(reader.GetString(0));
        return string.Join('\n', lines);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}

/// <summary>A loaded SQLite file for all tests of a class.</summary>
public sealed class LoadedSqlite : IAsyncLifetime
{
    private readonly SqliteFile file = new();

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        await using (var store = StoreHarness.Open(new DatabaseTarget(null, file.Path), new TestClock())) await store.Migrator.MigrateAsync(ct);
        await using var connection = await OpenAsync(ct);
        foreach (var statement in Load.Statements(n => $"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {n}) SELECT n FROM c)"))
        {
            await using var command = new SqliteCommand(statement, connection);
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    internal StoreHarness Open() => StoreHarness.Open(new DatabaseTarget(null, file.Path), new TestClock());

    internal async Task<SqliteConnection> OpenAsync(CancellationToken ct)
    {
        var connection = new SqliteConnection(file.ConnectionString);
        await connection.OpenAsync(ct);
        return connection;
    }

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }
}
