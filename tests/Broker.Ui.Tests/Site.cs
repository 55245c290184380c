using System.Net.Http.Headers;
using Broker.Auth;
using Broker.Testing;
using Broker.Tests.Operators;
using Broker.Ui.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(Site))]

namespace Broker.Ui.Tests;

/// <summary>Two brokers that ask for keys, on one database, behind a proxy without stickiness; and a browser. An assembly fixture.</summary>
public sealed class Site : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";

    private static readonly string[] Arguments =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"];

    private static readonly (string Id, string Scopes)[] Keys = [("reader", "read"), ("manager", "read,create,manage,event"), ("sender", "read,event"), ("admin", "admin"), ("second", "admin")];

    private readonly PostgresCluster cluster = new();
    private readonly List<WebApplication> brokers = [];
    private readonly TempFolder workflows = new();
    private IPlaywright? playwright;

    /// <summary>Database of the brokers.</summary>
    public string Database { get; private set; } = "";

    /// <summary>Address of the proxy.</summary>
    public Uri Address => Proxy.Address;

    public RoundRobinProxy Proxy { get; private set; } = null!;

    public IBrowser Browser { get; private set; } = null!;

    /// <summary>Requests with the key of the administrator.</summary>
    public HttpClient Http { get; private set; } = null!;

    internal OperatorWire Wire => new(Http);

    public IServiceProvider Services => brokers[0].Services;

    public static string Key(string id) => $"brk_{id}_{new string('s', 40)}";

    /// <summary>The test is skipped where no browser or no PostgreSQL is; in CI it fails.</summary>
    public static void Require()
    {
        PostgresCluster.Require();
        if (File.Exists(Program)) return;
        Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") is { Length: > 0 }, $"no browser: there is no {Program} (apt-get install chromium)");
        Assert.Fail($"CI has no browser: there is no {Program} (apt-get install chromium)");
    }

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program) || !PostgresCluster.IsAvailable) return;
        Database = await cluster.CreateDatabaseAsync();
        Uri[] addresses = [await StartBrokerAsync(), await StartBrokerAsync()];
        Proxy = await RoundRobinProxy.StartAsync(addresses);
        Http = ClientOf(Proxy.Address);

        // The first pages of a broker compile its code.
        foreach (var broker in addresses) await ClientOf(broker).GetStringAsync(new Uri("/api/v1/overview", UriKind.Relative));
        playwright = await Playwright.CreateAsync();
        Browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = Arguments });
    }

    /// <summary>A client with the key of the administrator.</summary>
    public static HttpClient ClientOf(Uri address)
    {
        var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key("admin"));
        return client;
    }

    /// <summary>An order to the brokers that must succeed; returns the answer.</summary>
    public async Task<string> PostAsync(string path, string body = "{}")
    {
        var reply = await Wire.Wire.PostAsync(path, body);
        Assert.True(reply.Status is >= 200 and < 300, $"{path}: {reply}");
        return reply.Body;
    }

    /// <summary>A request that must succeed.</summary>
    public async Task SendAsync(HttpMethod method, string path, string body)
    {
        var reply = await Wire.Wire.SendAsync(method, path, System.Text.Encoding.UTF8.GetBytes(body));
        Assert.True(reply.Status is >= 200 and < 300, $"{path}: {reply}");
    }

    /// <summary>Defines a workflow of shell jobs; returns its id.</summary>
    public async Task<string> CreateJobsAsync(string body) => System.Text.Json.JsonElement.Parse(await PostAsync("/api/workflows", body)).GetProperty("id").GetString()!;

    /// <summary>A further broker on the database; returns its address.</summary>
    public async Task<Uri> StartBrokerAsync(params string[] settings)
    {
        var (app, _, problem) = BrokerHost.Create(
        [
            $"--DATABASE_URL={Database}", "--PORT=0", "--HOST=127.0.0.1", $"--WORKFLOWS_DIR={workflows.Path}", "--Serilog:MinimumLevel:Default=Fatal",
            .. Keys.SelectMany((key, i) => (string[])[$"--Broker:Auth:Keys:{i}:Id={key.Id}", $"--Broker:Auth:Keys:{i}:Hash={ApiKey.HashOf(Key(key.Id))}", $"--Broker:Auth:Keys:{i}:Scopes={key.Scopes}"]),
            .. settings,
        ]);
        Assert.Null(problem);
        brokers.Add(app!);
        await app!.StartAsync();
        return new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    /// <summary>Ends the broker that was started last, without waiting for its connections.</summary>
    public async Task KillLastBrokerAsync()
    {
        var last = brokers[^1];
        brokers.Remove(last);
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await last.StopAsync(now.Token);
        }
        catch (Exception cut) when (cut is OperationCanceledException or AggregateException)
        {
            // It had no time to end in good order.
        }

        await last.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Browser is not null) await Browser.DisposeAsync();
        playwright?.Dispose();
        Http?.Dispose();
        if (Proxy is not null) await Proxy.DisposeAsync();
        foreach (var broker in brokers)
        {
            using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await broker.StopAsync(now.Token);
            await broker.DisposeAsync();
        }

        workflows.Dispose();
        await cluster.DisposeAsync();
    }
}
