using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Net;
using Broker.Faults.Harness;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;
using Xunit;

namespace Broker.Faults;

/// <summary>kill -9 of the only broker while it holds steps that it has leased to workers before they ask.</summary>
public abstract class LeasedAheadTests(DurableCluster cluster, Database database)
{
    private const int Team = 16;
    private const int MostKills = 10;
    private const int LeaseSecs = 3;
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Steps_that_no_worker_was_given_cost_nothing_and_run_once()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "broker.db");
        await using var site = await Site.OpenAsync(database, cluster.Postgres, new SiteOptions { SqlitePath = file });
        var steps = string.Join(',', Enumerable.Range(0, 50).Select(i => string.Create(CultureInfo.InvariantCulture, $$""" "s{{i}}":{"lease_ttl_secs":{{LeaseSecs}}} """)));
        var schema = $$$$"""{"workflow_id":"wide","version":"1","steps":{{{{{steps}}}}}}""";
        var dispatch = $$$"""{"workflow":{{{schema}}},"inputs":{}}""";
        await using var team = await WorkersAsync(site, schema);

        HashSet<StepName> kept = [];
        var kills = 0;
        for (; kept.Count == 0 && kills < MostKills; kills++)
        {
            for (var i = 0; i < 20; i++) await site.Http.MustPostAsync("/workflow/dispatch", dispatch, Ct);
            await team.WorkAsync(reports: 400);

            // Each worker has reported and none claims again: the steps leased with their last reports stay reserved.
            await team.FreezeAsync();
            await site.Broker.KillAsync();
            kept = [.. (await AheadAsync(site, file)).Where(step => !team.Given.ContainsKey(step))];
            await site.Broker.RestartAsync();
            await Eventually.TrueAsync(async () => (await RowsAsync(site, file, "SELECT 1 FROM step WHERE status = 2")).Count == 0, WaitLimit, "leases are collected");
            Assert.All(await StatesAsync(site, file, kept), state => Assert.Equal("1,0,0", state));
        }

        Assert.True(kept.Count > 0, $"The broker held no step ahead at any of {kills} kills.");
        await team.WorkAsync(reports: null);
        await Eventually.TrueAsync(async () => (await RowsAsync(site, file, "SELECT 1 FROM run WHERE ended_at IS NULL")).Count == 0, WaitLimit, "all runs end");
        await team.FreezeAsync();
        Assert.Empty(await RowsAsync(site, file, "SELECT 1 FROM run WHERE phase <> 3"));
        Assert.All(kept, step => Assert.Equal(1, team.Given[step]));
        Effort.Print($"{kept.Count} steps held ahead at kill {kills}, 0 charged, 0 run twice; {team.Given.Count} steps done");
    }

    private static async Task<TeamOfWorkers> WorkersAsync(Site site, string schema)
    {
        var ids = new List<string>();
        for (var i = 0; i < Team; i++) ids.Add((string)(await site.Http.MustPostAsync("/worker/register", $"[{schema}]", Ct))!);
        return new TeamOfWorkers(site.Broker.Address, ids);
    }

    private async Task<IReadOnlyList<StepName>> AheadAsync(Site site, string file) =>
        [.. (await RowsAsync(site, file, "SELECT r.instance_id, s.idx FROM step s JOIN run r ON r.id = s.run_id WHERE s.status = 2 AND s.ahead"))
            .Select(row => row.Split(',')).Select(row => new StepName(row[0], "s" + row[1]))];

    /// <summary>Status, attempt and losses of these steps.</summary>
    private async Task<IReadOnlyList<string>> StatesAsync(Site site, string file, IReadOnlyCollection<StepName> steps) =>
        [.. (await RowsAsync(site, file, "SELECT r.instance_id, s.idx, s.status, s.attempt, s.losses FROM step s JOIN run r ON r.id = s.run_id"))
            .Select(row => row.Split(',', 3)).Where(row => steps.Contains(new StepName(row[0], "s" + row[1]))).Select(row => row[2])];

    private async Task<List<string>> RowsAsync(Site site, string file, string sql)
    {
        await using DbConnection connection = database is Database.Sqlite
            ? new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ConnectionString)
            : new NpgsqlConnection(new NpgsqlConnectionStringBuilder(site.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var rows = new List<string>();
        while (await reader.ReadAsync(Ct))
            rows.Add(string.Join(',', Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        return rows;
    }

    /// <summary>Workers that claim and report without a pause, until they are frozen between a report and the next claim.</summary>
    private sealed class TeamOfWorkers(Uri broker, IReadOnlyList<string> ids) : IAsyncDisposable
    {
        private readonly HttpClient http = new() { BaseAddress = broker, Timeout = TimeSpan.FromSeconds(30) };
        private volatile bool frozen;
        private Task working = Task.CompletedTask;
        private int reported;

        /// <summary>How often each step was handed to a worker.</summary>
        public ConcurrentDictionary<StepName, int> Given { get; } = [];

        /// <summary>Until so many more reports are answered; null: does not wait.</summary>
        public async Task WorkAsync(int? reports)
        {
            var wanted = Volatile.Read(ref reported) + reports;
            frozen = false;
            working = Task.WhenAll(ids.Select(WorkAsync));
            if (wanted is { } enough) await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref reported) >= enough), WaitLimit, "progress");
        }

        public Task FreezeAsync()
        {
            frozen = true;
            return working;
        }

        private async Task WorkAsync(string worker)
        {
            while (!frozen)
            {
                using var answer = await http.GetAsync(new Uri($"/workflow/step?worker_id={worker}", UriKind.Relative), Ct);
                if (answer.StatusCode is HttpStatusCode.NoContent) continue;
                var step = System.Text.Json.Nodes.JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;
                Given.AddOrUpdate(new StepName((string)step["instance_id"]!, (string)step["step_name"]!), 1, static (_, times) => times + 1);
                var report = $$"""{"workflow_id":"wide","instance_id":"{{step["instance_id"]}}","step_name":"{{step["step_name"]}}","state":"SUCCEEDED","result":1}""";
                await http.MustPostAsync($"/workflow/step?worker_id={worker}", report, Ct);
                Interlocked.Increment(ref reported);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await FreezeAsync();
            http.Dispose();
        }
    }
}

public sealed class PostgresLeasedAheadTests(DurableCluster cluster) : LeasedAheadTests(cluster, Database.Postgres);

public sealed class SqliteLeasedAheadTests(DurableCluster cluster) : LeasedAheadTests(cluster, Database.Sqlite);
