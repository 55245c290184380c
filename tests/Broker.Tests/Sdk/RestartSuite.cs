using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Broker.Sdk;
using Broker.Testing;
using Broker.Tests.BrokerDialect;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Sdk;

/// <summary>The client while its broker is killed and started again.</summary>
public abstract class RestartSuite
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected abstract Task<string> DatabaseUrlAsync();

    [Fact]
    public async Task A_result_and_both_streams_go_on_after_the_broker_was_killed()
    {
        await using var broker = await BrokerProcess.StartAsync(await DatabaseUrlAsync());
        using var http = new HttpClient { BaseAddress = broker.Address };
        await using var services = SdkFlows.Services(broker.Address);
        var (client, wire, name) = (services.GetRequiredService<BrokerClient>(), new Wire(http), Flows.NewName("order"));
        var worker = await wire.RegisterAsync(SdkFlows.Schema(name));

        var run = await client.StartAsync(SdkFlows.Order(name), new(1, "kim"), ct: Ct);
        var result = run.ResultAsync(Ct);
        await using var events = Follow(run.EventsAsync(ct: Ct), one => $"{one.Type} {one.Value}");
        await using var lines = Follow(run.LogsAsync(follow: true, ct: Ct), line => $"{line.Step} {line.Text}");
        await ReportAsync(wire, worker, "charge", "1");
        Assert.Equal("Charged {\"n\":1}", await events.NextAsync());
        Assert.Equal("charge \"charging\"", await lines.NextAsync());

        await broker.KillAsync();
        await broker.RestartAsync();
        Assert.False(result.IsCompleted);
        await ReportAsync(wire, worker, "ship", """{"number":"r-1"}""");

        Assert.Equal("Shipped {\"n\":1}", await events.NextAsync());
        Assert.Equal("ship \"shipping\"", await lines.NextAsync());
        Assert.Equal(new Receipt("r-1"), await result.WaitAsync(WaitLimit, Ct));
        Assert.Null(await events.NextAsync());
        Assert.Null(await lines.NextAsync());
    }

    private static async Task ReportAsync(Wire wire, string worker, string step, string result)
    {
        var claimed = await wire.MustClaimAsync(worker, "&wait=10");
        Assert.Equal(step, claimed.GetProperty("step_name").GetString());
        var more = $$"""
            ,"events":[{"type":"{{(step == "charge" ? "Charged" : "Shipped")}}","value":{"n":1} }],"logs":[{"level":"info","message":"{{(step == "charge" ? "charging" : "shipping")}}"}]
            """;
        Assert.Equal(204, (await wire.ReportAsync(worker, claimed, "SUCCEEDED", result, more)).Status);
    }

    private static Follower Follow<T>(IAsyncEnumerable<T> items, Func<T, string> text) => new(TextsAsync(items, text));

    private static async IAsyncEnumerable<string> TextsAsync<T>(IAsyncEnumerable<T> items, Func<T, string> text, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await foreach (var item in items.WithCancellation(ct)) yield return text(item);
    }

    /// <summary>Reads a stream in the background, as an application does.</summary>
    private sealed class Follower : IAsyncDisposable
    {
        private readonly Channel<string> read = Channel.CreateUnbounded<string>();
        private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        private readonly Task reading;

        public Follower(IAsyncEnumerable<string> items) => reading = ReadAsync(items);

        /// <summary>Null at the end of the stream.</summary>
        public async Task<string?> NextAsync()
        {
            var isMore = await read.Reader.WaitToReadAsync(Ct).AsTask().WaitAsync(WaitLimit, Ct);
            return isMore && read.Reader.TryRead(out var text) ? text : null;
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.Dispose();
        }

        private async Task ReadAsync(IAsyncEnumerable<string> items)
        {
            try
            {
                await foreach (var item in items.WithCancellation(stop.Token)) read.Writer.TryWrite(item);
                read.Writer.Complete();
            }
            catch (Exception fault)
            {
                read.Writer.Complete(fault);
            }
        }
    }
}

public sealed class PostgresRestartTests(PostgresDatabase database) : RestartSuite, IClassFixture<PostgresDatabase>
{
    private protected override Task<string> DatabaseUrlAsync()
    {
        PostgresCluster.Require();
        return Task.FromResult(database.ConnectionString);
    }
}

public sealed class SqliteRestartTests : RestartSuite, IDisposable
{
    private readonly SqliteFile file = new();

    public void Dispose() => file.Dispose();

    private protected override Task<string> DatabaseUrlAsync() => Task.FromResult($"sqlite:{file.Path}");
}
