using System.Collections.Concurrent;
using System.Text;
using Broker.Testing;
using Broker.Tests.BrokerDialect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>A process of its own: its listeners would trace every other test's requests too.</summary>
public sealed class OtlpTests
{
    [Fact]
    public async Task Metrics_and_spans_are_sent_to_the_endpoint_that_is_set()
    {
        var ct = TestContext.Current.CancellationToken;
        var received = new ConcurrentQueue<(string Path, string Body)>();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.MapPost("/{**path}", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            received.Enqueue((request.Path, Encoding.Latin1.GetString(body.ToArray())));
        });
        await collector.StartAsync(ct);
        var address = collector.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

        using var file = new SqliteFile();
        await using var broker = await BrokerProcess.StartAsync($"sqlite:{file.Path}", new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "300",
            ["OTEL_SERVICE_NAME"] = "broker-under-test",
        });
        using var client = new HttpClient { BaseAddress = broker.Address };
        var wire = new Wire(client);
        var name = Flows.NewName("sent");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        await wire.DispatchAsync(Flows.Single(name));
        var claimed = await client.GetAsync(new Uri($"/workflow/step?worker_id={worker}", UriKind.Relative), ct);
        Assert.StartsWith("00-", claimed.Headers.GetValues("traceparent").Single(), StringComparison.Ordinal);

        foreach (var (path, text) in ((string, string)[])[
            ("/v1/metrics", "broker.batch.size"), ("/v1/metrics", "http.server.request.duration"), ("/v1/metrics", "broker.queue.depth"),
            ("/v1/traces", "POST /workflow/dispatch"), ("/v1/traces", "transaction"), ("/v1/traces", "broker-under-test")])
        {
            await Eventually.TrueAsync(
                () => received.Any(r => r.Path == path && r.Body.Contains(text, StringComparison.Ordinal)), TimeSpan.FromSeconds(90), $"{text} at {path}");
        }

        Assert.Equal(0, await broker.StopAsync());
    }

    [Fact]
    public async Task An_endpoint_that_is_none_is_refused_with_what_to_write()
    {
        await using var broker = new ManagedProcess(
            RepositoryLayout.HostProgram(), new Dictionary<string, string> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "collector:4317" });
        await broker.StartUntilAsync("OTEL_EXPORTER_OTLP_ENDPOINT: write an address such as http://localhost:4317", TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(() => broker.HasExited, TimeSpan.FromSeconds(60));
        Assert.Equal(1, broker.ExitCode);
    }
}
