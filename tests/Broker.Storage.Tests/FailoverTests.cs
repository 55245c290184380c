using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>A real standby that is promoted under a running broker.</summary>
public sealed class FailoverTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_promotion_that_lost_transactions_leaves_nothing_of_them_in_use()
    {
        await using var servers = await ReplicatedPostgres.StartAsync();
        await using var store = await OpenAsync(servers);
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a", "b<-a")], makeLatest: false, Ct)).Registered[0];
        await store.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
        await servers.UntilCaughtUpAsync();
        await servers.DetachStandbyAsync();
        await FinishFirstAsync(store, "\"OLD\"");
        await store.Runs.StartAsync([new StartRequest(definition, "lost")], Ct);
        var before = store.Epoch.Number;

        await servers.KillPrimaryAsync();
        await servers.PromoteAsync();
        await using (var other = StoreHarness.Open(TargetOf(servers), TimeProvider.System)) await RetryAsync(() => FinishFirstAsync(other, "\"NEW\""));
        await RetryAsync(() => store.Waiting.PollAsync(Ct));
        Assert.True(store.Epoch.Number > before);
        var step = await ClaimAsync(store);
        Assert.Equal(("b", "\"NEW\""), (step.Step.Name, step.Upstream[0].ResultJson));
        Assert.Equal(StartVerdict.Started, (await store.Runs.StartAsync([new StartRequest(definition, "lost")], Ct))[0].Verdict);

        await servers.AddStandbyAsync();
        await servers.UntilCaughtUpAsync();
    }

    [Fact]
    public async Task With_a_synchronous_standby_what_is_acknowledged_survives_the_promotion()
    {
        await using var servers = await ReplicatedPostgres.StartAsync();
        await using var store = await OpenAsync(servers);
        await servers.SynchronousAsync(on: true);
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a")], makeLatest: false, Ct)).Registered[0];
        var acknowledged = new List<RunRef>();
        for (var i = 0; i < 50; i++) acknowledged.Add((await store.Runs.StartAsync([new StartRequest(definition, $"i{i}")], Ct))[0].Run!);
        Assert.Null(await store.Commits.FaultAsync(Ct));

        await servers.KillPrimaryAsync();
        await servers.PromoteAsync();
        foreach (var run in acknowledged)
        {
            RunView? view = null;
            await RetryAsync(async () => view = await store.History.FindAsync(run.Workflow, run.InstanceId, run.Number, Ct));
            Assert.NotNull(view);
        }
    }

    private static DatabaseTarget TargetOf(ReplicatedPostgres servers)
    {
        Assert.True(DatabaseUrl.TryParse(servers.UrlOf("broker"), out var target, out var problem), problem);
        return target;
    }

    private static async Task<StoreHarness> OpenAsync(ReplicatedPostgres servers)
    {
        await servers.CreateDatabaseAsync("broker");
        var store = StoreHarness.Open(TargetOf(servers), TimeProvider.System);
        await store.Migrator.MigrateAsync(Ct);
        return store;
    }

    private static async Task FinishFirstAsync(StoreHarness store, string result)
    {
        var step = await ClaimAsync(store);
        Assert.Equal("a", step.Step.Name);
        await store.Steps.ReportAsync([new LeaseReport(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = result })], Ct);
    }

    private static async Task<Assignment> ClaimAsync(StoreHarness store) =>
        Assert.Single(await store.Steps.ClaimAsync(new ClaimRequest("w", ClaimScope.ByLabels, [], 1), Ct));

    // As a client that is answered 503.
    private static Task RetryAsync(Func<Task> act) => Eventually.TrueAsync(
        async () =>
        {
            try
            {
                await act();
                return true;
            }
            catch (Exception fault) when (fault.FindInner<StoreUnavailableException>() is not null || fault.FindInner<NpgsqlException>() is not null)
            {
                return false;
            }
        },
        TimeSpan.FromSeconds(60));
}
