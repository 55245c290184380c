using System.Text.Json.Nodes;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>A key that is limited to one workflow: for it there is no other.</summary>
public abstract class LimitedKeySuite(BrokerApp app) : IAsyncLifetime
{
    private const string Key = "limited";
    private string other = "", mine = "", otherWorker = "";

    /// <summary>A run of each workflow, and one of each with the same instance id, the other's last.</summary>
    public async ValueTask InitializeAsync()
    {
        await app.Client.RegisterAsync("admin", TestKeys.Mine);
        otherWorker = await app.Client.RegisterAsync("admin", TestKeys.Mine, "other");
        mine = await StartAsync(TestKeys.Mine);
        other = await StartAsync("other");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private async Task<string> StartAsync(string workflow) =>
        (await app.Client.CallAsync("admin", "POST", $"/workflows/{workflow}/run-nowait", "{}")).Json["handler_id"]!.GetValue<string>();

    private Task<Reply> CallAsync(string method, string path, string? body = null) => app.Client.CallAsync(Key, method, path, body);

    [Theory]
    [InlineData("/workflows")]
    [InlineData("/agents/workflows")]
    [InlineData("/api/workflows")]
    [InlineData("/api/workflows/")]
    [InlineData("/handlers")]
    [InlineData("/handlers?workflow_name=other&workflow_name=mine")]
    public async Task Lists_for_a_limited_key_hold_its_workflow_alone(string path)
    {
        var reply = await CallAsync("GET", path);
        Assert.Equal(200, reply.Status);
        Assert.Contains($"\"{TestKeys.Mine}\"", reply.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("other", reply.Text.Replace("workflow_name=other", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/workflows/{0}/schema")]
    [InlineData("GET", "/workflows/{0}/representation")]
    [InlineData("POST", "/workflows/{0}/run-nowait")]
    [InlineData("GET", "/handlers/{1}")]
    [InlineData("GET", "/results/{1}")]
    [InlineData("GET", "/events/{1}")]
    [InlineData("POST", "/handlers/{1}/cancel")]
    [InlineData("GET", "/handlers/{0}~{1}")]
    [InlineData("GET", "/api/workflows/{0}/status")]
    [InlineData("GET", "/api/workflows/{1}/status")]
    [InlineData("POST", "/api/workflows/{0}/run")]
    [InlineData("POST", "/api/workflows/{1}/cancel")]
    [InlineData("GET", "/api/workflows/{1}/status?run=0")]
    [InlineData("GET", "/api/workflows/{0}~{1}/status?wait=0")]
    [InlineData("POST", "/api/workflows/{1}/cancel?run=0")]
    [InlineData("GET", "/api/workflows/{1}/jobs/j/logs?run=0")]
    [InlineData("GET", "/api/workflows/{1}/jobs/j/summary")]
    [InlineData("GET", "/api/workflows/{0}/badge.svg")]
    [InlineData("GET", "/api/workflows/workflows/{0}/instances")]
    [InlineData("GET", "/api/workflows/{0}/instances/{1}")]
    [InlineData("GET", "/workflows/{0}/instances/{1}/history")]
    [InlineData("POST", "/workflows/{0}/instances")]
    [InlineData("POST", "/workflows/{0}/instances/{1}/pause")]
    [InlineData("POST", "/workflows/{0}/instances/{1}/restart")]
    [InlineData("POST", "/workflows/{0}/instances/{1}/terminate")]
    public async Task Another_workflow_is_not_found(string method, string template)
    {
        var path = template.Replace("{0}", "other", StringComparison.Ordinal).Replace("{1}", other, StringComparison.Ordinal);
        var foreign = await CallAsync(method, path, method == "POST" ? "{}" : null);
        Assert.Equal(404, foreign.Status);

        // The answer equals the one about an unknown workflow.
        var absent = await CallAsync(
            method, template.Replace("{0}", "absent", StringComparison.Ordinal).Replace("{1}", "absentid", StringComparison.Ordinal), method == "POST" ? "{}" : null);
        Assert.Equal((absent.Status, absent.Type), (foreign.Status, foreign.Type));
        Assert.Equal(
            absent.Text.Replace("absentid", "?", StringComparison.Ordinal).Replace("absent", "?", StringComparison.Ordinal),
            foreign.Text.Replace(other, "?", StringComparison.Ordinal).Replace("other", "?", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_instance_id_in_another_workflow_hides_nothing()
    {
        await app.Client.CallAsync("admin", "POST", "/workflows/mine/instances", """{"id":"twin"}""");
        await app.Client.CallAsync("admin", "POST", "/workflows/other/instances", """{"id":"twin"}""");

        Assert.Equal("other", (await app.Client.CallAsync("admin", "GET", "/handlers/twin")).Json["workflow_name"]!.GetValue<string>());
        Assert.Equal(TestKeys.Mine, (await CallAsync("GET", "/handlers/twin")).Json["workflow_name"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_limited_key_runs_watches_and_steers_its_own_workflow()
    {
        Assert.Equal(200, (await CallAsync("POST", "/workflows/mine/run-nowait", "{}")).Status);
        Assert.Equal(200, (await CallAsync("POST", "/workflows/mine/instances", "{}")).Status);
        Assert.Equal(202, (await CallAsync("GET", $"/results/{mine}")).Status);
        Assert.Equal(200, (await CallAsync("POST", $"/events/{mine}", """{"event":{"type":"go","value":{}}}""")).Status);
        Assert.Equal(200, (await CallAsync("POST", $"/workflows/mine/instances/{mine}/pause")).Status);
        Assert.Equal(200, (await CallAsync("POST", $"/handlers/{mine}/cancel")).Status);
    }

    [Theory]
    [InlineData("POST", "/workflow/dispatch", "detail")]
    [InlineData("POST", "/worker/register", "detail")]
    public async Task Bringing_another_workflow_is_forbidden(string method, string path, string member)
    {
        var definition = Calls.Definition("brought");
        var reply = await CallAsync(method, path, path.EndsWith("register", StringComparison.Ordinal) ? $"[{definition}]" : $$$"""{"workflow":{{{definition}}},"inputs":{}}""");
        Assert.Equal(403, reply.Status);
        Assert.Contains("'brought'", reply.Json[member]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(404, (await app.Client.CallAsync("admin", "GET", "/workflows/brought/schema")).Status);
    }

    [Fact]
    public async Task A_posted_workflow_would_have_a_new_name_so_it_is_forbidden()
    {
        var reply = await CallAsync("POST", "/api/workflows", """{"name":"n","trigger":"manual","jobs":[]}""");
        Assert.Equal(403, reply.Status);
        Assert.NotNull(reply.Json["error"]);
    }

    [Theory]
    [InlineData("GET", "/workers")]
    [InlineData("GET", "/repository")]
    [InlineData("POST", "/_runner/tick")]
    public async Task A_limited_key_may_not_use_routes_beyond_single_workflows(string method, string path) =>
        Assert.Equal(403, (await CallAsync(method, path, method == "POST" ? "{}" : null)).Status);

    [Fact]
    public async Task A_limited_key_claims_and_reports_for_its_workflow_alone()
    {
        Assert.Equal(404, (await CallAsync("GET", $"/workflow/step?worker_id={otherWorker}")).Status);
        Assert.Equal(404, (await CallAsync("POST", $"/worker/keep-alive?worker_id={otherWorker}")).Status);

        var worker = await app.Client.RegisterAsync(Key, TestKeys.Mine);
        var step = (await CallAsync("GET", $"/workflow/step?worker_id={worker}")).Json;
        Assert.Equal(TestKeys.Mine, step["workflow_id"]!.GetValue<string>());
        Assert.Equal(204, (await CallAsync("POST", $"/workflow/step?worker_id={worker}", Report(TestKeys.Mine, step["instance_id"]!.GetValue<string>()))).Status);
        Assert.Equal(204, (await CallAsync("POST", $"/workflow/step?worker_id={otherWorker}", Report("other", other))).Status);
    }

    [Fact]
    public async Task Logs_of_another_workflow_are_empty()
    {
        const string Chunk = """{"chunks":[{"workflow_id":"WF","job_id":"j","sequence":0,"data":"line","timestamp_ms":1,"stream":"stdout"}]}""";
        foreach (var workflow in (string[])["other", $"other~{other}", TestKeys.Mine, $"{TestKeys.Mine}~{mine}"])
            Assert.Equal(200, (await app.Client.CallAsync("worker", "POST", "/api/jobs/none/logs", Chunk.Replace("WF", workflow, StringComparison.Ordinal))).Status);

        Assert.Empty(await LogsAsync("other"));
        Assert.Empty(await LogsAsync($"other~{other}"));
        Assert.NotEmpty(await LogsAsync(TestKeys.Mine));
        Assert.NotEmpty(await LogsAsync($"{TestKeys.Mine}~{mine}"));
    }

    private async Task<JsonArray> LogsAsync(string workflow) => (await CallAsync("GET", $"/api/workflows/{workflow}/jobs/j/logs")).Json.AsArray();

    private static string Report(string workflow, string instance) =>
        $$"""{"workflow_id":"{{workflow}}","instance_id":"{{instance}}","step_name":"step","state":"SUCCEEDED","result":null}""";
}

public sealed class PostgresLimitedKeyTests(KeyedPostgresApp app) : LimitedKeySuite(app), IClassFixture<KeyedPostgresApp>;

public sealed class SqliteLimitedKeyTests(KeyedSqliteApp app) : LimitedKeySuite(app), IClassFixture<KeyedSqliteApp>;
