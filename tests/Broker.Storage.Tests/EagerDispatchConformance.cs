using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Dispatch;
using Broker.Storage.Matching;
using Broker.Storage.Tests.Model;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Claims that are made with the reports of workers who always come back.</summary>
public abstract partial class EagerDispatchConformance : StoreTests
{
    private static readonly string[] Workers = ["w1", "w2", "w3", "w4"];
    private static readonly StepReport Success = new(ReportOutcome.Succeeded) { ResultJson = "1" };

    private readonly TestClock clock;
    private readonly Dictionary<string, string> ids = [];
    private WorkflowDefinition definition = ADefinition.Graph("w", "a");
    private int claims;
    private int ahead;
    private int returned;
    private int beats;
    private StoreHarness? store;

    private protected EagerDispatchConformance(ITestEngine engine)
        : base(engine) => clock = engine.Clock as TestClock ?? new TestClock();

    private StoreHarness Broker => store!;

    /// <summary>A broker whose clock the test moves on both engines.</summary>
    private void OpenBroker(Accelerators accelerators = Accelerators.All) =>
        store = OpenWith(clock, new InjectedFault("none: it looks on") { Transaction = (transaction, _) => new Onlooker(transaction, this) }, accelerators);

    private static string[] Steps(int count) => [.. Enumerable.Range(0, count).Select(i => $"s{i:00}")];

    /// <summary>With one run of many steps side by side.</summary>
    private Task OpenAsync(int steps = 40) => OpenAsync(ADefinition.Graph("w", Steps(steps)));

    private async Task OpenAsync(WorkflowDefinition one, Accelerators accelerators = Accelerators.All)
    {
        OpenBroker(accelerators);
        definition = (await Broker.Definitions.RegisterAsync([one], makeLatest: false, Ct)).Registered[0];
        await Broker.Runs.StartAsync([new StartRequest(definition, "i")], Ct);
    }

    /// <summary>The registered worker that a test calls by this name.</summary>
    private async Task<ClaimRequest> ClaimOfAsync(string worker, params string[] labels)
    {
        string? id;
        lock (ids) ids.TryGetValue(worker, out id);
        id ??= (await Broker.Workers.RegisterAsync([definition], Ct)).Id!;
        lock (ids) ids[worker] = id;
        return new(id, ClaimScope.ByRegistration, labels);
    }

    private async Task<Assignment?> TakeAsync(string worker, params string[] labels) => await TakeAsync(await ClaimOfAsync(worker, labels));

    private async Task<Assignment?> TakeAsync(ClaimRequest claim) => (await Broker.Steps.ClaimAsync(claim, Ct)).SingleOrDefault();

    private async Task ReportAsync(params Assignment[] held) =>
        Assert.All(await Broker.Steps.ReportAsync([.. held.Select(step => new LeaseReport(step.Lease, Success))], Ct), verdict => Assert.Equal(ReportVerdict.Accepted, verdict));

    /// <summary>Each of them claims and reports, again and again, and then holds one step more.</summary>
    private async Task<Assignment[]> ComeBackAsync(int times, params string[] workers)
    {
        var held = await Task.WhenAll(workers.Select(worker => TakeAsync(worker)));
        for (var i = 0; i < times; i++)
        {
            foreach (var step in held) await ReportAsync(step!);
            held = await Task.WhenAll(workers.Select(worker => TakeAsync(worker)));
        }

        return held!;
    }

    private async Task<Assignment[]> PrefetchAsync(int steps = 40)
    {
        await OpenAsync(steps);
        var held = await ComeBackAsync(EagerDispatch.InitialStreak, Workers);
        await ReportAsync(held);
        return held;
    }

    private async Task<int> LeasedAsync() => (await Engine.QueryAsync("SELECT idx FROM step WHERE status = 2")).Count;

    [Fact]
    public async Task A_worker_that_comes_back_gets_the_step_that_was_leased_with_its_report()
    {
        await PrefetchAsync();
        Assert.Equal(4, await LeasedAsync());
        var before = claims;
        var taken = await Task.WhenAll(Workers.Select(worker => TakeAsync(worker)));
        Assert.Equal(before, claims);
        Assert.Equal(Workers.Select(worker => ids[worker]), taken.Select(step => step!.WorkerId));
        Assert.Equal(4, taken.Select(step => step!.Lease).Distinct().Count());
        Assert.Equal(["s16", "s17", "s18", "s19"], taken.Select(step => step!.Step.Name).Order());

        // As good as any other lease, and the next comes with its report.
        await ReportAsync(taken!);
        Assert.Equal(4, await LeasedAsync());
        Assert.Equal(["20"], await Engine.QueryAsync("SELECT count(*) FROM step WHERE status = 4"));
    }

    [Fact]
    public async Task A_worker_with_several_slots_is_granted_steps_ahead_too()
    {
        await OpenAsync();
        var claim = await ClaimOfAsync("w");
        Task<IReadOnlyList<Assignment>> Claim() => Broker.Steps.ClaimAsync(claim, Ct);
        Task<BatchOutcome> Report(IReadOnlyList<Assignment>[] held) =>
            Broker.Steps.ReportAsync([.. held.SelectMany(h => h).Select(s => new NamedReport(claim.WorkerId, "w", s.Run.WorkerInstanceId, s.Step.Name, Success))], null, Ct);
        var held = await Task.WhenAll(Claim(), Claim(), Claim(), Claim());
        await Report(held);
        Assert.Equal(0, await LeasedAsync());
        held = await Task.WhenAll(Claim(), Claim(), Claim(), Claim());
        await Report(held);
        Assert.Equal(4, await LeasedAsync());
        var before = claims;
        Assert.Equal(4, (await Task.WhenAll(Claim(), Claim(), Claim(), Claim())).Select(s => Assert.Single(s).Lease).Distinct().Count());
        Assert.Equal(before, claims);
    }

    [Fact]
    public async Task A_slot_that_asks_for_something_else_gets_nothing_that_was_held_for_the_others()
    {
        await OpenAsync();
        await ClaimOfAsync("w");
        var held = await Task.WhenAll(Workers.Select(_ => TakeAsync("w")));
        await ReportAsync(held!);
        held = await Task.WhenAll(Workers.Select(_ => TakeAsync("w")));
        await ReportAsync(held!);
        Assert.Equal(4, await LeasedAsync());
        Assert.Equal(["s12", "s13"], [(await TakeAsync("w", "gpu"))!.Step.Name, (await TakeAsync("w", "gpu"))!.Step.Name]);
    }

    [Fact]
    public async Task No_step_is_granted_ahead_before_a_row_of_prompt_claims()
    {
        await OpenAsync();
        await ReportAsync(await ComeBackAsync(EagerDispatch.InitialStreak - 1, Workers));
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task No_step_is_granted_ahead_where_eager_dispatch_is_off()
    {
        await OpenAsync(ADefinition.Graph("w", Steps(40)), Accelerators.All & ~Accelerators.EagerDispatch);
        await ReportAsync(await ComeBackAsync(EagerDispatch.InitialStreak, Workers));
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task No_step_is_granted_ahead_for_fewer_workers_than_share_transactions()
    {
        await OpenAsync();
        await ReportAsync(await ComeBackAsync(EagerDispatch.InitialStreak, Workers[1..]));
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task No_step_is_granted_ahead_while_most_workers_claim_elsewhere()
    {
        await OpenAsync(steps: 100);
        var held = await ComeBackAsync(EagerDispatch.InitialStreak, [.. Workers, .. Enumerable.Range(5, 8).Select(i => $"w{i}")]);
        await ReportAsync(held[..4]);
        Assert.Equal(8, await LeasedAsync());
        await ReportAsync(held[4..9]);
        Assert.Equal(3 + 5, await LeasedAsync());
    }

    [Fact]
    public async Task No_step_is_granted_ahead_while_claims_of_the_same_kind_wait()
    {
        await OpenAsync();
        var held = await ComeBackAsync(EagerDispatch.InitialStreak, Workers);
        using (await Broker.EnterAsync(await ClaimOfAsync("other"), Ct)) await ReportAsync(held);
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task No_step_is_granted_ahead_after_an_empty_claim()
    {
        await OpenAsync(steps: 16);
        await ReportAsync(await ComeBackAsync(EagerDispatch.InitialStreak, Workers));
        await Broker.Runs.StartAsync([new StartRequest(definition, "j")], Ct);
        await ReportAsync(await ComeBackAsync(0, Workers));
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task No_step_is_granted_ahead_for_a_worker_that_claims_late()
    {
        await OpenAsync();
        var held = await ComeBackAsync(EagerDispatch.InitialStreak - 1, Workers);
        foreach (var step in held) await ReportAsync(step);
        clock.Advance(EagerDispatch.HoldTime);
        held = (await Task.WhenAll(Workers.Select(worker => TakeAsync(worker))))!;
        await ReportAsync(held);
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task No_step_is_granted_ahead_with_a_release()
    {
        await OpenAsync();
        var held = await ComeBackAsync(EagerDispatch.InitialStreak, Workers);
        await Broker.Steps.ReportAsync([.. held.Select(step => new LeaseReport(step.Lease, StepReport.Returned))], Ct);
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task A_reserved_step_without_a_claim_goes_back_uncharged_to_its_place()
    {
        await PrefetchAsync(steps: 120);
        Assert.Equal(4, await LeasedAsync());
        clock.Advance(EagerDispatch.HoldTime - TimeSpan.FromMilliseconds(1));
        Assert.Equal(4, await LeasedAsync());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await Eventually.TrueAsync(async () => await LeasedAsync() == 0);
        var other = (await TakeAsync("other"))!;
        Assert.Equal(("s16", 0), (other.Step.Name, other.Attempt));

        // And they are not expected again before they have come four times as often.
        await ReportAsync(await ComeBackAsync((EagerDispatch.InitialStreak * 4) - 1, Workers));
        Assert.Equal(1, await LeasedAsync());
        await ReportAsync(await ComeBackAsync(1, Workers));
        Assert.Equal(1 + 4, await LeasedAsync());
    }

    [Fact]
    public async Task No_claim_is_empty_while_steps_are_reserved_for_other_workers()
    {
        await PrefetchAsync(steps: 20);
        Assert.Equal(4, await LeasedAsync());
        Assert.Equal("s16", (await TakeAsync("other"))!.Step.Name);
        Assert.Equal(1, await LeasedAsync());
        var rest = await Task.WhenAll(Workers.Select(worker => TakeAsync(worker)));
        Assert.Equal(["s17", "s18", "s19"], rest.Where(step => step is not null).Select(step => step!.Step.Name).Order());
    }

    [Fact]
    public async Task A_report_that_claims_gets_a_reserved_step_too()
    {
        await OpenAsync(steps: 21);
        var held = await ComeBackAsync(EagerDispatch.InitialStreak, [.. Workers, "other"]);
        await ReportAsync(held[..4]);
        Assert.Equal(2, await LeasedAsync());
        var outcome = await Broker.Steps.ReportAsync([new LeaseReport(held[4].Lease, Success)], await ClaimOfAsync("another"), Ct);
        Assert.Equal("s20", Assert.Single(outcome.Claimed).Step.Name);
    }

    [Fact]
    public async Task A_paused_run_hands_out_nothing_that_was_held()
    {
        await PrefetchAsync();
        Assert.Equal(4, await LeasedAsync());
        await Broker.Runs.ControlAsync("w", "i", ControlCommand.Pause, Ct);
        Assert.All(await Task.WhenAll(Workers.Select(worker => TakeAsync(worker))), Assert.Null);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await Eventually.TrueAsync(async () => (await Broker.History.FindAsync("w", "i", 0, Ct))!.Status is RunStatus.Paused);
        await Broker.Runs.ControlAsync("w", "i", ControlCommand.Resume, Ct);
        Assert.Equal("s16", (await TakeAsync("other"))!.Step.Name);
    }

    [Fact]
    public async Task A_cancelled_run_hands_out_nothing_that_was_held()
    {
        await PrefetchAsync();
        await Broker.Runs.ControlAsync("w", "i", ControlCommand.Cancel, Ct);
        Assert.All(await Task.WhenAll(Workers.Select(worker => TakeAsync(worker))), Assert.Null);
    }

    [Fact]
    public async Task A_claim_in_another_form_does_not_get_the_reserved_step()
    {
        await PrefetchAsync();
        var before = claims;
        Assert.Equal("s20", (await TakeAsync("w1", "gpu"))!.Step.Name);
        Assert.Equal(before + 1, claims);
        var longer = Assert.Single(await Broker.Steps.ClaimAsync(await ClaimOfAsync("w2") with { LeaseSecs = 500 }, Ct));
        Assert.Equal(500, longer.LeaseSecs);
        Assert.Equal(2, (await Broker.Steps.ClaimAsync(await ClaimOfAsync("w3") with { Count = 2 }, Ct)).Count);
    }

    [Fact]
    public async Task A_broker_that_stops_hands_back_what_it_holds()
    {
        await PrefetchAsync();
        Assert.Equal(4, await LeasedAsync());
        await Broker.DisposeAsync();
        Assert.Equal(0, await LeasedAsync());
    }

    [Fact]
    public async Task Vanishing_workers_lose_no_step_and_run_none_twice()
    {
        const int Runs = 120;
        OpenBroker();
        definition = (await Broker.Definitions.RegisterAsync([ADefinition.Graph("flow", "a", "b<-a", "c<-a", "d<-a", "e<-b+c+d")], makeLatest: false, Ct)).Registered[0];
        await Broker.Runs.StartAsync([.. Enumerable.Range(0, Runs).Select(i => new StartRequest(definition, $"i{i}"))], Ct);
        var accepted = 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        limit.CancelAfter(TimeSpan.FromMinutes(1));

        // Each goes by another name every few steps, just when it is expected back.
        async Task WorkAsync(int slot)
        {
            var random = new Random(slot);
            for (var name = 0; Volatile.Read(ref accepted) < Runs * 5; name++)
            {
                for (var left = random.Next(3, 12); left > 0 && Volatile.Read(ref accepted) < Runs * 5; left--)
                {
                    limit.Token.ThrowIfCancellationRequested();
                    if (await TakeAsync($"w{slot}.{name}") is not { } step) continue;
                    Assert.Equal(0, step.Attempt);
                    await ReportAsync(step);
                    Interlocked.Increment(ref accepted);
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, 12).Select(slot => Task.Run(() => WorkAsync(slot), Ct)));
        Assert.Equal(Runs * 5, accepted);
        Assert.Equal([$"{Runs * 5}"], await Engine.QueryAsync("SELECT count(*) FROM step WHERE status = 4 AND losses = 0"));
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM run WHERE workflow = 'flow' AND ended_at IS NULL"));
        Assert.NotEqual(0, ahead);
        Assert.NotEqual(0, returned);
    }

    private sealed class Onlooker(IBatchTransaction inner, EagerDispatchConformance test) : FaultyTransaction(inner)
    {
        public override (IReadOnlyList<ClaimedRow> Claimed, IReadOnlyList<RenewedLease?> Heartbeats) Write(ChangeSet changes, IReadOnlyList<ClaimGroup> groups)
        {
            Interlocked.Add(ref test.claims, groups.Count);
            Interlocked.Add(ref test.beats, changes.Heartbeats.Count);
            if (groups.Count > 0 && changes.Steps.Exists(step => step.EndedAt is not null)) Interlocked.Increment(ref test.ahead);
            if (changes.Steps.Exists(step => step.Status == (short)StepStatus.Ready)) Interlocked.Increment(ref test.returned);
            return base.Write(changes, groups);
        }
    }
}
