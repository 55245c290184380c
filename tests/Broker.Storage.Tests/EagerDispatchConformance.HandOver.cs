using Broker.Core.Runs;
using Broker.Storage.Dispatch;
using Broker.Storage.Matching;
using Broker.Storage.Tables;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Cost of a lost lease that was granted ahead, and steps that are never granted so.</summary>
public abstract partial class EagerDispatchConformance
{
    /// <summary>Jobs, whose lost leases use up a retry, and definitions that forgive none: what is handed over from memory may not be lost sight of.</summary>
    [Theory]
    [InlineData("jobs")]
    [InlineData("depends")]
    [InlineData("strict")]
    [InlineData("beside")]
    public async Task A_step_that_may_not_run_twice_is_never_granted_ahead(string kind)
    {
        var lenient = ADefinition.Graph("lenient", "a");
        await OpenAsync(kind switch
        {
            "jobs" => ADefinition.Jobs("w", Steps(40)),
            "depends" => ADefinition.Of($$"""{"workflow_id": "w", "version": "1", "steps": { {{string.Join(", ", Steps(40).Select(s => $$"""
                "{{s}}": {"depends_on": []}
                """))}} } }"""),
            _ => ADefinition.Of(ADefinition.Document("w", "1", "\"max_lease_losses\": 0,", Steps(40))),
        });

        // Of a worker that may have others too the order would suffer, so none of its steps are.
        if (kind == "beside")
        {
            foreach (var worker in Workers) ids[worker] = (await Broker.Workers.RegisterAsync([definition, lenient], Ct)).Id!;
        }

        async Task<Assignment> Take(string worker) =>
            (await TakeAsync(kind == "jobs" ? new ClaimRequest(worker, ClaimScope.ByLabels, []) : await ClaimOfAsync(worker)))!;
        for (var i = 0; i < EagerDispatch.InitialStreak + 3; i++)
        {
            var held = await Task.WhenAll(Workers.Select(Take));
            await ReportAsync(held);
            Assert.Equal(0, await LeasedAsync());
        }
    }

    private async Task<int> AheadAsync() => (await Engine.QueryAsync("SELECT idx FROM step WHERE status = 2 AND ahead")).Count;

    private async Task LoseAllAsync(int leases)
    {
        await Engine.ExecuteAsync("UPDATE step SET expires_at = 1 WHERE status = 2");
        Assert.Equal(leases, await Broker.Runs.ExpireLeasesAsync(100, Ct));
    }

    private Task<IReadOnlyList<string>> LossesAsync() => Engine.QueryAsync("SELECT sum(losses) FROM step");

    [Fact]
    public async Task The_lease_of_what_is_held_runs_out_at_no_charge()
    {
        await PrefetchAsync();
        Assert.Equal(4, await AheadAsync());
        await LoseAllAsync(4);
        Assert.Equal(["0"], await LossesAsync());
        Assert.Equal("s16", (await TakeAsync("other"))!.Step.Name);
    }

    [Fact]
    public async Task A_hand_over_is_recorded_after_a_while_and_charged_from_then_on()
    {
        await PrefetchAsync();
        await Task.WhenAll(Workers.Select(worker => TakeAsync(worker)));
        clock.Advance(HandOvers.Delay - TimeSpan.FromMilliseconds(1));
        Assert.Equal(4, await AheadAsync());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await Eventually.TrueAsync(async () => await AheadAsync() == 0);
        await LoseAllAsync(4);
        Assert.Equal(["4"], await LossesAsync());
    }

    [Fact]
    public async Task A_heartbeat_of_the_worker_records_the_hand_over()
    {
        await PrefetchAsync();
        var taken = await Task.WhenAll(Workers.Select(worker => TakeAsync(worker)));
        Assert.Equal([HeartbeatVerdict.Renewed], await Broker.Steps.HeartbeatAsync([taken[0]!.Lease], Ct));
        Assert.Equal(3, await AheadAsync());
    }

    [Fact]
    public async Task A_step_that_is_reported_soon_costs_no_record_of_its_hand_over()
    {
        await PrefetchAsync();
        await ReportAsync((await Task.WhenAll(Workers.Select(worker => TakeAsync(worker))))!);
        await ReportAsync((await Task.WhenAll(Workers.Select(worker => TakeAsync(worker))))!);
        clock.Advance(HandOvers.Delay);
        await Eventually.TrueAsync(async () => await LeasedAsync() == 0);
        Assert.Equal(0, beats);
    }

    [Fact]
    public async Task A_broker_that_stops_records_what_it_has_handed_over()
    {
        await PrefetchAsync();
        await Task.WhenAll(Workers.Select(worker => TakeAsync(worker)));
        await Broker.DisposeAsync();
        Assert.Equal((4, 0), (await LeasedAsync(), await AheadAsync()));
    }

    /// <summary>The claim that a report lets expect is overdue at once then.</summary>
    [Fact]
    public async Task A_report_whose_lane_pauses_after_its_commit_is_accepted()
    {
        using var pausing = new PausingClock(clock);
        store = OpenWith(pausing, new InjectedFault("none: it pauses") { Transaction = (transaction, _) => new PausedUnit(transaction, pausing) });
        definition = (await Broker.Definitions.RegisterAsync([ADefinition.Graph("w", Steps(40))], makeLatest: false, Ct)).Registered[0];
        await Broker.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
        var held = await ComeBackAsync(1, Workers);
        pausing.IsOn = true;
        await ReportAsync(held);
        pausing.IsOn = false;
        Assert.Equal(2 * Workers.Length, (await Engine.QueryAsync("SELECT idx FROM step WHERE status = 4")).Count);
    }

    private sealed class PausedUnit(IBatchTransaction inner, PausingClock clock) : FaultyTransaction(inner)
    {
        public override IReadOnlyList<(StepKey Step, string? Result)> Commit(IReadOnlyList<StepKey> upstream, IReadOnlyList<LogLineRow> lines)
        {
            var found = base.Commit(upstream, lines);
            clock.Pause();
            return found;
        }
    }

    /// <summary>While it is on, the thread that has committed pauses before each look at the clock for longer than a claim is awaited.</summary>
    private sealed class PausingClock(TestClock clock) : TimeProvider, IDisposable
    {
        private readonly ThreadLocal<bool> isPaused = new();
        private long paused;

        public volatile bool IsOn;

        public override long TimestampFrequency => clock.TimestampFrequency;

        public void Pause() => isPaused.Value = IsOn;

        public void Dispose() => isPaused.Dispose();

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override long GetTimestamp() =>
            clock.GetTimestamp() + (IsOn && isPaused.Value ? Interlocked.Add(ref paused, EagerDispatch.HoldTime.Ticks) : Interlocked.Read(ref paused));

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => clock.CreateTimer(callback, state, dueTime, period);
    }
}
