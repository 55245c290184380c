using Broker.Commands;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Operators;

/// <summary>Maintenance of the broker over HTTP and by commands.</summary>
public abstract class MaintenanceSuite(BrokerApp app) : IAsyncLifetime
{
    private readonly OperatorWire wire = new(app.Client);

    private protected OperatorWire Wire => wire;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await OrderAsync("end");
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Claims_answer_nothing_and_starts_are_kept_until_the_end()
    {
        var name = NewName("maintained");
        var worker = await wire.RegisterAsync(name, """{"a":{"successors":{"default":["b"]}},"b":{"predecessors":["a"]}}""");
        await wire.StartAsync(name, "i-1");
        var held = await wire.Wire.MustClaimAsync(worker);
        await OrderAsync("begin", """{"reason":"new disks"}""");
        Assert.Equal("new disks", Text((await wire.GetAsync("/overview")).GetProperty("maintenance"), "reason"));
        Assert.Equal("new disks", Text((await wire.GetAsync("/system")).GetProperty("maintenance"), "reason"));
        Assert.Equal(200, (await wire.Wire.GetAsync("/readyz")).Status);

        // A worker may report what it holds. Neither a report nor a claim gives it a step, and a start is kept.
        Assert.Equal(204, (await wire.Wire.ReportAsync(worker, held, "SUCCEEDED")).Status);
        await wire.StartAsync(name, "i-2");
        using (var empty = await app.Client.GetAsync(new Uri($"/workflow/step?worker_id={worker}&wait=1", UriKind.Relative), TestContext.Current.CancellationToken))
            Assert.Equal((204, false), ((int)empty.StatusCode, empty.Headers.Contains("Broker-Drain")));
        var explained = (await wire.GetAsync($"/runs/{name}/i-2/explain")).GetProperty("causes")[0];
        Assert.Equal(("maintenance", "The broker is in maintenance: new disks."), (Text(explained, "code"), Text(explained, "message")));
        Assert.Equal("maintenance", Text((await wire.GetAsync($"/runs/{name}/i-1/steps/b")).GetProperty("causes")[0], "code"));

        await OrderAsync("end");
        Assert.False((await wire.GetAsync("/overview")).TryGetProperty("maintenance", out _));
        foreach (var step in (string[])["a", "b", "b"]) await wire.Wire.ReportAsync(worker, await wire.Wire.MustClaimAsync(worker), "SUCCEEDED");
        await Eventually.TrueAsync(async () => (await wire.InstancesAsync($"workflow={name}&status=succeeded")).Count() == 2);
        Assert.Equal(["begin_maintenance", "end_maintenance"], await ActionsAsync());
    }

    [Fact]
    public async Task A_claim_that_waits_in_line_when_maintenance_begins_gets_nothing()
    {
        var name = NewName("in-line");
        var worker = await wire.RegisterAsync(name, """{"a":{}}""");
        var claim = app.Client.GetAsync(new Uri($"/workflow/step?worker_id={worker}&wait=4", UriKind.Relative), TestContext.Current.CancellationToken);
        await OrderAsync("begin");
        await wire.StartAsync(name, "i-1");
        using (var empty = await claim) Assert.Equal(204, (int)empty.StatusCode);
        Assert.Equal("ready", Text(await wire.GetAsync($"/runs/{name}/i-1/steps/a"), "status"));
        Assert.Equal(0, (await wire.GetAsync($"/runs/{name}/i-1/steps/a")).GetProperty("attempt").GetInt32());
        await OrderAsync("end");
        await wire.Wire.RunAsync(worker, "a");
    }

    [Fact]
    public async Task Commands_begin_and_end_it()
    {
        Assert.Equal("maintenance: new disks\n", await CliAsync("begin", "--reason", "new disks"));
        Assert.Equal("workers get steps\n", await CliAsync("end"));
        Assert.Equal("workers get steps\n", await CliAsync("end"));
    }

    private protected async Task OrderAsync(string order, string body = "")
    {
        var reply = await wire.Wire.PostAsync($"/api/v1/maintenance/{order}", body);
        Assert.True(reply.Status == 200, reply.ToString());
    }

    private async Task<IEnumerable<string>> ActionsAsync() =>
        (await wire.GetAsync("/audit?limit=200")).GetProperty("items").EnumerateArray().Select(e => Text(e, "action")).Where(a => a.EndsWith("_maintenance", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal);

    private async Task<string> CliAsync(params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        Assert.True(await CommandLine.RunAsync(["maintenance", .. words, "--server", app.Address.ToString()], output, errors) == 0, errors.ToString());
        return output.ToString();
    }
}

/// <summary>With one broker.</summary>
public sealed class SqliteMaintenanceTests(SqliteApp app) : MaintenanceSuite(app), IClassFixture<SqliteApp>;

/// <summary>With two.</summary>
public sealed class PostgresMaintenanceTests(PostgresApp app) : MaintenanceSuite(app), IClassFixture<PostgresApp>
{
    private readonly BrokerApp app = app;

    [Fact]
    public async Task Another_broker_follows_within_seconds()
    {
        using var other = new HttpClient { BaseAddress = (await app.StartBrokerAsync()).BaseAddress };
        var there = new OperatorWire(other);
        await OrderAsync("begin");
        await Eventually.TrueAsync(async () => (await there.GetAsync("/overview")).TryGetProperty("maintenance", out _), TimeSpan.FromSeconds(20));
        await OrderAsync("end");
        await Eventually.TrueAsync(async () => !(await there.GetAsync("/overview")).TryGetProperty("maintenance", out _), TimeSpan.FromSeconds(20));
        await app.StopBrokerAsync();
    }
}
