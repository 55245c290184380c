using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Storage.Postgres;
using Broker.Storage.Tables;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Statements that PostgreSQL runs without each accelerator, and runs that end the same without it.</summary>
public sealed class PostgresAcceleratorTests(PostgresCluster cluster) : StoreTests(new OnPostgres(cluster))
{
    [Theory]
    [InlineData(Accelerators.All)]
    [InlineData(Accelerators.All & ~Accelerators.EagerDispatch)]
    [InlineData(Accelerators.All & ~Accelerators.RunCache)]
    [InlineData(Accelerators.All & ~Accelerators.ResultCache)]
    [InlineData(Accelerators.All & ~Accelerators.ClaimLoop)]
    [InlineData(Accelerators.None)]
    public async Task A_chain_of_steps_ends_with_its_result_and_only_what_is_on_caches(Accelerators on)
    {
        var store = OpenWith(on);
        var engine = (PostgresEngine)store.Engine;
        Assert.Equal(on.HasFlag(Accelerators.ClaimLoop), engine.HasClaimLoops);
        var definition = (await store.Definitions.RegisterAsync([ADefinition.Jobs("w", "a", "b<-a", "c<-b")], makeLatest: false, Ct)).Registered[0];
        await store.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
        foreach (var name in (string[])["a", "b", "c"])
        {
            var step = Assert.Single(await store.Steps.ClaimAsync(new ClaimRequest("w1", ClaimScope.ByLabels, [], 1), Ct));
            Assert.Equal(name, step.Step.Name);
            var key = new StepKey(step.Run.Id, step.Step.Index);
            if (!on.HasFlag(Accelerators.RunCache))
            {
                // A cached load needs a recent estimate of the database's clock: without this it would answer null for another reason.
                await engine.NowAsync(Ct);
                Assert.Null(engine.Runs.TryLoadCached([new LeaseRef(key, step.Lease.Fence, null)]));
            }

            var report = new LeaseReport(step.Lease, new StepReport(ReportOutcome.Succeeded) { ResultJson = $"\"{name}\"" });
            Assert.Equal(ReportVerdict.Accepted, Assert.Single(await store.Steps.ReportAsync([report], Ct)));
            Assert.Equal(on.HasFlag(Accelerators.ResultCache), engine.Runs.Results.TryGet(key, out _));
        }

        var run = await store.History.FindAsync("w", "i", null, Ct);
        Assert.Equal(RunStatus.Succeeded, run!.Status);
    }
}
