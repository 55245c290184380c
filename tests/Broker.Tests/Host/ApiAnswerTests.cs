using System.Globalization;
using System.Text;
using System.Text.Json;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using Flows = Broker.Tests.InstancesDialect.Flows;

namespace Broker.Tests.Host;

/// <summary>The JSON answers of every route against the API document. Every other suite's answers are compared on the way: see <see cref="DescribedAnswersHandler"/>.</summary>
public sealed class ApiAnswerTests(SqliteApp host) : IClassFixture<SqliteApp>, IAsyncLifetime
{
    private DescribedAnswersHandler handler = null!;
    private HttpClient client = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Wire Wire => new(client);

    public async ValueTask InitializeAsync()
    {
        handler = new(await DescribedAnswersHandler.DocumentAsync(host.Services), withoutLengthToo: true);
        client = new HttpClient(handler) { BaseAddress = host.Address };
    }

    public ValueTask DisposeAsync()
    {
        client.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Every_described_success_is_answered_as_described()
    {
        foreach (var prefix in (string[])["", "/broker"]) await WalkBrokerAsync(prefix);
        await WalkJobsAsync();
        foreach (var prefix in (string[])["", "/agents"]) await WalkHandlersAsync(prefix);
        foreach (var prefix in (string[])["/api/workflows/workflows", "/api/workflows", "/workflows"]) await WalkInstancesAsync(prefix);
        await WalkOperatorsAsync();
        foreach (var path in (string[])["/livez", "/readyz", "/api/workflows/workflows"]) await GetAsync(path);
        foreach (var path in (string[])["/api/workflows/_runner/tick", "/_runner/tick"]) await PostAsync(path, "{}");

        var described = (await DescribedAnswersHandler.DocumentAsync(host.Services)).Successes;
        Assert.Empty(described.Except(handler.Seen));
    }

    [Theory]
    [InlineData("""{"status":"ok"}""", true)]
    [InlineData("""{"status":"ok","more":1}""", false)]
    [InlineData("""{"status":1}""", false)]
    [InlineData("{}", false)]
    [InlineData("[]", false)]
    [InlineData("{", false)]
    public async Task An_answer_that_is_not_as_described_is_found(string answer, bool isDescribed)
    {
        var judged = (await DescribedAnswersHandler.DocumentAsync(host.Services)).Judge("GET", "/status", 200, "application/json", [], Encoding.UTF8.GetBytes(answer));
        Assert.Equal(("GET /status 200", isDescribed), (judged?.Answer, judged?.Problem is null));
    }

    [Fact]
    public async Task A_status_that_the_document_does_not_name_is_found()
    {
        var document = await DescribedAnswersHandler.DocumentAsync(host.Services);
        Assert.NotNull(document.Judge("GET", "/status", 418, null, [], default)?.Problem);
        Assert.Null(document.Judge("GET", "/status", 503, "application/json", ["Retry-After"], """{"detail":"away"}"""u8.ToArray())?.Problem);
        Assert.Null(document.Judge("GET", "/nothing", 200, null, [], default));
    }

    [Theory]
    [InlineData("text/html", "Date")]
    [InlineData("application/json", "Location")]
    public async Task A_type_or_a_header_that_the_document_does_not_name_is_found(string type, string header)
    {
        var document = await DescribedAnswersHandler.DocumentAsync(host.Services);
        Assert.NotNull(document.Judge("GET", "/status", 200, type, [header], """{"status":"ok"}"""u8.ToArray())?.Problem);
    }

    private async Task WalkBrokerAsync(string prefix)
    {
        await PostAsync($"{prefix}/repository/register", """{"name":"walk","url":"u","workflows":["a:b"],"credentials":{"token":"t"}}""", 204);
        await GetAsync($"{prefix}/repository");
        await GetAsync($"{prefix}/repository?name=walk");
        if (prefix.Length > 0) await GetAsync($"{prefix}/workflows");
        await GetAsync($"{prefix}/status");

        var schema = Flows.Two(Flows.Name("broker"));
        var worker = (await PostAsync($"{prefix}/worker/register", $"[{schema}]")).GetString();
        var instance = (await PostAsync($"{prefix}/workflow/dispatch", $$$"""{"workflow":{{{schema}}}}""")).GetString()!;
        await PostAsync($"{prefix}/workflow/dispatch", $$$"""{"workflow":{{{schema}}}}""");

        var step = await GetAsync($"{prefix}/workflow/step?worker_id={worker}&extras=true");
        await GetAsync($"{prefix}/workflow/step?worker_id={worker}&count=5");
        await PostAsync($"{prefix}/workflow/step/heartbeat?worker_id={worker}", $"[{Report(step)}]");
        await PostAsync($"{prefix}/workflow/step?worker_id={worker}&claim=2&extras=true", Report(step));
        await PostAsync($"{prefix}/workflow/step?worker_id={worker}", $"[{Report(step)}]");
        await GetAsync($"{prefix}/workers");
        await GetAsync($"/api/v1/runs/{step.GetProperty("workflow_id").GetString()}/{instance}/steps/second");
    }

    private async Task WalkJobsAsync()
    {
        await PostAsync("/api/workflows/sample", "", 201);
        var job = """{"id":"a","name":"a","status":"queued","command":"make","depends_on":[],"required_labels":["walk"]}""";
        var made = await PostAsync("/api/workflows", $$"""{"name":"walk","trigger":"push","jobs":[{{job}},{{job.Replace("\"a\"", "\"b\"", StringComparison.Ordinal)}}]}""", 201);
        var id = made.GetProperty("id").GetString();
        await GetAsync("/api/workflows");
        await GetAsync("/api/workflow-files");
        await PostAsync($"/api/workflows/{id}/run", "", 202);
        await PostAsync("/api/workers/register", """{"worker_id":"walker","labels":["walk"]}""");

        const string claim = """{"worker_id":"walker","labels":["walk"]}""";
        var first = await PostAsync("/api/jobs/claim", claim);
        await PostAsync("/api/jobs/claim", claim.Replace("}", ",\"count\":5}", StringComparison.Ordinal));
        Assert.Equal(JsonValueKind.Null, (await PostAsync("/api/jobs/claim", claim)).ValueKind);
        var lease = first.GetProperty("lease").GetProperty("lease_id").GetString();
        await PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":["{{lease}}"]}""");
        using var beat = new HttpRequestMessage(HttpMethod.Post, $"/api/jobs/{lease}/heartbeat") { Headers = { { "Accept", "application/json" } } };
        using var renewed = await client.SendAsync(beat, Ct);
        Assert.Equal(200, (int)renewed.StatusCode);
        var chunk = $$"""{"workflow_id":"{{id}}","job_id":"a","sequence":1,"data":"x","timestamp_ms":1,"stream":"stdout"}""";
        await PostAsync($"/api/jobs/{lease}/logs", $$"""{"chunks":[{{chunk}}]}""");
        await GetAsync($"/api/workflows/{id}/jobs/a/logs");
        await GetAsync($"/api/jobs/{id}/a/cancelled");
        await PostAsync("/api/jobs/complete", $$$"""{"results":[{"lease_id":"{{{lease}}}","outputs":{"v":"1"}},{"lease_id":"none"},5],"claim":{{{claim}}}}""");
        await GetAsync($"/api/workflows/{id}/status");
        await GetAsync($"/api/workflows/{id}/status?run=0");
        await GetAsync("/api/workers");
        await WalkRunsAsync(id!);
    }

    private async Task WalkRunsAsync(string id)
    {
        var joined = await PostAsync($"/api/workflows/{id}/run", "{}", 202);
        Assert.True(joined.GetProperty("joined").GetBoolean());
        using var cancel = new HttpRequestMessage(HttpMethod.Post, $"/api/workflows/{id}/cancel") { Headers = { { "Accept", "application/json" } } };
        using var cancelled = await client.SendAsync(cancel, Ct);
        Assert.Equal(202, (int)cancelled.StatusCode);
        await GetAsync($"/api/workflows/{id}/status?wait=0", 410);

        var empty = (await PostAsync("/api/workflows", """{"name":"walk","trigger":"push","jobs":[]}""", 201)).GetProperty("id").GetString();
        using var run = new HttpRequestMessage(HttpMethod.Post, $"/api/workflows/{empty}/run?wait=60") { Headers = { { "Idempotency-Key", "walk" } } };
        using var ended = await client.SendAsync(run, Ct);
        Assert.Equal(200, (int)ended.StatusCode);
    }

    private async Task WalkHandlersAsync(string prefix)
    {
        var (waiting, empty) = (Flows.Name("handlers"), Flows.Name("empty"));
        await Wire.RegisterAsync(Flows.TwoWaits(waiting), $$$"""{"workflow_id":"{{{empty}}}","version":"1","steps":{}}""");
        foreach (var path in (string[])["health", "workflows", $"workflows/{waiting}/schema", $"workflows/{waiting}/events", $"workflows/{waiting}/representation"])
            await GetAsync($"{prefix}/{path}");

        await PostAsync($"{prefix}/workflows/{empty}/run", "{}");
        var handler = (await PostAsync($"{prefix}/workflows/{waiting}/run-nowait", "{}")).GetProperty("handler_id").GetString();
        foreach (var path in (string[])["handlers", "results"]) await GetAsync($"{prefix}/{path}/{handler}", 202);
        await PostAsync($"{prefix}/events/{handler}", """{"event":{"type":"go","value":{}}}""");
        foreach (var path in (string[])["handlers", "results"]) await GetAsync($"{prefix}/{path}/{handler}");
        await GetAsync($"{prefix}/handlers");
        await GetAsync($"{prefix}/handlers?limit=1");

        handler = (await PostAsync($"{prefix}/workflows/{waiting}/run-nowait", "{}")).GetProperty("handler_id").GetString();
        await PostAsync($"{prefix}/handlers/{handler}/cancel", "");
        await GetAsync($"{prefix}/handlers/{handler}", 500);
    }

    private async Task WalkInstancesAsync(string prefix)
    {
        var name = Flows.Name("instances");
        var worker = await Wire.RegisterAsync(Flows.Waiting(name));
        var instances = $"{prefix}/{name}/instances";
        var id = (await PostAsync(instances, """{"params":{"n":1}}""")).GetProperty("id").GetString();
        await PostAsync($"{instances}/batch", """{"instances":[{"id":"one"},{"id":"two"}]}""");
        await GetAsync($"{instances}?pageSize=1");

        var step = await Wire.MustClaimAsync(worker);
        await Wire.ReportAsync(worker, step, "SUCCEEDED", "1");
        await PostAsync($"{instances}/{id}/events", """{"type":"go","payload":{"x":1}}""");
        await GetAsync($"{instances}/{id}");
        await GetAsync($"{instances}/{id}/history?includeLogs=true");
        foreach (var action in (string[])["pause", "resume", "restart", "terminate"]) await PostAsync($"{instances}/{id}/{action}", "");
    }

    private async Task WalkOperatorsAsync()
    {
        var name = Flows.Name("operators");
        var own = await Wire.RegisterAsync(Flows.Waiting(name));
        await PostAsync($"/api/workflows/workflows/{name}/instances", """{"id":"one"}""");
        var run = $"/runs/{name}/one";
        var step = (await GetAsync($"/api/v1{run}/steps")).GetProperty("items")[0].GetProperty("name").GetString();
        foreach (var path in (string[])["/me", "/runs", "/runs?limit=1", "/runs/count", run, $"{run}/steps/{step}/attempts", $"{run}/states", $"{run}/explain", $"{run}/events", $"{run}/logs", $"{run}/logs/find?q=x"])
            await GetAsync($"/api/v1{path}");
        foreach (var path in (string[])["/workflows", $"/workflows/{name}", $"/workflows/{name}/versions", "/waiting", "/queues", "/workers", "/explain", "/audit"]) await GetAsync($"/api/v1{path}");
        await GetAsync($"/api/v1{run}?wait=1");
        await Wire.RegisterAsync($$"""{"workflow_id":"{{name}}-map","steps":{"m":{"kind":"map","items":"inputs.xs","item":{"handler":"h"} } } }""");
        await PostAsync($"/api/v1/workflows/{name}-map/runs", """{"instance":"one","inputs":{"xs":[1,{"a":2}]}}""", 201);
        await GetAsync($"/api/v1/runs/{name}-map/one/steps/m/items?status=ready&limit=1");
        await GetAsync($"/api/v1/runs/{name}-map/one/steps/m[1]");
        const string file = """{"text":"name: t\non: push\njobs:\n  a:\n    runs-on: linux\n    steps:\n      - run: 'true'\n"}""";
        await SendAsync(HttpMethod.Put, $"/api/v1/workflows/{name}-file", file, 200);
        await PostAsync($"/api/v1/workflows/{name}/runs", """{"instance":"two"}""", 201);
        await PostAsync($"/api/v1/workflows/{name}/runs", """{"instance":"two","if_exists":"attach"}""");
        await PostAsync("/api/v1/runs/" + name + "/two/events", """{"type":"other"}""");
        await SendAsync(HttpMethod.Put, $"/api/v1/runs/{name}/two/tags", """{"a":1}""", 200);
        foreach (var action in (string[])["pause", "resume", "restart", "cancel"]) await PostAsync($"/api/v1/runs/{name}/two/{action}", "");
        foreach (var again in (string[])["retry", "fork"])
        {
            await PostAsync($"/api/v1/runs/{name}/two/{again}", """{"dry_run":true}""");
            await PostAsync($"/api/v1/runs/{name}/two/{again}", "{}", 201);
        }

        await PostAsync($"/api/v1{run}/terminate", "");
        await SendAsync(HttpMethod.Delete, $"/api/v1/runs/{name}/two", null, 200);
        var worker = (await GetAsync("/api/v1/workers?limit=1")).GetProperty("items")[0].GetProperty("id").GetString();
        await GetAsync($"/api/v1/workers/{worker}");
        var fingerprint = (await GetAsync($"/api/v1/workflows/{name}")).GetProperty("fingerprint").GetString();
        await GetAsync($"/api/v1/definitions/{fingerprint}/graph");
        foreach (var path in (string[])["/overview", "/failures", "/runs/histogram", "/runs/count?group=status", "/search?q=one", "/system", "/keys"]) await GetAsync($"/api/v1{path}");
        foreach (var order in (string[])[$"workflows/{name}/pause-starts", $"workflows/{name}/resume-starts", $"workers/{worker}/drain", $"workers/{worker}/undrain", $"workers/{worker}/release"])
            await PostAsync($"/api/v1/{order}", "");
        foreach (var (instance, action) in new[] { ("h1", "complete"), ("h2", "fail"), ("h3", "skip") })
        {
            await PostAsync($"/api/v1/workflows/{name}/runs", $$"""{"instance":"{{instance}}"}""", 201);
            await PostAsync($"/api/v1/runs/{name}/{instance}/steps/{step}/{action}", """{"reason":"walk"}""");
        }

        var delayed = Flows.Name("delayed");
        var patient = await Wire.RegisterAsync($$$"""{"workflow_id":"{{{delayed}}}","version":"1","steps":{"a":{"retry_policy":{"max_retries":3,"backoff":{"Fixed":{"delay_secs":3600} } } } } }""");
        await PostAsync($"/api/v1/workflows/{delayed}/runs", """{"instance":"h4"}""", 201);
        await Wire.RunAsync(patient, "a", "FAILED");
        await PostAsync($"/api/v1/runs/{delayed}/h4/steps/a/retry-now", """{"reason":"walk"}""");
        await Wire.MustClaimAsync(own);
        var held = (await GetAsync($"/api/v1/workers/{own}")).GetProperty("holds")[0];
        await PostAsync($"/api/v1/runs/{name}/{held.GetProperty("instance").GetString()}/steps/{step}/release", """{"reason":"walk"}""");
        foreach (var order in (string[])["begin", "end"]) await PostAsync($"/api/v1/maintenance/{order}", "");
        await PostAsync("/api/v1/events", """{"type":"walk"}""");
        await WalkBulkAsync(name);
        await WalkWebhooksAsync();
        await WalkSchedulesAsync(name);
        await WalkKeysAsync();
    }

    // Last of all: from the first key on the broker asks for keys.
    private async Task WalkKeysAsync()
    {
        var key = await PostAsync("/api/v1/keys", """{"name":"walk","scopes":["admin","worker"]}""", 201);
        client.DefaultRequestHeaders.Authorization = new("Bearer", key.GetProperty("key").GetString());
        var other = await PostAsync("/api/v1/keys", """{"name":"other","scopes":["read"]}""", 201);
        await SendAsync(HttpMethod.Delete, $"/api/v1/keys/{other.GetProperty("info").GetProperty("id").GetString()}", null, 200);

        using var signIn = new HttpRequestMessage(HttpMethod.Post, "/ui/login") { Content = new FormUrlEncodedContent([new("key", key.GetProperty("key").GetString())]) };
        signIn.Headers.Add("Origin", host.Address.GetLeftPart(UriPartial.Authority));
        (await client.SendAsync(signIn, Ct)).Dispose();
        var session = (await GetAsync("/api/v1/sessions")).GetProperty("items")[0];
        await SendAsync(HttpMethod.Delete, $"/api/v1/sessions/{session.GetProperty("id").GetString()}", null, 200);
    }

    private async Task WalkWebhooksAsync()
    {
        var made = await PostAsync("/api/v1/webhooks", """{"url":"http://hooks.invalid/nobody","events":["run.failed"]}""", 201);
        var webhook = $"/api/v1/webhooks/{made.GetProperty("id").GetString()}";
        foreach (var path in (string[])["/api/v1/webhooks", webhook, $"{webhook}/deliveries"]) await GetAsync(path);
        var test = await PostAsync($"{webhook}/test", "", 201);
        await PostAsync($"{webhook}/deliveries/{test.GetProperty("id")}/replay", "");
        await SendAsync(HttpMethod.Patch, webhook, """{"enabled":false}""", 200);
        await SendAsync(HttpMethod.Delete, webhook, null, 200);
    }

    private async Task WalkSchedulesAsync(string workflow)
    {
        const string schedule = "/api/v1/schedules/walk";
        await SendAsync(HttpMethod.Put, schedule, $$"""{"workflow":"{{workflow}}","cron":["0 3 * * *"],"timezone":"Europe/Berlin"}""", 200);
        await PostAsync($"{schedule}/pause", """{"reason":"walk"}""");
        await PostAsync($"{schedule}/trigger", "", 201);
        await PostAsync($"{schedule}/backfill", """{"from":"2026-03-28T00:00:00Z","to":"2026-03-30T00:00:00Z","dry_run":true}""");
        await PostAsync($"{schedule}/backfill", """{"from":"2026-03-29T00:00:00Z","to":"2026-03-29T12:00:00Z"}""", 202);
        await PostAsync($"{schedule}/resume", "");
        foreach (var path in (string[])["/api/v1/schedules", schedule, $"{schedule}/next", $"{schedule}/history"]) await GetAsync(path);
        await SendAsync(HttpMethod.Delete, schedule, null, 200);
    }

    private async Task WalkBulkAsync(string workflow)
    {
        var plan = await PostAsync("/api/v1/bulk", $$"""{"action":"pause","where":"workflow={{workflow}}"}""");
        var bulk = $"/api/v1/bulk/{plan.GetProperty("id")}";
        await PostAsync($"{bulk}/start", $$"""{"confirm":"{{plan.GetProperty("confirm").GetString()}}","count":{{plan.GetProperty("matched").GetProperty("count")}}}""", 202);
        foreach (var path in (string[])["/api/v1/bulk", bulk, $"{bulk}/results"]) await GetAsync(path);
        var started = await PostAsync("/api/v1/bulk", $$"""{"action":"cancel","where":"workflow={{workflow}}","rate":1,"dry_run":false}""", 202);
        await PostAsync($"/api/v1/bulk/{started.GetProperty("id")}/stop", "");
    }

    private static string Report(JsonElement step) => $$"""
        {"workflow_id":"{{step.GetProperty("workflow_id").GetString()}}","instance_id":"{{step.GetProperty("instance_id").GetString()}}",
         "step_name":"{{step.GetProperty("step_name").GetString()}}","state":"SUCCEEDED","result":1}
        """;

    private Task<JsonElement> GetAsync(string path, int status = 200) => SendAsync(HttpMethod.Get, path, null, status);

    private Task<JsonElement> PostAsync(string path, string body, int status = 200) => SendAsync(HttpMethod.Post, path, body, status);

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, string? body, int status)
    {
        Ct.ThrowIfCancellationRequested();
        var reply = await Wire.SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body));
        Assert.True(reply.Status == status, string.Create(CultureInfo.InvariantCulture, $"{method} {path}: {reply}"));
        return reply.Body.Length == 0 ? default : reply.Json;
    }
}
