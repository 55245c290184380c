using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>Tests of a broker without keys against the pages of a real browser.</summary>
public sealed class ChromiumTests
{
    private const string Program = "/usr/bin/chromium";

    // Each entry is a request of the page; the page reports what it saw to its own server.
    private const string Script = """
        <!doctype html><title>page</title><script>
        const define = JSON.stringify({name: "NAME", trigger: "", jobs: []});
        const dispatch = JSON.stringify({workflow: {workflow_id: "NAME", version: "1", steps: {x: {command: "id"}}}, inputs: {}});
        const tries = {
          text: () => fetch("BROKER/api/workflows", {method: "POST", body: define}),
          json: () => fetch("BROKER/api/workflows", {method: "POST", body: define, headers: {"Content-Type": "application/json"}}),
          blob: () => fetch("BROKER/workflow/dispatch", {method: "POST", mode: "no-cors", body: new Blob([dispatch])}),
          dispatch: () => fetch("BROKER/workflow/dispatch", {method: "POST", body: dispatch, headers: {"Content-Type": "application/json"}}),
          beacon: async () => ({status: navigator.sendBeacon("BROKER/api/workflows", define)}),
          claim: () => fetch("BROKER/workflow/step?worker_id=w"),
          image: () => new Promise(done => { const i = new Image(); i.onerror = i.onload = () => done({status: 0}); i.src = "BROKER/workflow/step?worker_id=w"; }),
          form: () => new Promise(done => {
            const frame = Object.assign(document.createElement("iframe"), {name: "f", onload: () => done({status: 0})});
            const form = Object.assign(document.createElement("form"), {method: "post", action: "BROKER/api/workflows", enctype: "text/plain", target: "f"});
            form.append(Object.assign(document.createElement("input"), {name: define.slice(0, -1) + ',"x":"', value: '"}'}));
            document.body.append(frame, form); form.submit();
          }),
          read: () => fetch("BROKER/workflows"),
        };
        addEventListener("load", async () => {
          const seen = {};
          for (const [name, attempt] of Object.entries(tries)) {
            try { seen[name] = (await attempt()).status; } catch (fault) { seen[name] = "" + fault; }
          }
          await fetch("REPORT", {method: "POST", body: JSON.stringify(seen), mode: "no-cors"});
        });
        </script><body></body>
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_of_another_site_reads_and_changes_nothing()
    {
        await using var site = await Site.StartAsync();
        await using var broker = await BrokerAsync(site);
        foreach (var host in (string[])["127.0.0.1", "localhost"])
        {
            var seen = await VisitAsync(site, $"http://{host}:{site.Port}/page", $"http://127.0.0.1:{broker.Address.Port}");
            Assert.Equal((403, 403, 403), (Status(seen, "text"), Status(seen, "json"), Status(seen, "dispatch")));
            Assert.Equal((403, 200), (Status(seen, "claim"), Status(seen, "read")));
        }

        Assert.Equal(Writes.Select(path => $"{path} 403").Order(), broker.Seen.Distinct().Where(line => !line.StartsWith("/workflows ", StringComparison.Ordinal)).Order());
        Assert.DoesNotContain("evil", await broker.ListAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_that_is_listed_may_write()
    {
        await using var site = await Site.StartAsync();
        await using var broker = await BrokerAsync(site, $"--CORS_ORIGINS=http://localhost:{site.Port}");
        var seen = await VisitAsync(site, $"http://localhost:{site.Port}/page", $"http://127.0.0.1:{broker.Address.Port}");
        Assert.Equal((201, 201, 200), (Status(seen, "text"), Status(seen, "json"), Status(seen, "dispatch")));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task The_brokers_own_page_may_write(string host)
    {
        await using var site = await Site.StartAsync();
        await using var broker = await BrokerAsync(site);
        var own = $"http://{host}:{broker.Address.Port}";
        var seen = await VisitAsync(site, $"{own}/own-page", own);
        Assert.Equal((201, 201, 200, 200), (Status(seen, "text"), Status(seen, "json"), Status(seen, "dispatch"), Status(seen, "read")));
    }

    [Fact]
    public async Task A_page_whose_name_is_pointed_at_the_broker_neither_reads_nor_writes()
    {
        await using var site = await Site.StartAsync();
        await using var broker = await BrokerAsync(site);
        var rebound = $"http://rebind.example:{broker.Address.Port}";
        var seen = await VisitAsync(site, $"{rebound}/own-page", rebound);
        Assert.Equal((403, 403, 403, 403), (Status(seen, "text"), Status(seen, "json"), Status(seen, "dispatch"), Status(seen, "read")));
        Assert.DoesNotContain("evil", await broker.ListAsync(), StringComparison.Ordinal);
    }

    private static readonly string[] Writes = ["/api/workflows", "/workflow/dispatch", "/workflow/step"];

    private static int Status(JsonNode seen, string attempt) => seen[attempt] is JsonValue value && value.TryGetValue(out int status) ? status : throw new InvalidOperationException($"{attempt}: {seen[attempt]}");

    private static async Task<JsonNode> VisitAsync(Site site, string page, string broker)
    {
        Assert.SkipUnless(File.Exists(Program), "no Chromium");
        site.Broker = broker;
        using var profile = new TempFolder();
        await using var browser = new ManagedProcess(
            Program,
            arguments:
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", $"--user-data-dir={profile.Path}", "--host-resolver-rules=MAP rebind.example 127.0.0.1", "--remote-debugging-port=0", page,
            ]);
        browser.Start();
        return JsonNode.Parse(await site.NextReportAsync().WaitAsync(TimeSpan.FromMinutes(3), Ct))!;
    }

    private static async Task<WatchedBroker> BrokerAsync(Site site, params string[] settings)
    {
        var seen = new ConcurrentQueue<string>();
        var broker = await OwnBroker.StartWithAsync(null, builder => builder.Services.AddSingleton<IStartupFilter>(new OwnPage(site, seen)), settings);
        return new(broker, seen);
    }

    private sealed record WatchedBroker(OwnBroker Broker, ConcurrentQueue<string> Seen) : IAsyncDisposable
    {
        public Uri Address => Broker.Address;

        public Task<string> ListAsync() => Broker.Client.GetStringAsync(new Uri("/api/workflows", UriKind.Relative), Ct);

        public ValueTask DisposeAsync() => Broker.DisposeAsync();
    }

    /// <summary>Adds a page of the broker's own, as a console would be, and notes what was answered.</summary>
    private sealed class OwnPage(Site site, ConcurrentQueue<string> seen) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (http, rest) =>
            {
                if (http.Request.Path == "/own-page")
                {
                    await site.AnswerAsync(http);
                    return;
                }

                await rest(http);
                if (!HttpMethods.IsOptions(http.Request.Method)) seen.Enqueue($"{http.Request.Path} {http.Response.StatusCode}");
            });
            next(app);
        };
    }

    /// <summary>Web server of the page.</summary>
    private sealed class Site(WebApplication app) : IAsyncDisposable
    {
        private readonly System.Threading.Channels.Channel<string> reports = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public string Broker { get; set; } = "";

        public int Port => new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;

        public static async Task<Site> StartAsync()
        {
            var builder = WebApplication.CreateBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var site = new Site(builder.Build());
            await site.RunAsync();
            return site;
        }

        public async Task<string> NextReportAsync() => await reports.Reader.ReadAsync(Ct);

        public Task AnswerAsync(HttpContext http)
        {
            http.Response.ContentType = "text/html";
            return http.Response.WriteAsync(Script
                .Replace("BROKER", Broker, StringComparison.Ordinal).Replace("REPORT", $"http://127.0.0.1:{Port}/report", StringComparison.Ordinal)
                .Replace("NAME", "evil", StringComparison.Ordinal));
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private Task RunAsync()
        {
            app.Run(async http =>
            {
                if (http.Request.Path == "/page") await AnswerAsync(http);
                if (http.Request.Path != "/report") return;
                using var body = new StreamReader(http.Request.Body);
                await reports.Writer.WriteAsync(await body.ReadToEndAsync(Ct), Ct);
            });
            return app.StartAsync(Ct);
        }
    }
}
