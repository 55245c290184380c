using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Broker.Faults.Harness;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Faults;

/// <summary>Two brokers behind PgBouncer in transaction mode: nothing of a session lasts, and no signal comes through.</summary>
public sealed class PoolerTests(DurableCluster cluster)
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SuiteLimit = TimeSpan.FromMinutes(15);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_dialect_works_and_steps_are_handed_over()
    {
        PgBouncer.Require();
        await using var pooler = new PgBouncer();
        var url = "";
        var options = new SiteOptions
        {
            Brokers = 2,
            Prepare = async database => url = await pooler.ThroughAsync(cluster.Postgres.UrlOf(database)),
            Through = _ => url,
        };
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, options);
        await AskAsync(site);
        var times = await HandOver.MeasureAsync(site, Effort.Of(9, 199), Ct);
        Effort.Bound(times.Percentile(99) <= 1_000, "p99 of a hand-over is 1 s");

        await using var load = await Load.StartAsync(site, 8, overstayEvery: 40, Ct);
        load.Feed(200);
        await load.MoreAsync(300);
        var broken = load.Ledger.OutageCount;
        await pooler.KillAsync();
        await load.OutageAsync(broken);
        await site.UntilReadyAsync(HttpStatusCode.ServiceUnavailable, WaitLimit, Ct);
        await pooler.RestartAsync();
        await site.UntilReadyAsync(HttpStatusCode.OK, WaitLimit, Ct);
        await load.MoreAsync(Effort.Of(300, 10_000));
        await load.EndAsync(Ct);
        await LeavesNoSettingsAsync(url);
    }

    /// <summary>
    /// No connection of a broker ends, and each transaction may use another connection of the pooler. A transaction that would use cached rows sees
    /// the new epoch itself, not a check up to 1 s later.
    /// </summary>
    [Fact]
    public async Task A_broker_sees_another_epoch_before_it_uses_a_row_cached_in_the_former()
    {
        const int Rounds = 5;
        PgBouncer.Require();
        await using var pooler = new PgBouncer();
        var url = "";
        var options = new SiteOptions
        {
            Workflow = "name: flow\non: push\njobs:\n  a:\n    run: echo a\n  b:\n    needs: a\n    run: echo b\n",
            Prepare = async database => url = await pooler.ThroughAsync(cluster.Postgres.UrlOf(database)),
            Through = _ => url,
        };
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres, options);
        for (var round = 0; round < Rounds; round++)
        {
            await site.Http.MustPostAsync("/api/workflows/flow/run", "", Ct);
            var first = await ClaimJobAsync(site, "a");
            await site.Http.MustPostAsync($"/api/jobs/{first["lease"]!["lease_id"]}/complete", """{"outputs":{"told":"OLD"}}""", Ct);

            // Another result, and ids that are given again: as a restore leaves them.
            await site.SqlAsync("""
                UPDATE step SET result = replace(result, 'OLD', 'NEW');
                UPDATE counter SET next = (SELECT max(id) + 1 FROM run) WHERE name = 'run';
                INSERT INTO counter (name, next) VALUES ('epoch', 1) ON CONFLICT (name) DO UPDATE SET next = counter.next + 1
                """);
            var second = await ClaimJobAsync(site, "b");
            Assert.Contains("NEW", second.ToJsonString(), StringComparison.Ordinal);
            Assert.DoesNotContain("OLD", second.ToJsonString(), StringComparison.Ordinal);
            await site.Http.MustPostAsync($"/api/jobs/{second["lease"]!["lease_id"]}/complete", "{}", Ct);
        }

        // The brokers counted each epoch once: none was missed, and none counted twice.
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"broker_epochs_total{{}} {Rounds}"), await site.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Ct), StringComparison.Ordinal);
    }

    private static async Task<JsonNode> ClaimJobAsync(Site site, string job)
    {
        var claimed = await site.Http.MustPostAsync("/api/jobs/claim", """{"worker_id":"w","labels":[],"wait":30}""", Ct);
        Assert.Equal(job, (string?)claimed["job"]!["job_id"]);
        return claimed;
    }

    /// <summary>The tests of all dialects over HTTP, in a process of their own, as they run on a direct connection in every change.</summary>
    [Fact]
    public async Task The_whole_HTTP_suite_is_green()
    {
        Effort.RequireLong("It wants pgbouncer, and takes minutes.");
        PgBouncer.Require();
        await using var pooler = new PgBouncer();
        var database = await cluster.Postgres.CreateDatabaseAsync();
        var server = new Uri(cluster.Postgres.UrlOf(database));
        await using var suite = new ManagedProcess(
            RepositoryLayout.HttpTestProgram(),
            new Dictionary<string, string>
            {
                ["BROKER_TEST_POSTGRES"] = string.Create(CultureInfo.InvariantCulture, $"Host={server.Host};Port={server.Port};Username=postgres;Database={server.AbsolutePath[1..]}"),
                ["BROKER_TEST_POOLER"] = new Uri(await pooler.ThroughAsync(server.AbsoluteUri)).Authority,
            },
            ["--filter-class", "*.Postgres*", "--no-ansi"]);
        await suite.StartUntilAsync("  duration:", SuiteLimit);
        var counted = suite.Output.SkipWhile(line => !line.StartsWith("Test run summary:", StringComparison.Ordinal)).ToList();
        Effort.Print(string.Join('\n', counted));
        Assert.True(counted.Contains("  failed: 0"), string.Join('\n', suite.Output));
        Assert.Contains(counted, line => line.StartsWith("  succeeded: ", StringComparison.Ordinal) && int.Parse(line["  succeeded: ".Length..], CultureInfo.InvariantCulture) > 100);
        await cluster.Postgres.DropAsync(database);
    }

    /// <summary>The handlers, broker and instances dialects on one run.</summary>
    private static async Task AskAsync(Site site)
    {
        const string ask = """
            [{"workflow_id":"ask","version":"1","outputs":["reply"],"start_event":"AskStart",
              "events":{"AskStart":{"types":["StartEvent"]},"NameAsked":{"types":["InputRequiredEvent"]},"NameGiven":{"types":["HumanResponseEvent"]}},
              "steps":{
                "ask":{"successors":{"default":["nap"]},"emits":["NameAsked"]},
                "nap":{"kind":"sleep","duration_ms":200,"predecessors":["ask"],"successors":{"default":["await_name"]}},
                "await_name":{"kind":"waitForEvent","event":"NameGiven","timeout_ms":600000,"predecessors":["nap"],"successors":{"default":["reply"]}},
                "reply":{"predecessors":["await_name"]}}}]
            """;
        using var second = new HttpClient { BaseAddress = site.Brokers[1].Address };
        var worker = (string)(await site.Http.MustPostAsync("/worker/register", ask, Ct))!;
        var handler = (string)(await site.Http.MustPostAsync("/workflows/ask/run-nowait", """{"start_event":{}}""", Ct))["handler_id"]!;
        var events = second.GetStringAsync(new Uri($"/events/{handler}?after_sequence=-1", UriKind.Relative), Ct);
        await StepAsync(second, worker, handler, "ask", ""","events":[{"type":"NameAsked","value":{}}]""");
        var instance = $"/api/workflows/ask/instances/{handler}";
        await site.Http.MustPostAsync($"{instance}/pause", "", Ct);
        await second.MustPostAsync($"/events/{handler}", """{"event":{"type":"NameGiven","value":{"name":"Ada"}}}""", Ct);
        await second.MustPostAsync($"{instance}/resume", "", Ct);
        await StepAsync(site.Http, worker, handler, "reply", "");
        Assert.Equal("completed", (string?)(await second.MustGetAsync($"/results/{handler}", Ct))["status"]);
        Assert.Equal("complete", (string?)(await site.Http.MustGetAsync(instance, Ct))["details"]!["status"]);
        Assert.Contains("NameAsked", await events, StringComparison.Ordinal);
    }

    private static async Task StepAsync(HttpClient http, string worker, string instance, string step, string more)
    {
        var claimed = await http.MustGetAsync($"/workflow/step?worker_id={worker}&wait=30", Ct);
        Assert.Equal(step, (string?)claimed["step_name"]);
        await http.MustPostAsync(
            $"/workflow/step?worker_id={worker}",
            $$"""{"workflow_id":"ask","instance_id":"{{instance}}","step_name":"{{step}}","state":"SUCCEEDED","result":null{{more}}}""",
            Ct);
    }

    /// <summary>Settings that a batch makes for its session must not reach the pooler's next client.</summary>
    private static async Task LeavesNoSettingsAsync(string url)
    {
        var pooler = new Uri(url);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = pooler.Host,
            Port = pooler.Port,
            Username = "postgres",
            Database = pooler.AbsolutePath[1..],
            Pooling = false,
            NoResetOnClose = true,
        };
        var sessions = new HashSet<int>();
        for (var i = 0; i < 20; i++)
        {
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(Ct);
            await using var command = new NpgsqlCommand("SELECT pg_backend_pid(), current_setting('enable_seqscan'), current_setting('client_min_messages')", connection);
            await using var reader = await command.ExecuteReaderAsync(Ct);
            await reader.ReadAsync(Ct);
            sessions.Add(reader.GetInt32(0));
            Assert.Equal(("on", "notice"), (reader.GetString(1), reader.GetString(2)));
        }

        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{sessions.Count} of the pooler's sessions looked at: none keeps a setting"));
    }
}
