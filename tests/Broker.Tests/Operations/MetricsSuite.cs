using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>Figures of a scrape. Brokers of this process share the store's counters, so tests compare them only with earlier values.</summary>
public abstract class MetricsSuite(BrokerApp app)
{
    private static readonly string[] Families =
    [
        "broker_batch_size histogram", "broker_batch_duration_seconds histogram", "broker_claim_duration_seconds histogram",
        "broker_report_duration_seconds histogram", "broker_claim_lag_seconds histogram", "broker_steps_claimed_total counter",
        "broker_steps_reported_total counter", "broker_lease_losses_total counter", "broker_retries_total counter", "broker_runs_removed_total counter",
        "broker_database_errors_total counter", "broker_background_rounds_total counter", "broker_claims_parked gauge",
        "http_server_request_duration_seconds histogram", "http_server_active_requests gauge",
        "dotnet_process_memory_working_set_bytes gauge",
    ];

    private readonly Wire wire = new(app.Client);

    [Fact]
    public async Task A_scrape_shows_what_happened_in_the_form_that_scrapers_read()
    {
        var (name, idle) = (Flows.NewName("measured"), Flows.NewName("idle"));
        var worker = await wire.RegisterAsync(Flows.Single(name));
        var before = await ScrapeAsync();
        for (var i = 0; i < 3; i++) await wire.DispatchAsync(Flows.Single(name));
        await wire.RegisterAsync(Flows.Single(idle));
        await wire.DispatchAsync(Flows.Single(idle));
        var step = await wire.MustClaimAsync(worker);
        await wire.ReportAsync(worker, step, "SUCCEEDED");
        await wire.ReportAsync(worker, step, "SUCCEEDED");

        var after = await ScrapeAsync();
        Assert.Empty(Families.Except(after.Types.Select(t => $"{t.Key} {t.Value}")));
        Assert.True(after["broker_steps_claimed_total"] > before["broker_steps_claimed_total"]);
        Assert.True(after["broker_batch_size_count"] > before.Before("broker_batch_size_count"));
        Assert.True(after["broker_claim_lag_seconds_count"] > before.Before("broker_claim_lag_seconds_count"));
        Assert.True(after["broker_steps_reported_total{verdict=\"accepted\"}"] >= 1);
        Assert.True(after["broker_steps_reported_total{verdict=\"stale\"}"] >= 1);
        Assert.True(after["http_server_request_duration_seconds_count{http_request_method=\"POST\",http_route=\"/workflow/dispatch\",http_response_status_code=\"200\"}"] >= 4);
    }

    [Theory]
    [InlineData("queue", ",\"timeouts\":{\"queue_ms\":1}", false)]
    [InlineData("attempt", ",\"timeouts\":{\"attempt_ms\":1}", true)]
    [InlineData("total", ",\"timeouts\":{\"total_ms\":1}", false)]
    [InlineData("run", "", false)]
    public async Task Reached_limits_are_counted_by_their_kind(string limit, string more, bool claims)
    {
        var series = $"broker_time_outs_total{{limit=\"{limit}\"}}";
        var before = (await ScrapeAsync()).Before(series);
        var schema = Flows.Single(Flows.NewName("limit"), more: more);
        var worker = await wire.RegisterAsync(schema);
        var started = await wire.PostAsync("/workflow/dispatch", $$"""{"workflow":{{schema}}{{(limit == "run" ? ",\"run_ms\":1" : "")}}}""");
        Assert.Equal(200, started.Status);
        if (claims) await wire.MustClaimAsync(worker);
        await Testing.Eventually.TrueAsync(async () => (await ScrapeAsync()).Before(series) > before, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task The_line_of_a_workflow_has_a_length_and_an_age()
    {
        var name = Flows.NewName("line");
        await wire.RegisterAsync(Flows.Single(name));
        for (var i = 0; i < 3; i++) await wire.DispatchAsync(Flows.Single(name));

        // The depths are a few seconds old at most.
        await Testing.Eventually.TrueAsync(async () => (await ScrapeAsync()).Has($"broker_queue_depth{{workflow=\"{name}\"}}"), TimeSpan.FromSeconds(60));
        var lines = await ScrapeAsync();
        Assert.InRange(lines[$"broker_queue_depth{{workflow=\"{name}\"}}"], 1, 3);
        Assert.InRange(lines[$"broker_queue_oldest_age_seconds{{workflow=\"{name}\"}}"], 0, 600);
    }

    [Fact]
    public async Task Waiting_claims_and_open_streams_are_counted_while_they_last()
    {
        var worker = await wire.RegisterAsync(Flows.Single(Flows.NewName("parked")));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var waiting = app.Client.GetAsync(new Uri($"/workflow/step?worker_id={worker}&wait=60", UriKind.Relative), leave.Token);
        await Testing.Eventually.TrueAsync(async () => (await ScrapeAsync())["broker_claims_parked"] >= 1, TimeSpan.FromSeconds(60));

        const string streams = "broker_stream_clients{kind=\"logs\"}";
        using (await app.Client.GetStreamAsync(new Uri("/api/workflows/none/jobs/none/logs/stream", UriKind.Relative), leave.Token))
            Assert.True((await ScrapeAsync())[streams] >= 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Testing.Eventually.TrueAsync(async () => (await ScrapeAsync())["broker_claims_parked"] == 0, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Ended_runs_and_failed_steps_are_counted_by_workflow()
    {
        var name = Flows.NewName("ends");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        foreach (var status in (string[])["SUCCEEDED", "FAILED", "SUCCEEDED"])
        {
            await wire.DispatchAsync(Flows.Single(name));
            await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), status);
        }

        var cancelled = (await wire.DispatchAsync(Flows.Single(name)))!;
        Assert.Equal(200, (await wire.PostAsync($"/api/v1/runs/{name}/{cancelled}/cancel", "{}")).Status);
        Assert.Equal(201, (await wire.PostAsync($"/api/v1/runs/{name}/{cancelled}/retry", "{}")).Status);
        Assert.Equal(200, (await wire.PostAsync($"/api/v1/runs/{name}/{cancelled}/terminate", "{}")).Status);

        // Counted after the callers are answered.
        await Testing.Eventually.TrueAsync(
            async () => (await ScrapeAsync()).Before($"broker_runs_ended_total{{workflow=\"{name}\",status=\"cancelled\"}}") == 2, TimeSpan.FromSeconds(60));
        var after = await ScrapeAsync();
        Assert.Equal(2, after[$"broker_runs_ended_total{{workflow=\"{name}\",status=\"succeeded\"}}"]);
        Assert.Equal(1, after[$"broker_runs_ended_total{{workflow=\"{name}\",status=\"failed\"}}"]);
        Assert.Equal(1, after[$"broker_steps_failed_total{{workflow=\"{name}\"}}"]);
    }

    [Fact]
    public async Task Steps_that_no_worker_can_take_are_shown_with_their_labels()
    {
        var (name, label) = (Flows.NewName("starved"), Flows.NewName("gpu"));
        var flow = $$$"""{"workflow_id":"{{{name}}}","version":"1","steps":{"fit":{"required_labels":["{{{label}}}"] } } }""";
        await wire.RegisterAsync(flow);
        await wire.DispatchAsync(flow);
        var starved = $"broker_starved_steps{{workflow=\"{name}\",labels=\"{label}\"}}";
        await Testing.Eventually.TrueAsync(async () => (await ScrapeAsync()).Has(starved), TimeSpan.FromSeconds(60));
        var lines = await ScrapeAsync();
        Assert.Equal(1, lines[starved]);
        Assert.Equal(1, lines[$"broker_label_queue_depth{{labels=\"{label}\"}}"]);
        Assert.InRange(lines[$"broker_label_queue_oldest_age_seconds{{labels=\"{label}\"}}"], 0, 600);
        Assert.True(lines["broker_workers{status=\"fresh\"}"] >= 1);
        Assert.Equal(0, lines["broker_workers_silent_with_leases"]);
    }

    [Fact]
    public async Task Each_metric_of_the_shipped_rules_is_in_a_scrape()
    {
        var name = Flows.NewName("ruled");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        await wire.DispatchAsync(Flows.Single(name));
        await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "FAILED");
        await wire.DispatchAsync(Flows.Single(name));
        await wire.RegisterAsync("""{"workflow_id":"nobody","version":"1","steps":{"a":{"required_labels":["nobody has this"]}}}""");
        await wire.DispatchAsync("""{"workflow_id":"nobody","version":"1","steps":{"a":{"required_labels":["nobody has this"]}}}""");
        Broker.Operations.Metrics.HostMetrics.FailedRound("Test");
        var named = PrometheusRules.Read().SelectMany(rule => rule.Metrics).ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(named);
        await Testing.Eventually.TrueAsync(async () => !named.Except((await ScrapeAsync()).Types.Keys).Any(), TimeSpan.FromSeconds(60));
    }

    private async Task<PrometheusLines> ScrapeAsync()
    {
        var reply = await wire.GetAsync("/metrics");
        Assert.Equal((200, "text/plain; version=0.0.4; charset=utf-8"), (reply.Status, reply.ContentType));
        return new(reply.Body);
    }
}

public sealed class PostgresMetricsTests(PostgresApp app) : MetricsSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteMetricsTests(SqliteApp app) : MetricsSuite(app), IClassFixture<SqliteApp>
{
    [Fact]
    public async Task Without_metrics_there_is_no_such_path()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Metrics=false", "--Broker:ApiOnly=true");
        // The document is of a broker that has the route.
        using var client = new HttpClient { BaseAddress = broker.Address };
        using var answer = await client.GetAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(404, (int)answer.StatusCode);
    }
}
