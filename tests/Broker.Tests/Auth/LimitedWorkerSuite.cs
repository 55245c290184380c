using System.Text.Json.Nodes;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>A worker of the jobs dialect whose key is limited to one workflow, where others need the same labels.</summary>
public abstract class LimitedWorkerSuite(BrokerApp app)
{
    private const string Key = "limited";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private readonly string label = $"l{Guid.NewGuid():N}";

    private Task<Reply> CallAsync(string method, string path, string? body = null, string key = Key) => app.Client.CallAsync(key, method, path, body);

    private async Task<JsonNode?> PostAsync(string path, string body, string key = Key)
    {
        var reply = await CallAsync("POST", path, body, key);
        Assert.Equal(200, reply.Status);
        return reply.Text.Length == 0 ? null : reply.Json;
    }

    /// <summary>Starts runs, each with a job "a" and one "b" after it; returns their instance ids.</summary>
    private async Task<string[]> StartAsync(string command, params string[] workflows)
    {
        var ids = new List<string>();
        foreach (var workflow in workflows)
        {
            string Job(string needs) => $$"""{"depends_on":[{{needs}}],"command":"{{command}}","required_labels":["{{label}}"]}""";
            var definition = $$"""{"workflow_id":"{{workflow}}","version":"{{label}}","jobs":{"name":"n","trigger":"t"},"steps":{"a": {{Job("")}}, "b": {{Job("\"a\"")}} } }""";
            ids.Add(await DispatchAsync(definition));
        }

        return [.. ids];
    }

    private async Task<string> DispatchAsync(string definition) =>
        (await PostAsync("/workflow/dispatch", $$"""{"inputs":{},"workflow":{{definition}} }""", "admin"))!.GetValue<string>();

    private string Claim(string more = "", string worker = "mine-1") => $$"""{"worker_id":"{{worker}}","labels":["{{label}}"],"lease_ttl_secs":30{{more}} }""";

    private async Task<JsonArray> ClaimAsync(string more = "", string key = Key) => (await PostAsync("/api/jobs/claim", Claim($""","count":10{more}""", key), key))!.AsArray();

    private static string LeaseOf(JsonNode claimed) => claimed["lease"]!["lease_id"]!.GetValue<string>();

    private static string WorkflowOf(JsonNode claimed) => claimed["job"]!["workflow_id"]!.GetValue<string>();

    [Fact]
    public async Task A_limited_worker_registers_claims_logs_renews_and_reports()
    {
        var id = (await StartAsync("true", "other", TestKeys.Mine, "other"))[1];
        Assert.Equal(200, (await CallAsync("POST", "/api/workers/register", $$"""{"worker_id":"{{label}}","labels":["{{label}}"]}""")).Status);
        Assert.Equal(200, (await CallAsync("POST", $"/api/workers/{label}/heartbeat")).Status);

        var claimed = Assert.Single(await ClaimAsync(""","wait":30"""))!;
        Assert.Equal($"mine~{id}", WorkflowOf(claimed));
        Assert.Empty(await ClaimAsync());
        var lease = LeaseOf(claimed);
        var chunk = $$"""{"chunks":[{"workflow_id":"mine~{{id}}","job_id":"a","sequence":0,"data":"line","timestamp_ms":1,"stream":"stdout"}]}""";
        Assert.Equal(200, (await CallAsync("POST", $"/api/jobs/{lease}/logs", chunk)).Status);
        Assert.Equal("line", (await CallAsync("GET", $"/api/workflows/mine~{id}/jobs/a/logs")).Json[0]!["data"]!.GetValue<string>());
        Assert.Equal(200, (await CallAsync("POST", $"/api/jobs/{lease}/heartbeat")).Status);
        Assert.True((await PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":["{{lease}}"]}"""))!["results"]![0]!["alive"]!.GetValue<bool>());
        Assert.Equal("false", (await CallAsync("GET", $"/api/jobs/mine~{id}/a/cancelled")).Text);

        // Handed back, claimed under an id, which may be sent again, and reported together with the next claim.
        Assert.Equal(200, (await CallAsync("POST", $"/api/jobs/{lease}/release")).Status);
        var again = Assert.Single(await ClaimAsync(""","claim_id":"c1" """))!;
        Assert.Equal(LeaseOf(again), LeaseOf(Assert.Single(await ClaimAsync(""","claim_id":"c1" """))!));
        var next = Claim(""","count":5""");
        var reported = (await PostAsync("/api/jobs/complete", $$"""{"results":[{"lease_id":"{{LeaseOf(again)}}","outputs":{"x":"1"} }],"claim":{{next}} }"""))!;
        Assert.True(reported["results"]![0]!["accepted"]!.GetValue<bool>());
        var last = Assert.Single(reported["claimed"]!.AsArray())!;
        Assert.Equal("b", last["job"]!["job_id"]!.GetValue<string>());
        Assert.Equal(200, (await CallAsync("POST", $"/api/jobs/{LeaseOf(last)}/fail", """{"error":"no","retryable":false}""")).Status);
        Assert.Equal("failed", (await CallAsync("GET", $"/handlers/{id}")).Json["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Leases_of_other_workflows_are_answered_as_if_they_did_not_exist()
    {
        await StartAsync("true", "other");
        var lease = LeaseOf(Assert.Single(await ClaimAsync(key: "worker"))!);
        var absent = $"{lease[..^1]}{(lease[^1] == '0' ? '1' : '0')}";
        foreach (var (action, body) in (Dictionary<string, string?>)new() { ["heartbeat"] = null, ["complete"] = "{}", ["fail"] = """{"error":"x"}""", ["release"] = null })
        {
            var (foreign, unknown) = (await CallAsync("POST", $"/api/jobs/{lease}/{action}", body), await CallAsync("POST", $"/api/jobs/{absent}/{action}", body));
            Assert.Equal(409, foreign.Status);
            Assert.Equal((unknown.Status, unknown.Type, unknown.Text), (foreign.Status, foreign.Type, foreign.Text));
        }

        Assert.False((await PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":["{{lease}}"]}"""))!["results"]![0]!["alive"]!.GetValue<bool>());
        await StartAsync("true", TestKeys.Mine);
        var own = LeaseOf(Assert.Single(await ClaimAsync())!);
        var batch = (await PostAsync("/api/jobs/complete", $$"""{"results":[{"lease_id":"{{lease}}"},{"lease_id":"{{own}}"},{"lease_id":"{{absent}}"}]}"""))!["results"]!.AsArray();
        Assert.Equal(["stale", "accepted", "stale"], batch.Select(r => r!["verdict"]!.GetValue<string>()));

        // Its own worker reports it.
        Assert.Equal(200, (await CallAsync("POST", $"/api/jobs/{lease}/complete", "{}", "worker")).Status);
    }

    [Fact]
    public async Task Log_chunks_for_other_workflows_are_refused_and_a_lease_of_theirs_marks_no_line()
    {
        var (other, mine) = ((await StartAsync("true", "other"))[0], (await StartAsync("true", TestKeys.Mine))[0]);
        var lease = LeaseOf((await ClaimAsync(key: "worker")).First(c => WorkflowOf(c!) == $"other~{other}")!);
        string Chunk(string workflow) => $$"""{"workflow_id":"{{workflow}}","job_id":"a","sequence":0,"data":"planted","timestamp_ms":1,"stream":"stdout"}""";
        foreach (var workflow in (string[])["other", $"other~{other}", "absent"])
        {
            var refused = await CallAsync("POST", $"/api/jobs/{lease}/logs", $$"""{"chunks":[{{Chunk($"mine~{mine}")}},{{Chunk(workflow)}}]}""");
            Assert.Equal(403, refused.Status);
            Assert.Contains($"'{workflow}'", refused.Json["error"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        Assert.Empty((await CallAsync("GET", $"/api/workflows/mine~{mine}/jobs/a/logs")).Json.AsArray());
        Assert.Equal(200, (await CallAsync("POST", $"/api/jobs/{lease}/logs", $$"""{"chunks":[{{Chunk($"mine~{mine}")}}]}""")).Status);
        Assert.DoesNotContain("planted", (await CallAsync("GET", $"/workflows/other/instances/{other}/history?includeLogs=true", key: "admin")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_limited_key_lists_and_renews_workers_of_its_workflows_alone()
    {
        string Register(string id) => $$"""{"worker_id":"{{id}}","labels":["{{label}}"]}""";
        var (mine, others, unlimited) = ($"m{label}", $"o{label}", $"u{label}");
        Assert.Equal(200, (await CallAsync("POST", "/api/workers/register", Register(mine))).Status);
        Assert.Equal(200, (await CallAsync("POST", "/api/workers/register", Register(others), "other")).Status);
        Assert.Equal(200, (await CallAsync("POST", "/api/workers/register", Register(unlimited), "worker")).Status);
        string[] Known(Reply list) => [.. list.Json.AsArray().Select(w => w!["worker_id"]!.GetValue<string>()).Where(id => id.EndsWith(label, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.Equal([mine], Known(await CallAsync("GET", "/api/workers")));
        Assert.Equal([others], Known(await CallAsync("GET", "/api/workers", key: "other")));
        Assert.Equal([mine, others, unlimited], Known(await CallAsync("GET", "/api/workers", key: "admin")));
        foreach (var (id, status) in (Dictionary<string, int>)new() { [mine] = 200, [others] = 404, [unlimited] = 404, ["absent"] = 404 })
            Assert.Equal(status, (await CallAsync("POST", $"/api/workers/{id}/heartbeat")).Status);
        Assert.Equal(200, (await CallAsync("POST", "/api/workers/register", Register(mine))).Status);
        foreach (var id in (string[])[others, unlimited])
        {
            var refused = await CallAsync("POST", "/api/workers/register", Register(id));
            Assert.Equal(403, refused.Status);
            Assert.Contains($"'{id}'", refused.Json["error"]!.GetValue<string>(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_waiting_claim_is_served_by_its_own_workflow_and_keeps_no_step_of_others_from_an_unlimited_claim()
    {
        await StartAsync("true", "other");
        Assert.Single(await ClaimAsync(key: "worker"));
        Task<JsonArray> limited = ClaimAsync(""","wait":60"""), unlimited = ClaimAsync(""","wait":60""", "worker");
        await StartAsync("true", "other");
        Assert.StartsWith("other~", WorkflowOf(Assert.Single(await unlimited)!), StringComparison.Ordinal);
        Assert.False(limited.IsCompleted);
        await StartAsync("true", TestKeys.Mine);
        Assert.StartsWith("mine~", WorkflowOf(Assert.Single(await limited)!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_counts_a_limited_worker_for_its_workflow_alone()
    {
        var ids = await StartAsync("true", TestKeys.Mine, "other");
        Assert.Equal(200, (await CallAsync("POST", "/api/workers/register", $$"""{"worker_id":"e{{label}}","labels":["{{label}}"]}""")).Status);
        async Task<string> ExplainAsync(string workflow, string id) => (await CallAsync("GET", $"/api/v1/runs/{workflow}/{id}/steps/a", key: "admin")).Text;
        Assert.DoesNotContain("no_worker", await ExplainAsync("mine", ids[0]), StringComparison.Ordinal);
        Assert.Contains("no_worker", await ExplainAsync("other", ids[1]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Labels_of_claims_in_the_broker_dialect_hold_within_its_definitions()
    {
        string Definition(string name) => $$"""{"workflow_id":"{{name}}","version":"b{{label}}","steps":{"s":{"required_labels":["{{label}}"]} } }""";
        var worker = (await PostAsync("/worker/register", $"[{Definition("mine")}]"))!.GetValue<string>();
        foreach (var workflow in (string[])["other", "mine"]) await DispatchAsync(Definition(workflow));
        Assert.Equal(204, (await CallAsync("GET", $"/workflow/step?worker_id={worker}")).Status);
        Assert.Equal("mine", (await CallAsync("GET", $"/workflow/step?worker_id={worker}&labels={label}")).Json["workflow_id"]!.GetValue<string>());
        Assert.Equal(204, (await CallAsync("GET", $"/workflow/step?worker_id={worker}&labels={label}")).Status);
    }

    [Fact]
    public async Task The_shell_worker_runs_its_workflow_beside_one_that_needs_the_same_label()
    {
        var ids = await StartAsync("echo ran", "other", TestKeys.Mine, "other", TestKeys.Mine);
        await using var worker = new ManagedProcess(
            RepositoryLayout.WorkerProgram(),
            new Dictionary<string, string> { ["BROKER_API_KEY"] = TestKeys.Of(Key) },
            ["--server", app.Address.AbsoluteUri, "--id", $"shell-{label}", "--labels", label, "--slots", "2", "--wait", "2"]);
        worker.Start();
        foreach (var id in (string[])[ids[1], ids[3]])
        {
            await Eventually.TrueAsync(async () => (await CallAsync("GET", $"/handlers/{id}")).Json["status"]!.GetValue<string>() == "completed", TimeSpan.FromSeconds(60));
            Assert.Equal("ran\n", (await CallAsync("GET", $"/api/workflows/mine~{id}/jobs/b/logs")).Json[0]!["data"]!.GetValue<string>());
        }

        foreach (var id in (string[])[ids[0], ids[2]])
            Assert.Contains("\"ready\"", (await CallAsync("GET", $"/api/v1/runs/other/{id}/steps/a", key: "admin")).Text, StringComparison.Ordinal);
        Assert.Contains(
            $"shell-{label}", (await CallAsync("GET", "/api/workers")).Json.AsArray().Select(w => w!["worker_id"]!.GetValue<string>()));
    }
}

public sealed class PostgresLimitedWorkerTests(KeyedPostgresApp app) : LimitedWorkerSuite(app), IClassFixture<KeyedPostgresApp>;

public sealed class SqliteLimitedWorkerTests(KeyedSqliteApp app) : LimitedWorkerSuite(app), IClassFixture<KeyedSqliteApp>;
