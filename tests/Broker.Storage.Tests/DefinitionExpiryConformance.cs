using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Definitions that workers and dispatches made go when neither they nor a run need them; nothing else does.</summary>
public abstract class DefinitionExpiryConformance : StoreTests
{
    private static readonly TimeSpan Unseen = TimeSpan.FromDays(30);
    private static readonly TimeSpan Longer = TimeSpan.FromDays(31);

    private protected DefinitionExpiryConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private async Task<List<string>> NamesAsync() => [.. (await Open().Definitions.HeadsAsync(0, 100, Ct)).Select(head => head.Name)];

    private async Task PassAsync(TimeSpan time)
    {
        await Store.Workers.FlushAsync(Ct);
        await Engine.PassAsync(time);
    }

    [Fact]
    public async Task A_definition_without_worker_and_run_is_removed_with_its_queues()
    {
        await Store.Workers.RegisterAsync([ADefinition.Graph("worked", "a", "b")], Ct);
        await RegisterAsync(ADefinition.Graph("dispatched", "a"));
        await RegisterAsync(ADefinition.Jobs("posted", "a"));
        await PassAsync(TimeSpan.FromDays(29));
        Assert.Equal(0, await Store.Expiry.RemoveAsync(Unseen, Ct));

        await PassAsync(TimeSpan.FromDays(2));
        Assert.Equal(2, await Store.Expiry.RemoveAsync(Unseen, Ct));
        Assert.Equal(0, await Store.Expiry.RemoveAsync(Unseen, Ct));
        Assert.Equal(["posted"], await NamesAsync());
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM queue WHERE definition_id IS NOT NULL"));
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM worker"));
    }

    [Fact]
    public async Task A_removed_definition_can_be_registered_again_and_run()
    {
        await Store.Workers.RegisterAsync([ADefinition.Graph("d", "a")], Ct);
        await PassAsync(Longer);
        Assert.Equal(1, await Store.Expiry.RemoveAsync(Unseen, Ct));
        Assert.Null(await Store.Definitions.LatestAsync("d", Ct));

        var (worker, _) = await Store.Workers.RegisterAsync([ADefinition.Graph("d", "a")], Ct);
        await StartAsync((await Store.Definitions.LatestAsync("d", Ct))!, "i");
        var claimed = await Store.Steps.ClaimAsync(new ClaimRequest(worker!, ClaimScope.ByRegistration, [], 1), Ct);
        Assert.Equal("a", Assert.Single(claimed).Step.Name);
    }

    [Fact]
    public async Task A_run_keeps_its_definition_until_the_run_is_removed()
    {
        var definition = await RegisterAsync(ADefinition.Graph("d", "a"));
        await StartAsync(definition, "i");
        await PassAsync(Longer);
        Assert.Equal(0, await Store.Expiry.RemoveAsync(Unseen, Ct));
        await Store.Runs.ControlAsync("d", "i", ControlCommand.Purge, Ct);
        Assert.Equal(1, await Store.Expiry.RemoveAsync(Unseen, Ct));
    }

    [Fact]
    public async Task A_live_worker_keeps_its_definitions()
    {
        var (worker, _) = await Store.Workers.RegisterAsync([ADefinition.Graph("d", "a")], Ct);
        await PassAsync(Longer);
        await Store.Workers.SeenAsync(worker!, Ct);
        Assert.Equal(0, await Store.Expiry.RemoveAsync(Unseen, Ct));
        Assert.Equal(["d"], await NamesAsync());
    }

    [Fact]
    public async Task A_start_by_name_counts_as_use()
    {
        await RegisterAsync(ADefinition.Graph("d", "a"));
        await PassAsync(Longer);
        var later = Open();
        await later.Runs.StartAsync([new StartRequest((await later.Definitions.LatestAsync("d", Ct))!, "i")], Ct);
        await later.Runs.ControlAsync("d", "i", ControlCommand.Purge, Ct);
        Assert.Equal(0, await Store.Expiry.RemoveAsync(Unseen, Ct));
    }

    [Fact]
    public async Task A_registration_at_the_same_moment_finds_or_makes_its_definition()
    {
        for (var i = 0; i < 5; i++)
        {
            await RegisterAsync(ADefinition.Graph("d", "a"));
            await PassAsync(Longer);
            var peer = Open();
            var registering = Task.Run(() => peer.Definitions.RegisterAsync([ADefinition.Graph("d", "a")], makeLatest: false, Ct), Ct);
            await Store.Expiry.RemoveAsync(Unseen, Ct);
            var registered = Assert.Single((await registering).Registered);
            Assert.Equal(["d"], await NamesAsync());
            Assert.Equal(registered.Fingerprint, (await Open().Definitions.LatestAsync("d", Ct))!.Fingerprint);
        }
    }

    [Fact]
    public async Task Editions_of_a_file_that_were_replaced_go_and_the_latest_stays()
    {
        static WorkflowDefinition Edition(string version) => ADefinition.Of(
            $$$"""{"workflow_id":"f","version":"{{{version}}}","jobs":{"name":"n","trigger":"t","from_file":true},"steps":{"a":{"command":"x"} } }""");
        foreach (var version in (string[])["1", "2", "1"])
        {
            await Engine.PassAsync(TimeSpan.FromSeconds(1));
            await Store.Definitions.RegisterAsync([Edition(version)], makeLatest: true, Ct);
        }

        await PassAsync(Longer);
        Assert.Equal(1, await Store.Expiry.RemoveAsync(Unseen, Ct));
        Assert.Equal("1", (await Open().Definitions.LatestAsync("f", Ct))!.Version);
    }
}

public sealed class PostgresDefinitionExpiryTests(PostgresCluster cluster) : DefinitionExpiryConformance(new OnPostgres(cluster));

public sealed class SqliteDefinitionExpiryTests() : DefinitionExpiryConformance(new OnSqlite());
