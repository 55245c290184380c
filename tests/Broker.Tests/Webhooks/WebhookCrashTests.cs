using Broker.Testing;
using Broker.Tests.BrokerDialect;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Broker.Tests.Webhooks;

/// <summary>Brokers that are killed between the commit of an event and its delivery.</summary>
public abstract class WebhookCrashTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(90);

    private string database = "";
    private HookReceiver receiver = null!;

    private protected abstract Task<string> CreateDatabaseAsync();

    private protected abstract Task DropDatabaseAsync();

    public async ValueTask InitializeAsync() => (database, receiver) = (await CreateDatabaseAsync(), await HookReceiver.StartAsync());

    public async ValueTask DisposeAsync()
    {
        await receiver.DisposeAsync();
        await DropDatabaseAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_event_that_was_committed_and_not_queued_is_delivered_after_the_restart()
    {
        // A broker that only serves HTTP commits the event and leaves it in the outbox.
        await using (var first = await StartAsync(("API_ONLY", "1")))
        {
            await EndRunAsync(first);
            await first.KillAsync();
        }

        Assert.Empty(receiver.Messages);
        await using var second = await StartAsync();
        Assert.Single(await receiver.WaitAsync("/hook", 1));
    }

    [Fact]
    public async Task A_delivery_that_was_under_way_is_made_again_under_its_id()
    {
        var hangs = new TaskCompletionSource();
        receiver.Answers["/hook"] = http => receiver.Messages.Count == 1 ? hangs.Task.WaitAsync(http.RequestAborted) : Task.CompletedTask;
        await using var broker = await StartAsync();
        await EndRunAsync(broker);
        await receiver.WaitAsync("/hook", 1);
        await broker.KillAsync();
        hangs.SetResult();
        await broker.RestartAsync();
        Assert.Single((await receiver.WaitAsync("/hook", 2)).Select(message => message.Id).Distinct());
        using var client = new HttpClient { BaseAddress = broker.Address };
        var wire = new Wire(client);
        var id = (await wire.GetAsync("/api/v1/webhooks")).Json.GetProperty("items")[0].GetProperty("id").GetString();
        await Eventually.TrueAsync(
            async () => (await wire.GetAsync($"/api/v1/webhooks/{id}/deliveries?status=delivered")).Json.GetProperty("items").GetArrayLength() == 1, Long);
    }

    private Task<BrokerProcess> StartAsync(params (string Name, string Value)[] more) =>
        BrokerProcess.StartAsync(database, more.Append(("Broker__Webhooks__AllowPrivate", "true")).ToDictionary(variable => variable.Item1, variable => variable.Item2));

    private async Task EndRunAsync(BrokerProcess broker)
    {
        using var client = new HttpClient { BaseAddress = broker.Address };
        var wire = new Wire(client);
        var made = await wire.PostAsync("/api/v1/webhooks", $$"""{"url":"{{receiver.Address}}hook","events":["run.failed"]}""");
        Assert.True(made.Status == 201, made.ToString());
        var flow = Flows.Single(Flows.NewName("killed"));
        var worker = await wire.RegisterAsync(flow);
        await wire.DispatchAsync(flow);
        await wire.ReportAsync(worker, await wire.MustClaimAsync(worker), "FAILED");
    }
}

public sealed class PostgresWebhookCrashTests(PostgresCluster cluster) : WebhookCrashTests
{
    private string? connectionString;

    private protected override async Task<string> CreateDatabaseAsync()
    {
        PostgresCluster.Require();
        return connectionString = await cluster.CreateDatabaseAsync();
    }

    private protected override async Task DropDatabaseAsync()
    {
        if (connectionString is not null) await cluster.DropAsync(connectionString);
    }
}

public sealed class SqliteWebhookCrashTests : WebhookCrashTests
{
    private readonly SqliteFile file = new();

    private protected override Task<string> CreateDatabaseAsync() => Task.FromResult($"sqlite:{file.Path}");

    private protected override Task DropDatabaseAsync()
    {
        file.Dispose();
        return Task.CompletedTask;
    }
}
