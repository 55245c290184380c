using System.Diagnostics;
using System.Globalization;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>
/// Lists, filters and pages of the API over a long history. BROKER_FAULTS=long runs it with 1,000,000 runs, or as many as BROKER_LIST_RUNS says, and prints the
/// figures.
/// </summary>
public sealed class ListScaleTests(PostgresCluster cluster)
{
    private const int Workflows = 20;
    private const int Live = 600;
    private const int Asked = 40;

    /// <summary>Longest 95th percentile of one list.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(50);

    private static readonly string[] Paths =
    [
        "/runs", "/runs?order=oldest", "/runs?limit=200", "/runs?workflow=w7", "/runs?workflow=w7,w8,w9", "/runs?where=workflow!=w7", "/runs?status=failed", "/runs?status=failed&workflow=w7",
        "/runs?status=active", "/runs?status=queued", "/runs?status=succeeded", "/runs?where=tag.branch=main", "/runs?where=tag.branch=main%20workflow=w7", "/runs?where=tag.branch=main%20status=failed",
        "/runs?where=tag.none=x", "/runs?where=instance=i-4711", "/runs?where=instance=i-47*", "/runs?where=error~timeout", "/runs?where=error~absent", "/runs?where=step=a%20status=failed",
        "/runs?where=worker=w", "/runs?where=since=1h", "/runs?where=duration%3E1h", "/runs?where=version!=1", "/runs/count", "/runs/count?group=status", "/runs/count?status=failed",
        "/runs/count?where=tag.branch=main", "/runs/histogram", "/failures?scan=1000", "/overview", "/search?q=i-4711", "/explain", "/workflows", "/waiting", "/queues", "/workers", "/bulk", "/audit",
        "/runs/w7/i-4707", "/runs/w7/i-4707/steps", "/runs/w7/i-4707/events", "/runs/w7/i-4707/logs",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static int Runs => int.TryParse(Environment.GetEnvironmentVariable("BROKER_LIST_RUNS"), NumberStyles.None, CultureInfo.InvariantCulture, out var runs) ? runs : 1_000_000;

    [Fact]
    public async Task Every_list_over_a_long_history_is_measured_on_PostgreSQL()
    {
        SkipUnlessLong();
        PostgresCluster.Require();
        var database = await cluster.CreateDatabaseAsync();
        try
        {
            await using var broker = await OwnBroker.StartOnAsync(database, null);
            await MeasureAsync(broker, $"generate_series(1, {Runs}) AS k(n)", async sql =>
            {
                await using var connection = new NpgsqlConnection(database);
                await connection.OpenAsync(Ct);
                await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
                await command.ExecuteNonQueryAsync(Ct);
            });
        }
        finally
        {
            await cluster.DropAsync(database);
        }
    }

    [Fact]
    public async Task Every_list_over_a_long_history_is_measured_on_SQLite()
    {
        SkipUnlessLong();
        using var file = new SqliteFile();
        await using var broker = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null);
        await MeasureAsync(broker, $"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {Runs}) SELECT n FROM c) AS k", async sql =>
        {
            await using var connection = new SqliteConnection(file.ConnectionString);
            await connection.OpenAsync(Ct);
            await using var command = new SqliteCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(Ct);
        });
    }

    private static void SkipUnlessLong() => Assert.SkipUnless(Environment.GetEnvironmentVariable("BROKER_FAULTS") == "long", "BROKER_FAULTS=long measures lists over a long history.");

    private static async Task MeasureAsync(OwnBroker broker, string numbers, Func<string, Task> execute)
    {
        var wire = new OperatorWire(broker.Client);
        for (var i = 0; i < Workflows; i++) await wire.RegisterAsync(At("w{0}", i), """{"a":{}}""");
        await FillAsync(numbers, execute);
        var slow = new List<string>();
        foreach (var path in Paths)
        {
            var (first, p95) = await TimeAsync(wire, path, follow: false);
            var pages = path.StartsWith("/runs?", StringComparison.Ordinal) ? await TimeAsync(wire, path, follow: true) : (First: first, P95: p95);
            TestContext.Current.TestOutputHelper?.WriteLine(At("{0,8:f1} ms p95, {1,8:f1} ms p95 of pages, {2,8:f1} ms first: {3}", p95.TotalMilliseconds, pages.P95.TotalMilliseconds, first.TotalMilliseconds, path));
            if (p95 > Limit || pages.P95 > Limit) slow.Add(path);
        }

        Assert.Empty(slow);
    }

    // The same request again and again, or page after page.
    private static async Task<(TimeSpan First, TimeSpan P95)> TimeAsync(OperatorWire wire, string path, bool follow)
    {
        var took = new List<TimeSpan>();
        string? cursor = null;
        for (var i = 0; i < Asked; i++)
        {
            var began = Stopwatch.GetTimestamp();
            var page = await wire.GetAsync(cursor is null ? path : $"{path}&cursor={cursor}");
            took.Add(Stopwatch.GetElapsedTime(began));
            cursor = follow ? page.GetProperty("next").GetString() : null;
            if (follow && cursor is null) break;
        }

        return (took[0], took.Order().ElementAt((int)(took.Count * 0.95)));
    }

    // Of 50 runs one has failed, of 100 one has a tag; the last ones wait for a worker.
    private static async Task FillAsync(string numbers, Func<string, Task> execute)
    {
        const long firstId = 10_000_000_000;
        var began = (TimeProvider.System.GetUtcNow().AddDays(-30).UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;
        var between = TimeSpan.FromDays(30).Ticks / TimeSpan.TicksPerMicrosecond / Runs;
        var live = Runs - Live;
        await execute($$$"""
            INSERT INTO run (id, workflow, instance_id, number, is_current, definition_id, phase, active, mail, streams, inputs, error, tags, instance_created_at, created_at, updated_at, started_at, ended_at)
            SELECT {{{firstId}}} + n, 'w' || (n % {{{Workflows}}}), 'i-' || n, 0, true, (SELECT id FROM definition WHERE name = 'w' || (n % {{{Workflows}}})),
                CASE WHEN n > {{{live}}} THEN 0 WHEN n % 50 = 0 THEN 4 ELSE 3 END, CASE WHEN n > {{{live}}} THEN 1 ELSE 0 END, 0, false, '{}',
                CASE WHEN n <= {{{live}}} AND n % 50 = 0 THEN '{"Name":"TimeoutError","Message":"upstream timeout","Step":"a"}' END, CASE WHEN n % 100 = 0 THEN '{"branch":"main"}' END,
                {{{began}}} + n * {{{between}}}, {{{began}}} + n * {{{between}}}, {{{began}}} + n * {{{between}}}, {{{began}}} + n * {{{between}}}, CASE WHEN n <= {{{live}}} THEN {{{began}}} + n * {{{between}}} + 1000000 END
            FROM {{{numbers}}}
            """);
        await execute("""
            INSERT INTO step (run_id, idx, status, queue_id, rank, due, attempt, losses, worker, queued_at, granted_at, lease_secs, ahead, begun_at, ended_at, error)
            SELECT id, 0, CASE phase WHEN 0 THEN 1 WHEN 4 THEN 6 ELSE 4 END, (SELECT q.id FROM queue q WHERE q.definition_id = run.definition_id LIMIT 1), created_at, created_at, 0, 0,
                CASE WHEN phase > 0 THEN 'w' END, created_at, CASE WHEN phase > 0 THEN created_at END, 60, false, CASE WHEN phase > 0 THEN created_at END, ended_at, error FROM run
            """);
        await execute("INSERT INTO run_tag (name, value, created_at, run_id) SELECT 'branch', 'main', created_at, id FROM run WHERE tags IS NOT NULL");
        await execute("ANALYZE");
    }
}
