using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Starts that may be sent again, and what waits for workers.</summary>
public abstract class StartKeyConformance : StoreTests
{
    private protected StartKeyConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static StartRequest Request(WorkflowDefinition definition, string id, string key, string request = "r", bool keepsStanding = false) =>
        new(definition, id) { Key = new StartKey(key, request) { KeepsStanding = keepsStanding } };

    private async Task<StartOutcome> StartAsync(StartRequest start) => (await Store.Runs.StartAsync([start], Ct))[0];

    private async Task<int> CountAsync(string table) => int.Parse((await Engine.QueryAsync($"SELECT count(*) FROM {table}"))[0], System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task The_same_start_again_answers_with_the_first_run()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var first = await StartAsync(Request(definition, "i1", "k"));
        var again = await StartAsync(Request(definition, "i2", "k"));

        Assert.False(first.Replayed);
        Assert.True(again.Replayed);
        Assert.Equal((first.Verdict, first.Run, first.At), (again.Verdict, again.Run, again.At));
        Assert.Equal(1, await CountAsync("run"));
    }

    [Fact]
    public async Task Another_request_under_the_same_key_is_refused_and_changes_nothing()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await StartAsync(Request(definition, "i1", "k"));

        Assert.Equal(StartVerdict.KeyReused, (await StartAsync(Request(definition, "i2", "k", "other"))).Verdict);
        Assert.Equal(1, await CountAsync("run"));
    }

    [Fact]
    public async Task A_start_joins_an_active_run_with_equal_inputs_only()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var start = new StartRequest(definition, "i") { Mode = StartMode.NextRun, JoinsEqualInputs = true, InputsJson = """{"a":1,"b":[2]}""" };
        var first = await StartAsync(start);

        Assert.Equal((StartVerdict.StillActive, first.Run), await JudgeAsync(start with { InputsJson = """{"b":[2.0], "a":1e0}""" }));
        var other = await StartAsync(start with { InputsJson = """{"a":2,"c":1,"b":[2]}""", Key = new StartKey("k", "r") { KeepsStanding = true } });
        Assert.Equal((StartVerdict.OtherInputs, first.Run), (other.Verdict, other.Run));
        Assert.Equal(["a", "c"], other.Differences);
        Assert.Equal((StartVerdict.StillActive, first.Run), await JudgeAsync(start with { InputsJson = "{}", JoinsEqualInputs = false }));

        await SucceedAsync((await ClaimAsync())!);
        Assert.Equal(StartVerdict.Started, (await StartAsync(start with { InputsJson = """{"a":2,"c":1,"b":[2]}""", Key = new StartKey("k", "r") })).Verdict);
    }

    private async Task<(StartVerdict, RunRef?)> JudgeAsync(StartRequest start) => await StartAsync(start) is var outcome ? (outcome.Verdict, outcome.Run) : default;

    [Fact]
    public async Task Refused_inputs_start_nothing_and_leave_the_answer_to_an_earlier_start()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var first = await StartAsync(Request(definition, "i", "k"));

        var refused = await StartAsync(Request(definition, "j", "other") with { InputProblems = [new("/a", "no")] });
        Assert.Equal((StartVerdict.InputsRefused, "/a"), (refused.Verdict, Assert.Single(refused.Problems).Path));
        Assert.Equal(first.Run, (await StartAsync(Request(definition, "i", "k") with { InputProblems = [new("/a", "no")] })).Run);
        Assert.Equal(1, await CountAsync("run"));
        Assert.Equal(1, await CountAsync("start_key"));
    }

    [Fact]
    public async Task Duplicates_at_the_same_moment_start_one_run()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var peer = OpenPeer();
        var outcomes = (await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(
            () => (i % 2 == 0 ? Store : peer).Runs.StartAsync([Request(definition, $"i{i}", "k")], Ct), Ct)))).Select(o => o[0]).ToList();

        Assert.All(outcomes, o => Assert.Equal(StartVerdict.Started, o.Verdict));
        Assert.Single(outcomes, o => !o.Replayed);
        Assert.Single(outcomes.Select(o => o.Run).Distinct());
        Assert.Equal(1, await CountAsync("run"));
    }

    [Fact]
    public async Task Brokers_may_start_the_same_instance_at_the_same_moment()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var peer = OpenPeer();
        var outcomes = (await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(
            () => (i % 2 == 0 ? Store : peer).Runs.StartAsync([new StartRequest(definition, "one")], Ct), Ct)))).Select(o => o[0].Verdict).ToList();

        Assert.Equal([StartVerdict.Started, .. Enumerable.Repeat(StartVerdict.AlreadyExists, 23)], outcomes.Order());
    }

    [Fact]
    public async Task A_transaction_that_does_not_commit_leaves_neither_run_nor_key()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        await Engine.ExecuteAsync(Engine.IsShared
            ? "ALTER TABLE step ADD CONSTRAINT fault CHECK (idx < 0)"
            : "CREATE TRIGGER fault BEFORE INSERT ON step BEGIN SELECT RAISE(ABORT, 'fault'); END");
        await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(Request(definition, "i1", "k")));
        Assert.Equal((0, 0), (await CountAsync("run"), await CountAsync("start_key")));

        await Engine.ExecuteAsync(Engine.IsShared ? "ALTER TABLE step DROP CONSTRAINT fault" : "DROP TRIGGER fault");
        var outcome = await StartAsync(Request(definition, "i1", "k"));
        Assert.Equal((StartVerdict.Started, false), (outcome.Verdict, outcome.Replayed));
    }

    [Fact]
    public async Task A_refusal_is_not_kept_but_a_standing_run_is_where_that_is_success()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        var standing = await StartAsync(definition, "i");
        Assert.Equal(StartVerdict.AlreadyExists, (await StartAsync(Request(definition, "i", "taken"))).Verdict);
        Assert.Equal(StartVerdict.StillActive, (await StartAsync(Request(definition, "i", "next") with { Mode = StartMode.NextRun })).Verdict);
        Assert.Equal(0, await CountAsync("start_key"));

        var kept = await StartAsync(Request(definition, "i", "next", keepsStanding: true) with { Mode = StartMode.NextRun });
        Assert.Equal((StartVerdict.StillActive, standing), (kept.Verdict, kept.Run));
        await SucceedAsync((await ClaimAsync())!);
        var again = await StartAsync(Request(definition, "i", "next", keepsStanding: true) with { Mode = StartMode.NextRun });
        Assert.Equal((StartVerdict.StillActive, standing, true), (again.Verdict, again.Run, again.Replayed));
        Assert.Equal(1, await CountAsync("run"));
    }

    [Fact]
    public async Task Keys_are_forgotten_in_batches_when_they_are_old()
    {
        var definition = await RegisterAsync(ADefinition.Jobs("d", "a"));
        for (var i = 0; i < 5; i++) await StartAsync(Request(definition, $"old{i}", $"old{i}"));
        await Engine.PassAsync(TimeSpan.FromHours(2));
        await StartAsync(Request(definition, "young", "young"));

        Assert.Equal(3, await Store.StartKeys.ForgetAsync(TimeSpan.FromHours(1), 3, Ct));
        Assert.Equal(2, await Store.StartKeys.ForgetAsync(TimeSpan.FromHours(1), 3, Ct));
        Assert.Equal(0, await Store.StartKeys.ForgetAsync(TimeSpan.FromHours(1), 3, Ct));
        Assert.True((await StartAsync(Request(definition, "again", "young"))).Replayed);
        Assert.False((await StartAsync(Request(definition, "again", "old0"))).Replayed);
    }

    [Fact]
    public async Task A_start_without_a_key_writes_none()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        Assert.Equal(0, await CountAsync("start_key"));
    }

    [Fact]
    public async Task Waiting_runs_are_counted_until_a_worker_takes_their_step()
    {
        var (two, one) = (await RegisterAsync(ADefinition.Jobs("two", "a", "b")), await RegisterAsync(ADefinition.Jobs("one", "a")));
        for (var i = 0; i < 3; i++) await StartAsync(two, $"i{i}");
        await StartAsync(one, "i");
        var before = await Store.Backlog.CountAsync(Ct);
        while (await ClaimAsync() is not null)
        {
        }

        Assert.Equal((3, 1), (before["two"], before["one"]));
        Assert.Empty(await Store.Backlog.CountAsync(Ct));
    }
}
