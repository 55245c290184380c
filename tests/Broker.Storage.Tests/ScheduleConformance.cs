using Broker.Core.Definitions;
using Broker.Core.Schedules;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Schedules and the history of their instants.</summary>
public abstract class ScheduleConformance : StoreTests
{
    private const string Spec = """{"cron":"0 3 * * *"}""";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private protected ScheduleConformance(ITestEngine engine)
        : base(engine)
    {
    }

    [Fact]
    public async Task A_rule_that_says_the_same_changes_nothing()
    {
        var made = await PutAsync("a");
        Assert.Equal(made, await Store.Schedules.FindAsync("a", Ct));
        Assert.Equal(made.CreatedAt, made.Base);
        await Engine.PassAsync(TimeSpan.FromMinutes(1));
        var same = await Store.Schedules.PutAsync("a", "ci", """{ "cron": "0 3 * * *" }""", "other", 10, Ct);
        Assert.Equal((SchedulePut.Unchanged, 1, "k"), (same.Outcome, same.Schedule!.Revision, same.Schedule.KeyId));
        var changed = await Store.Schedules.PutAsync("a", "ci", """{"every_ms":1000}""", "other", 10, Ct);
        Assert.Equal((SchedulePut.Changed, 2, "other"), (changed.Outcome, changed.Schedule!.Revision, changed.Schedule.KeyId));
        Assert.True(changed.Schedule.Base > same.Schedule.Base);
        Assert.Equal(SchedulePut.Full, (await Store.Schedules.PutAsync("b", "ci", Spec, "k", 1, Ct)).Outcome);
    }

    [Fact]
    public async Task A_due_schedule_is_served_by_one_broker_and_again_once_its_lease_has_expired()
    {
        await PutAsync("a");
        await PutAsync("b");
        var first = await Store.Schedules.TakeAsync("one", 1, Lease, Ct);
        var second = await Store.Schedules.TakeAsync("two", 100, Lease, Ct);
        Assert.Equal(["a", "b"], first.Schedules.Concat(second.Schedules).Select(s => s.Name).Order(StringComparer.Ordinal));
        Assert.Empty((await Store.Schedules.TakeAsync("three", 100, Lease, Ct)).Schedules);
        await Engine.PassAsync(TimeSpan.FromMinutes(1));
        var late = await Store.Schedules.TakeAsync("four", 100, Lease, Ct);
        Assert.Equal(2, late.Schedules.Count);

        // The round whose lease was lost writes nothing.
        Assert.False(await Store.Schedules.EndAsync(first.Schedules[0], "one", Round(first.Now), Ct));
        Assert.True(await Store.Schedules.EndAsync(late.Schedules[0], "four", Round(late.Now), Ct));
    }

    [Fact]
    public async Task A_change_during_a_round_wins()
    {
        await PutAsync("a");
        var turn = await Store.Schedules.TakeAsync("one", 100, Lease, Ct);
        await Store.Schedules.PutAsync("a", "ci", """{"every_ms":1000}""", "k", 10, Ct);
        Assert.False(await Store.Schedules.EndAsync(turn.Schedules[0], "one", Round(turn.Now), Ct));
        Assert.Empty((await Store.Schedules.HistoryAsync("a", null, null, 10, Ct)).Rows);
        Assert.Single((await Store.Schedules.TakeAsync("two", 100, Lease, Ct)).Schedules);
    }

    [Fact]
    public async Task A_round_counts_and_keeps_its_instants()
    {
        await PutAsync("a");
        var turn = await Store.Schedules.TakeAsync("one", 100, Lease, Ct);
        var nominal = turn.Now.AddHours(-1);
        var round = Round(turn.Now) with
        {
            LastInstance = "a-1",
            DueAt = turn.Now.AddHours(1),
            Firings =
            [
                Of(FiringPhase.Skipped, nominal) with { Until = turn.Now, Count = 3, IsCapped = true, Reason = SkipReasons.Missed },
                Of(FiringPhase.Started, nominal) with { Instance = "a-1" },
                Of(FiringPhase.Waiting, nominal),
            ],
        };
        Assert.True(await Store.Schedules.EndAsync(turn.Schedules[0], "one", round, Ct));
        var after = (await Store.Schedules.FindAsync("a", Ct))!;
        Assert.Equal((1L, 3L, "a-1", turn.Now), (after.Started, after.Skipped, after.LastInstance, after.Base));
        Assert.NotNull(after.LastAt);
        Assert.Empty((await Store.Schedules.TakeAsync("two", 100, Lease, Ct)).Schedules);

        var page = await Store.Schedules.HistoryAsync("a", null, null, 2, Ct);
        Assert.Equal([FiringPhase.Waiting, FiringPhase.Started], page.Rows.Select(f => f.Phase));
        Assert.True(page.HasMore);
        var rest = Assert.Single((await Store.Schedules.HistoryAsync("a", null, page.Rows[^1].Id, 2, Ct)).Rows);
        Assert.Equal((nominal, turn.Now, 3, true, SkipReasons.Missed), (rest.Nominal, rest.Until, rest.Count, rest.IsCapped, rest.Reason));
        var waiting = Assert.Single(await Store.Schedules.WaitingAsync("a", 10, Ct));
        Assert.Equal(FiringPhase.Waiting, Assert.Single((await Store.Schedules.HistoryAsync("a", FiringPhase.Waiting, null, 2, Ct)).Rows).Phase);

        await Engine.PassAsync(TimeSpan.FromHours(2));
        turn = await Store.Schedules.TakeAsync("two", 100, Lease, Ct);
        Assert.True(await Store.Schedules.EndAsync(turn.Schedules[0], "two", Round(turn.Now) with { Firings = [waiting with { Phase = FiringPhase.Started, Instance = "a-2" }] }, Ct));
        Assert.Empty(await Store.Schedules.WaitingAsync("a", 10, Ct));
        Assert.Equal(["a-2", "a-1"], (await Store.Schedules.HistoryAsync("a", FiringPhase.Started, null, 5, Ct)).Rows.Select(f => f.Instance));
    }

    [Fact]
    public async Task A_pause_ends_with_its_instants_to_skip()
    {
        await PutAsync("a");
        var paused = (await Store.Schedules.PauseAsync("a", "kim", "until Monday", Ct))!;
        Assert.Equal(("kim", "until Monday", true), (paused.PausedBy, paused.PauseNote, paused.PausedAt is not null));
        Assert.Equal("b", (await Store.Schedules.PauseAsync("a", "b", null, Ct))!.PausedBy);
        Assert.Equal(["a"], (await Store.Schedules.ListAsync(new() { IsPaused = true }, 10, Ct)).Rows.Select(s => s.Name));
        Assert.Empty((await Store.Schedules.ListAsync(new() { IsPaused = false }, 10, Ct)).Rows);
        var resumed = (await Store.Schedules.ResumeAsync("a", Ct))!;
        Assert.Equal((null, null, null, true), (resumed.PausedAt, resumed.PausedBy, resumed.PauseNote, resumed.PausedUntil is not null));
        Assert.Single((await Store.Schedules.TakeAsync("one", 100, Lease, Ct)).Schedules);
        Assert.Null(await Store.Schedules.PauseAsync("none", "k", null, Ct));
        Assert.Null(await Store.Schedules.ResumeAsync("none", Ct));
    }

    [Fact]
    public async Task A_broker_pauses_a_schedule_once()
    {
        await PutAsync("a");
        var turn = await Store.Schedules.TakeAsync("one", 100, Lease, Ct);
        Assert.True(await Store.Schedules.EndAsync(turn.Schedules[0], "one", Round(turn.Now) with { Pause = "the run failed" }, Ct));
        var paused = (await Store.Schedules.FindAsync("a", Ct))!;
        Assert.Equal(("broker", "the run failed"), (paused.PausedBy, paused.PauseNote));
    }

    [Fact]
    public async Task Lists_are_in_order_of_names_and_bounded()
    {
        foreach (var name in (string[])["b", "a", "C", "c"]) await PutAsync(name, name == "c" ? "deploy" : "ci");
        var page = await Store.Schedules.ListAsync(new(), 2, Ct);
        Assert.Equal(["C", "a"], page.Rows.Select(s => s.Name));
        Assert.True(page.HasMore);
        Assert.Equal(["b", "c"], (await Store.Schedules.ListAsync(new() { After = "a" }, 2, Ct)).Rows.Select(s => s.Name));
        Assert.Equal(["c"], (await Store.Schedules.ListAsync(new() { Text = "eplo" }, 9, Ct)).Rows.Select(s => s.Name));
        Assert.Equal(["c"], (await Store.Schedules.ListAsync(new() { Workflows = ["deploy"] }, 9, Ct)).Rows.Select(s => s.Name));
    }

    [Fact]
    public async Task Added_instants_make_a_schedule_due_and_end_the_round_under_way()
    {
        await PutAsync("a");
        var turn = await Store.Schedules.TakeAsync("one", 100, Lease, Ct);
        var added = await Store.Schedules.AddAsync("a", [Of(FiringPhase.Waiting, turn.Now.AddDays(-1)) with { Kind = FiringKind.Backfilled, Overlap = Overlap.Allow }], Ct);
        Assert.Equal(Overlap.Allow, Assert.Single(added!).Overlap);
        Assert.False(await Store.Schedules.EndAsync(turn.Schedules[0], "one", Round(turn.Now), Ct));
        Assert.Single((await Store.Schedules.TakeAsync("two", 100, Lease, Ct)).Schedules);
        Assert.Null(await Store.Schedules.AddAsync("none", [], Ct));
    }

    [Fact]
    public async Task Schedules_of_a_definition_come_change_and_go_with_it()
    {
        await PutAsync("by-hand");
        await RegisterAsync("1", """[{"name":"x","cron":"@daily"},{"every_ms":1000}]""");
        var x = (await Store.Schedules.FindAsync("ci:x", Ct))!;
        Assert.Equal((true, "ci", """{"cron":"@daily"}"""), (x.IsOwned, x.Workflow, x.SpecJson));
        Assert.Equal((SchedulePut.Owned, x), await Store.Schedules.PutAsync("ci:x", "ci", Spec, "k", 10, Ct));
        Assert.Equal(x, await Store.Schedules.DeleteAsync("ci:x", Ct));
        Assert.NotNull(await Store.Schedules.PauseAsync("ci:x", "k", null, Ct));

        await RegisterAsync("2", """[{"name":"x","cron":"@daily"},{"name":"y","cron":"@hourly"}]""");
        Assert.Equal(["by-hand", "ci:x", "ci:y"], (await Store.Schedules.ListAsync(new(), 9, Ct)).Rows.Select(s => s.Name));
        Assert.NotNull((await Store.Schedules.FindAsync("ci:x", Ct))!.PausedAt);
        Assert.Equal(x.Base, (await Store.Schedules.FindAsync("ci:x", Ct))!.Base);
        await RegisterAsync("3", "[]");
        Assert.Equal(["by-hand"], (await Store.Schedules.ListAsync(new(), 9, Ct)).Rows.Select(s => s.Name));
    }

    [Fact]
    public async Task A_schedule_goes_with_its_history_and_old_history_in_parts()
    {
        await PutAsync("a");
        var now = await Store.Engine.NowAsync(Ct);
        await Store.Schedules.AddAsync("a", [Of(FiringPhase.Waiting, now), .. Enumerable.Range(0, 5).Select(_ => Of(FiringPhase.Started, now) with { Instance = "i" })], Ct);
        await Engine.PassAsync(TimeSpan.FromDays(31));
        var limit = await Store.Engine.NowAsync(Ct) - TimeSpan.FromDays(30);
        var removed = new List<int>();
        for (var i = 0; i < 3; i++) removed.Add(await Store.Schedules.PruneAsync(limit, 3, Ct));
        Assert.Equal([3, 2, 0], removed);
        Assert.NotNull(await Store.Schedules.DeleteAsync("a", Ct));
        Assert.Null(await Store.Schedules.DeleteAsync("a", Ct));
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM schedule_firing"));
    }

    private async Task RegisterAsync(string version, string schedules)
    {
        var read = DefinitionReader.Read(System.Text.Json.JsonElement.Parse($$"""{"workflow_id":"ci","version":"{{version}}","steps":{},"schedules":{{schedules}}}"""));
        await Store.Definitions.RegisterAsync([read.Definition!], makeLatest: false, Ct);
    }

    private async Task<StoredSchedule> PutAsync(string name, string workflow = "ci")
    {
        var (outcome, made) = await Store.Schedules.PutAsync(name, workflow, Spec, "k", 100, Ct);
        Assert.Equal(SchedulePut.Created, outcome);
        return made!;
    }

    private static ScheduleRound Round(DateTimeOffset now) => new() { Base = now };

    private static Firing Of(FiringPhase phase, DateTimeOffset nominal) => new() { Kind = FiringKind.Planned, Phase = phase, Nominal = nominal };
}

public sealed class PostgresScheduleTests(PostgresCluster cluster) : ScheduleConformance(new OnPostgres(cluster));

public sealed class SqliteScheduleTests() : ScheduleConformance(new OnSqlite());
