using System.Text.Json;
using Broker.Commands;
using Broker.Storage.Contracts;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Broker.Tests.Operators;
using Broker.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Webhooks;

/// <summary>Webhooks from the run to the receiver.</summary>
public abstract class WebhookSuite(BrokerApp app) : IAsyncLifetime
{
    private readonly OperatorWire wire = new(app.Client);
    private HookReceiver receiver = null!;

    public async ValueTask InitializeAsync() => receiver = await HookReceiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var webhook in (await wire.GetAsync("/webhooks")).GetProperty("items").EnumerateArray()) await wire.Wire.SendAsync(HttpMethod.Delete, $"/api/v1/webhooks/{Text(webhook, "id")}", null);
        await receiver.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_failed_run_is_posted_with_a_signature()
    {
        var (name, worker) = await FlowAsync();
        var (id, secret) = await HookAsync("/a", """["run.failed"]""", $"workflow={name}");
        await EndAsync(name, worker, "FAILED", """{"name":"TimeoutError","message":"upstream 7","retryable":false}""");
        await EndAsync(name, worker, "SUCCEEDED");
        var message = Assert.Single(await receiver.WaitAsync("/a", 1));
        Assert.True(message.IsSignedBy(secret));
        var body = JsonElement.Parse(message.Body);
        Assert.Equal(("run.failed", name, 0), (Text(body, "type"), Text(body.GetProperty("data"), "workflow"), body.GetProperty("data").GetProperty("run").GetInt32()));
        Assert.Equal("upstream 7", Text(body.GetProperty("data").GetProperty("error"), "message"));
        var log = await DeliveredAsync(id);
        Assert.Equal((message.Id, "run.failed", 1, 204), (Text(log, "message_id"), Text(log, "type"), log.GetProperty("attempts").GetInt32(), log.GetProperty("http_status").GetInt32()));
        Assert.Equal(message.Body, log.GetProperty("payload").GetRawText());
        Assert.DoesNotContain(secret, (await wire.GetAsync($"/webhooks/{id}")).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_runs_that_fit_the_expression_are_posted()
    {
        var (name, worker) = await FlowAsync();
        await HookAsync("/main", """["run.succeeded"]""", $"workflow={name} tag.branch=main");
        await HookAsync("/all", """["run.succeeded","run.cancelled"]""", null);
        foreach (var branch in (string[])["other", "main"])
        {
            Assert.Equal(201, (await wire.Wire.PostAsync($"/api/v1/workflows/{name}/runs", $$$"""{"instance":"{{{branch}}}","tags":{"branch":"{{{branch}}}"} }""")).Status);
            await wire.Wire.ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), "SUCCEEDED");
        }

        await wire.StartAsync(name, "over");
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/runs/{name}/over/cancel", "{}")).Status);
        await receiver.WaitAsync("/all", 3);
        Assert.Equal(["main"], (await receiver.WaitAsync("/main", 1)).Select(InstanceOf));
        Assert.Equal(["main run.succeeded", "other run.succeeded", "over run.cancelled"], receiver.At("/all").Select(m => $"{InstanceOf(m)} {Text(JsonElement.Parse(m.Body), "type")}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_wait_for_a_person_is_posted()
    {
        var name = NewName("asks");
        await HookAsync("/ask", """["run.waiting"]""", $"workflow={name}");
        var reply = await wire.Wire.PostAsync("/worker/register", $$$"""
            [{"workflow_id":"{{{name}}}","version":"1","events":{"approval":{"types":["HumanResponseEvent"]}},
              "steps":{"ask":{"kind":"waitForEvent","event":"approval","timeout_ms":3600000},"gate":{"kind":"waitForEvent","event":"go","timeout_ms":7200000} } }]
            """);
        Assert.True(reply.Status == 200, reply.ToString());
        await wire.StartAsync(name, "i-1");
        var data = JsonElement.Parse(Assert.Single(await receiver.WaitAsync("/ask", 1)).Body).GetProperty("data");
        Assert.Equal(("ask", "approval"), (Text(data, "step"), Text(data, "event")));
    }

    [Fact]
    public async Task A_receiver_that_answers_500_first_gets_the_message_again_under_the_same_id()
    {
        var (name, worker) = await FlowAsync();
        var (id, secret) = await HookAsync("/shaky", """["run.succeeded"]""", $"workflow={name}");
        var calls = 0;
        receiver.Answers["/shaky"] = http =>
        {
            http.Response.StatusCode = Interlocked.Increment(ref calls) == 1 ? 500 : 200;
            return Task.CompletedTask;
        };
        await EndAsync(name, worker, "SUCCEEDED");
        var messages = await receiver.WaitAsync("/shaky", 2);
        Assert.Single(messages.Select(message => message.Id).Distinct());
        Assert.All(messages, message => Assert.True(message.IsSignedBy(secret)));
        Assert.Equal((2, 200), await DeliveredAsync(id) is var log ? (log.GetProperty("attempts").GetInt32(), log.GetProperty("http_status").GetInt32()) : default);

        var delivery = (await wire.GetAsync($"/webhooks/{id}/deliveries")).GetProperty("items")[0].GetProperty("id");
        Assert.Equal("pending", Text((await wire.Wire.PostAsync($"/api/v1/webhooks/{id}/deliveries/{delivery}/replay", "")).Json, "status"));
        Assert.Single((await receiver.WaitAsync("/shaky", 3)).Select(message => message.Id).Distinct());
    }

    [Fact]
    public async Task A_receiver_that_hangs_delays_no_other_and_is_cut_off()
    {
        var (name, worker) = await FlowAsync();
        var (slow, _) = await HookAsync("/slow", """["run.succeeded"]""", $"workflow={name}");
        await HookAsync("/quick", """["run.succeeded"]""", $"workflow={name}");
        var hangs = new TaskCompletionSource();
        receiver.Answers["/slow"] = http => hangs.Task.WaitAsync(http.RequestAborted);
        for (var i = 0; i < 12; i++) await EndAsync(name, worker, "SUCCEEDED");
        await receiver.WaitAsync("/quick", 12);
        Assert.InRange(receiver.At("/slow").Count, 1, 2);
        await Eventually.TrueAsync(
            async () => (await wire.GetAsync($"/webhooks/{slow}/deliveries?status=pending")).GetProperty("items").EnumerateArray().Any(d => d.TryGetProperty("error", out var e) && e.GetString() == "no answer within 10 s"),
            TimeSpan.FromSeconds(60));
        hangs.SetResult();
    }

    [Theory]
    [InlineData(302, "redirects are not followed")]
    [InlineData(410, "the receiver refused it")]
    public async Task Redirects_and_refusals_are_failures(int status, string error)
    {
        var (id, _) = await HookAsync("/refuses", """["run.failed"]""", null);
        receiver.Answers["/refuses"] = http =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        };
        var test = await wire.Wire.PostAsync($"/api/v1/webhooks/{id}/test", "");
        Assert.Equal((201, "webhook.test"), (test.Status, Text(test.Json, "type")));
        await Eventually.TrueAsync(async () => (await wire.GetAsync($"/webhooks/{id}")).GetProperty("failures").GetInt32() == 1, TimeSpan.FromSeconds(60));
        var log = (await wire.GetAsync($"/webhooks/{id}/deliveries")).GetProperty("items")[0];
        Assert.Equal((status, error), (log.GetProperty("http_status").GetInt32(), Text(log, "error")));
        Assert.Empty(receiver.At("/elsewhere"));
        if (status != 410) return;
        Assert.Equal("The receiver answered 410 Gone.", Text(await wire.GetAsync($"/webhooks/{id}"), "disabled_because"));
        Problem(await wire.Wire.PostAsync($"/api/v1/webhooks/{id}/test", ""), 409, "conflict");
        Assert.True((await wire.Wire.SendAsync(HttpMethod.Patch, $"/api/v1/webhooks/{id}", """{"enabled":true}"""u8.ToArray())).Json.GetProperty("enabled").GetBoolean());
    }

    [Theory]
    [InlineData("""{"url":"ftp://a","events":["run.failed"]}""", "/url")]
    [InlineData("""{"url":"http://user:pass@example.com","events":["run.failed"]}""", "/url")]
    [InlineData("""{"url":"http://example.com","events":[]}""", "/events")]
    [InlineData("""{"url":"http://example.com","events":["run.gone"]}""", "/events")]
    [InlineData("""{"url":"http://example.com","events":["run.failed"],"where":"status=odd"}""", "/where")]
    [InlineData("""{"url":"http://example.com","events":["run.failed"],"more":1}""", "/more")]
    [InlineData("""{"events":["run.failed"]}""", "/url")]
    public async Task A_faulty_subscription_is_refused_with_its_place(string body, string place) =>
        Assert.Equal(place, Text(Problem(await wire.Wire.PostAsync("/api/v1/webhooks", body), 422, "invalid_body"), "place"));

    [Fact]
    public async Task Subscriptions_are_audited_changed_and_deleted()
    {
        var (id, _) = await HookAsync("/crud", """["run.failed"]""", "workflow=ci");
        var changed = await wire.Wire.SendAsync(HttpMethod.Patch, $"/api/v1/webhooks/{id}", """{"events":["run.cancelled"],"where":"","enabled":false}"""u8.ToArray());
        Assert.Equal(("run.cancelled", false, false), (changed.Json.GetProperty("events")[0].GetString(), changed.Json.GetProperty("enabled").GetBoolean(), changed.Json.TryGetProperty("where", out _)));
        Assert.Equal(200, (await wire.Wire.SendAsync(HttpMethod.Delete, $"/api/v1/webhooks/{id}", null)).Status);
        foreach (var path in (string[])[$"/webhooks/{id}", $"/webhooks/{id}/deliveries"]) await wire.ProblemAsync(path, 404, "not_found");
        Problem(await wire.Wire.PostAsync($"/api/v1/webhooks/{id}/deliveries/1/replay", ""), 404, "not_found");
        foreach (var action in (string[])["create_webhook", "change_webhook", "delete_webhook"])
            Assert.Contains((await wire.GetAsync($"/audit?action={action}")).GetProperty("items").EnumerateArray(), entry => Text(entry, "detail").StartsWith(id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Several_brokers_deliver_each_message_once()
    {
        var (name, worker) = await FlowAsync();
        var (id, _) = await HookAsync("/once", """["run.succeeded"]""", $"workflow={name}");
        var peer = app is PostgresApp ? new Wire(await app.StartBrokerAsync("--Broker:Webhooks:AllowPrivate=true")) : wire.Wire;
        for (var i = 0; i < 30; i++)
        {
            await wire.Wire.DispatchAsync(Flows.Single(name));
            await (i % 2 == 0 ? wire.Wire : peer).ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), "SUCCEEDED");
        }

        await Eventually.TrueAsync(
            async () => (await wire.GetAsync($"/webhooks/{id}/deliveries?status=delivered&limit=200")).GetProperty("items").GetArrayLength() == 30, TimeSpan.FromSeconds(60));
        Assert.Equal((30, 30), (receiver.At("/once").Count, receiver.At("/once").Select(message => message.Id).Distinct().Count()));
        if (app is PostgresApp) await app.StopBrokerAsync();
    }

    [Fact]
    public async Task A_queue_that_no_worker_can_serve_is_posted_once()
    {
        var (name, label) = (NewName("starved"), NewName("gpu"));
        await HookAsync("/starved", """["queue.starved"]""", $"workflow={name}");
        await wire.RegisterAsync(name, $$"""{"fit":{"required_labels":["{{label}}"]} }""");
        await wire.StartAsync(name, "i-1");
        var watch = ActivatorUtilities.CreateInstance<StarvationWatch>(app.Services, ActivatorUtilities.CreateInstance<LateWork>(app.Services));
        for (var round = 0; round < 3; round++) await watch.RunOnceAsync(TestContext.Current.CancellationToken);
        var data = JsonElement.Parse(Assert.Single(await receiver.WaitAsync("/starved", 1)).Body).GetProperty("data");
        Assert.Equal(("i-1", "fit", label, 1), (Text(data, "instance"), Text(data, "step"), data.GetProperty("labels")[0].GetString(), data.GetProperty("depth").GetInt32()));

        // Another broker that finds the same makes the same message of it.
        await ActivatorUtilities.CreateInstance<StarvationWatch>(app.Services, ActivatorUtilities.CreateInstance<LateWork>(app.Services)).RunOnceAsync(TestContext.Current.CancellationToken);
        Assert.Single(receiver.At("/starved"));
    }

    [Fact]
    public async Task Commands_make_test_and_delete_a_webhook()
    {
        var (code, made) = await BrokerAsync("create", $"{receiver.Address}cli", "--event", "run.failed", "--event", "queue.starved", "-o", "json");
        Assert.Equal(0, code);
        var id = Text(JsonElement.Parse(made), "id");
        Assert.Equal((0, $"{id}\n"), await BrokerAsync("list", "-o", "name"));
        Assert.Contains("pending", (await BrokerAsync("test", id)).Output, StringComparison.Ordinal);
        await DeliveredAsync(id);
        var delivery = (await BrokerAsync("deliveries", id, "-o", "name")).Output.Trim();
        Assert.Equal(0, (await BrokerAsync("replay", id, delivery)).Code);
        await receiver.WaitAsync("/cli", 2);
        Assert.Contains("state    enabled", (await BrokerAsync("show", id)).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await BrokerAsync("delete", id)).Code);
        Assert.Equal(3, (await BrokerAsync("show", id)).Code);
    }

    private async Task<(int Code, string Output)> BrokerAsync(params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.RunAsync(["webhooks", .. words, "--server", app.Address.ToString()], output, errors);
        return (code, output.ToString());
    }

    private async Task<(string Name, string Worker)> FlowAsync()
    {
        var name = NewName("hooked");
        return (name, await wire.Wire.RegisterAsync(Flows.Single(name)));
    }

    private async Task EndAsync(string name, string worker, string status, string result = "1")
    {
        await wire.Wire.DispatchAsync(Flows.Single(name));
        await wire.Wire.ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), status, result);
    }

    private async Task<(string Id, string Secret)> HookAsync(string path, string events, string? where)
    {
        var reply = await wire.Wire.PostAsync("/api/v1/webhooks", $$"""{"url":"{{receiver.Address}}{{path[1..]}}","events":{{events}},"where":{{JsonSerializer.Serialize(where)}}}""");
        Assert.True(reply.Status == 201, reply.ToString());
        return (Text(reply.Json, "id"), Text(reply.Json, "secret"));
    }

    private async Task<JsonElement> DeliveredAsync(string id)
    {
        await Eventually.TrueAsync(async () => (await wire.GetAsync($"/webhooks/{id}/deliveries?status=delivered")).GetProperty("items").GetArrayLength() > 0, TimeSpan.FromSeconds(60));
        return (await wire.GetAsync($"/webhooks/{id}/deliveries?status=delivered")).GetProperty("items")[0];
    }

    private static string InstanceOf(Received message) => Text(JsonElement.Parse(message.Body).GetProperty("data"), "instance");
}

/// <summary>The queues as they will be in two minutes.</summary>
internal sealed class LateWork(IWorkFacts inner) : IWorkFacts
{
    public async Task<(IReadOnlyList<QueueView> Queues, DateTimeOffset Now)> QueuesAsync(IReadOnlyList<string>? workflows, Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct)
    {
        var (queues, now) = await inner.QueuesAsync(workflows, silentAfter, ct);
        return (queues, now.AddMinutes(2));
    }

    public Task<WorkerCounts> CountWorkersAsync(Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct) => inner.CountWorkersAsync(silentAfter, ct);

    public Task<(IReadOnlyList<WorkerState> Workers, DateTimeOffset Now)> WorkersAsync(WorkerPlace? after, int limit, int held, CancellationToken ct, bool isBackward = false) =>
        inner.WorkersAsync(after, limit, held, ct, isBackward);

    public Task<(WorkerState? Worker, DateTimeOffset Now)> WorkerAsync(string id, int held, CancellationToken ct) => inner.WorkerAsync(id, held, ct);
}

public sealed class HookedPostgresApp(PostgresCluster cluster) : PostgresApp(cluster)
{
    private protected override string[] FirstSettings => ["--Broker:Webhooks:AllowPrivate=true"];
}

public sealed class HookedSqliteApp : SqliteApp
{
    private protected override string[] FirstSettings => ["--Broker:Webhooks:AllowPrivate=true"];
}

public sealed class PostgresWebhookTests(HookedPostgresApp app) : WebhookSuite(app), IClassFixture<HookedPostgresApp>;

public sealed class SqliteWebhookTests(HookedSqliteApp app) : WebhookSuite(app), IClassFixture<HookedSqliteApp>;
