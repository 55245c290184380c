using Broker.Core.Runs;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Callers who want something of the same instance at the same moment; what stands here the model check has found.</summary>
public abstract class TogetherConformance : StoreTests
{
    private const int Rounds = 20;
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private protected TogetherConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task Restarts_at_once_are_all_answered_each_with_a_run_of_its_own()
    {
        var definition = await RegisterAsync(ADefinition.Graph("w", "a"));
        for (var round = 0; round < Rounds; round++)
        {
            var id = $"i{round}";
            await StartAsync(definition, id);
            var restarts = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Store.Runs.ControlAsync("w", id, ControlCommand.Restart, Ct))).WaitAsync(WaitLimit, Ct);
            Assert.All(restarts, r => Assert.Equal(ControlVerdict.Done, r.Verdict));
            Assert.Equal([1, 2, 3, 4], restarts.Select(r => r.Run!.Number).Order());
        }
    }

    [Fact] // 24
    public async Task Of_retries_at_once_one_starts_a_run_and_the_others_find_it()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("w", "a"));
        for (var round = 0; round < Rounds; round++)
        {
            var id = $"i{round}";
            await StartAsync(definition, id);
            await Store.Runs.ControlAsync("w", id, ControlCommand.Cancel, Ct);
            var retries = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Store.Runs.RerunAsync(new("w", id) { Number = i % 2 == 0 ? 0 : null }, Ct))).WaitAsync(WaitLimit, Ct);
            Assert.Equal(1, Assert.Single(retries, r => r.Verdict is RerunVerdict.Started).Run!.Number);
            Assert.All(retries, r => Assert.Contains(r.Verdict, (RerunVerdict[])[RerunVerdict.Started, RerunVerdict.StillActive, RerunVerdict.UnknownRun]));
        }
    }

    [Fact]
    public async Task A_call_beside_a_restart_meets_the_run_before_it_or_the_one_after()
    {
        var definition = await RegisterAsync(ADefinition.Graph("w", "a"));
        for (var round = 0; round < Rounds; round++)
        {
            var id = $"i{round}";
            await StartAsync(definition, id);
            var restart = Store.Runs.ControlAsync("w", id, ControlCommand.Restart, Ct);
            var sent = Store.Runs.SendAsync("w", id, "go", null, null, Delivery.First, Ct);
            var pause = Store.Runs.ControlAsync("w", id, ControlCommand.Pause, Ct);
            await Task.WhenAll(restart, sent, pause).WaitAsync(WaitLimit, Ct);

            // The instance has never ended.
            Assert.Equal(SendVerdict.Kept, (await sent).Verdict);
            Assert.Equal(ControlVerdict.Done, (await pause).Verdict);
        }
    }

    [Theory]
    [InlineData(StartMode.NewInstance, StartVerdict.AlreadyExists)]
    [InlineData(StartMode.NextRun, StartVerdict.StillActive)]
    public async Task Of_two_brokers_that_start_an_instance_one_answers_that_the_other_did(StartMode mode, StartVerdict otherwise)
    {
        var definition = await RegisterAsync(ADefinition.Graph("w", "a"));
        var peer = OpenPeer();
        for (var round = 0; round < Rounds; round++)
        {
            StartRequest[] start = [new(definition, $"i{round}") { Mode = mode }];
            var started = await Task.WhenAll(Store.Runs.StartAsync(start, Ct), peer.Runs.StartAsync(start, Ct), Store.Runs.StartAsync(start, Ct)).WaitAsync(WaitLimit, Ct);
            Assert.Equal([StartVerdict.Started, otherwise, otherwise], started.Select(s => s[0].Verdict).Order());
        }
    }

    [Fact]
    public async Task A_purge_with_a_restart_beside_it_leaves_nothing_or_a_new_run()
    {
        var definition = await RegisterAsync(ADefinition.Graph("w", "a"));
        for (var round = 0; round < Rounds; round++)
        {
            var id = $"i{round}";
            await StartAsync(definition, id);
            var purge = Store.Runs.ControlAsync("w", id, ControlCommand.Purge, Ct);
            var restart = Store.Runs.ControlAsync("w", id, ControlCommand.Restart, Ct);
            await Task.WhenAll(purge, restart).WaitAsync(WaitLimit, Ct);
            Assert.Equal(ControlVerdict.Done, (await purge).Verdict);

            // The restart came first and was purged with the rest, or found nothing.
            Assert.Null(await Store.History.FindAsync("w", id, null, Ct));
        }
    }

    [Fact]
    public async Task A_run_that_lost_its_only_lease_has_begun_all_the_same()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("w", "a")), "i");
        await RegisterAsync(ADefinition.Graph("v", "a"));
        var (worker, _) = await Store.Workers.RegisterAsync([ADefinition.Graph("v", "a")], Ct);
        await StartAsync(ADefinition.Graph("v", "a"), "i");
        Assert.Single(await Store.Steps.ClaimAsync(new ClaimRequest(worker!, ClaimScope.ByRegistration, [], 1), Ct));
        await Engine.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(1, await Store.Runs.ExpireLeasesAsync(10, Ct));

        Assert.Equal(RunStatus.Running, (await Store.Runs.SendAsync("v", "i", "go", null, null, Delivery.First, Ct)).Before);
        Assert.Equal(RunStatus.Queued, (await Store.Runs.SendAsync("w", "i", "go", null, null, Delivery.First, Ct)).Before);
    }

    [Fact]
    public async Task A_run_that_has_gone_on_since_it_was_resumed_is_running()
    {
        var run = await StartAsync(await RegisterAsync(ADefinition.Jobs("w", "a", "b<-a")), "i");
        await Store.Runs.ControlAsync("w", "i", ControlCommand.Pause, Ct);
        await Store.Runs.ControlAsync("w", "i", ControlCommand.Resume, Ct);
        Assert.Equal(RunStatus.Queued, (await Store.Runs.SendAsync("w", "i", "go", null, null, Delivery.First, Ct)).Before);

        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync((await ClaimAsync())!));
        Assert.Equal(RunStatus.Running, (await Store.Runs.SendAsync("w", "i", "go", null, null, Delivery.First, Ct)).Before);
        Assert.Equal(RunStatus.Running, (await ViewAsync(run)).Status);
    }
}
