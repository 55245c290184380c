using System.Diagnostics;
using System.Globalization;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit;

namespace Broker.Tests.Operators;

/// <summary>
/// Actions on many runs at their size: a trial over 1,000,000 failed runs, and the speed of a retry. BROKER_FAULTS=long runs it and prints the figures.
/// </summary>
public sealed class BulkScaleTests(PostgresCluster cluster)
{
    private const int Many = 1_000_000;
    private const int Retried = 50_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trial_over_a_million_runs_and_a_retry_are_measured_on_PostgreSQL()
    {
        SkipUnlessLong();
        PostgresCluster.Require();
        var database = await cluster.CreateDatabaseAsync();
        try
        {
            await using var broker = await OwnBroker.StartOnAsync(database, null);
            await MeasureAsync(broker, n => $"generate_series(1, {n}) AS k(n)", async sql =>
            {
                await using var connection = new NpgsqlConnection(database);
                await connection.OpenAsync(Ct);
                await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
                await command.ExecuteNonQueryAsync(Ct);
            });
        }
        finally
        {
            await cluster.DropAsync(database);
        }
    }

    [Fact]
    public async Task A_trial_over_a_million_runs_and_a_retry_are_measured_on_SQLite()
    {
        SkipUnlessLong();
        using var file = new SqliteFile();
        await using var broker = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null);
        await MeasureAsync(broker, n => $"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {n}) SELECT n FROM c) AS k", async sql =>
        {
            await using var connection = new SqliteConnection(file.ConnectionString);
            await connection.OpenAsync(Ct);
            await using var command = new SqliteCommand(sql, connection) { CommandTimeout = 600 };
            await command.ExecuteNonQueryAsync(Ct);
        });
    }

    private static void SkipUnlessLong() => Assert.SkipUnless(Environment.GetEnvironmentVariable("BROKER_FAULTS") == "long", "BROKER_FAULTS=long measures actions on a million runs.");

    private static async Task MeasureAsync(OwnBroker broker, Func<int, string> numbers, Func<string, Task> execute)
    {
        var wire = new OperatorWire(broker.Client);
        await wire.RegisterAsync("many", """{"a":{}}""");
        await wire.RegisterAsync("some", """{"a":{}}""");
        await FillAsync("many", Many, 0, numbers, execute);
        await FillAsync("some", Retried, Many, numbers, execute);
        await execute("ANALYZE");

        var trials = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            var began = Stopwatch.GetTimestamp();
            var plan = await wire.Wire.PostAsync("/api/v1/bulk", """{"action":"retry","where":"workflow=many status=failed"}""");
            trials.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            Assert.Equal((200, 10_000, true), (plan.Status, plan.Json.GetProperty("matched").GetProperty("count").GetInt32(), plan.Json.GetProperty("matched").GetProperty("capped").GetBoolean()));
        }

        var start = Stopwatch.GetTimestamp();
        var started = await wire.Wire.PostAsync("/api/v1/bulk", """{"action":"retry","where":"workflow=some status=failed","dry_run":false}""");
        var path = OperatorWire.At("/bulk/{0}", started.Json.GetProperty("id").GetInt64());
        await Eventually.TrueAsync(async () => OperatorWire.Text(await wire.GetAsync(path), "state") is "done" or "stopped", TimeSpan.FromMinutes(5));
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var state = await wire.GetAsync(path);
        int Of(string outcome) => state.GetProperty(outcome).GetInt32();
        Assert.Equal((Retried, Retried), (Of("total"), Of("done") + Of("skipped") + Of("failed")));
        trials.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"trial over {Many} failed runs: median {trials[3]:f0} ms, longest {trials[6]:f0} ms; retry of {Retried} runs: {took:f1} s, {Retried / took:f0} runs/s, {Of("done")} done, listing included"));
    }

    private static async Task FillAsync(string workflow, int count, int offset, Func<int, string> numbers, Func<string, Task> execute)
    {
        const long firstId = 10_000_000_000, began = 1_700_000_000_000_000;
        await execute($$$"""
            INSERT INTO run (id, workflow, instance_id, number, is_current, definition_id, phase, active, mail, streams, inputs, error, instance_created_at, created_at, updated_at, ended_at)
            SELECT {{{firstId + offset}}} + n, '{{{workflow}}}', 'i-' || n, 0, true, (SELECT id FROM definition WHERE name = '{{{workflow}}}'), 4, 0, 0, false, '{}',
                '{"Name":"TimeoutError","Message":"upstream did not answer","Step":"a"}', {{{began}}} + n, {{{began}}} + n, {{{began}}} + n, {{{began}}} + n
            FROM {{{numbers(count)}}}
            """);
        await execute($$$"""
            INSERT INTO step (run_id, idx, status, queue_id, rank, due, attempt, losses, worker, queued_at, granted_at, lease_secs, ahead, begun_at, ended_at, error)
            SELECT id, 0, 6, 1, created_at, created_at, 0, 0, 'w', created_at, created_at, 60, false, created_at, created_at, error FROM run WHERE workflow = '{{{workflow}}}'
            """);
    }
}
