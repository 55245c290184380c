using System.Text;
using System.Text.Json;
using Broker.Core.Schedules;
using Broker.Engine;
using Broker.Schedules;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Operators;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Broker.Tests.Operators.OperatorWire;

namespace Broker.Tests.Schedules;

/// <summary>Rounds of schedules, called one by one on a broker that serves HTTP only.</summary>
public abstract class ScheduleRunnerSuite(BrokerApp app)
{
    private readonly OperatorWire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private IScheduleStore Store => app.Services.GetRequiredService<IScheduleStore>();

    [Fact]
    public async Task A_due_instant_starts_a_run_under_its_own_id_with_its_tags()
    {
        var (name, _) = await MakeAsync("""{"every_ms":3600000,"inputs":{"n":1.0},"tags":{"team":"a"},"priority":5}""");
        await AgoAsync(name, TimeSpan.FromHours(1));
        await RoundAsync();
        var firing = Assert.Single(await HistoryAsync(name));
        Assert.Equal(("started", "planned"), (Text(firing, "status"), Text(firing, "kind")));
        var nominal = firing.GetProperty("nominal").GetDateTimeOffset();
        Assert.Equal(0, nominal.Minute + nominal.Second);
        Assert.Equal(FiringId.Of(name, nominal), Text(firing, "instance"));
        var run = await wire.GetAsync($"/runs/{name}/{Text(firing, "instance")}");
        Assert.Equal("""{"n":1.0}""", run.GetProperty("inputs").GetRawText());
        Assert.Equal((name, "a"), (Text(run.GetProperty("tags"), "schedule"), Text(run.GetProperty("tags"), "team")));
        var schedule = await wire.GetAsync($"/schedules/{name}");
        Assert.Equal((1, Text(firing, "instance"), nominal.AddHours(1)), (schedule.GetProperty("started").GetInt32(), Text(schedule, "last_instance"), schedule.GetProperty("next").GetDateTimeOffset()));
    }

    [Fact]
    public async Task A_broker_that_is_killed_between_start_and_update_starts_no_instant_twice()
    {
        var (name, _) = await MakeAsync("""{"every_ms":3600000,"overlap":"allow","catch_up":{"window_ms":86400000,"runs":"all","most":5}}""");
        await AgoAsync(name, TimeSpan.FromHours(3));
        await Killed().RunOnceAsync(Ct);
        Assert.Empty(await HistoryAsync(name));
        var before = await RunsAsync(name);
        Assert.Equal(3, before.Count);
        await LeaseOverAsync(name);
        await RoundAsync();
        Assert.Equal(before, await RunsAsync(name));
        Assert.Equal(before, (await HistoryAsync(name)).Select(f => Text(f, "instance")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Two_brokers_and_a_backfill_start_each_instant_once()
    {
        var (name, _) = await MakeAsync("""{"every_ms":3600000,"overlap":"allow","catch_up":{"window_ms":604800000,"runs":"all","most":100}}""");
        for (var i = 0; i < 5; i++)
        {
            await AgoAsync(name, TimeSpan.FromHours(5 + i));
            var backfill = wire.Wire.PostAsync($"/api/v1/schedules/{name}/backfill", JsonSerializer.Serialize(new { from = TimeProvider.System.GetUtcNow().AddHours(-8), to = TimeProvider.System.GetUtcNow() }));
            await Task.WhenAll([backfill, .. Enumerable.Range(0, 4).Select(_ => RoundAsync())]);
            await LeaseOverAsync(name);
            await RoundAsync();
        }

        var runs = await RunsAsync(name);
        Assert.Equal(runs.Distinct(), runs);
        Assert.InRange(runs.Count, 9, 11);
        Assert.DoesNotContain("waiting", (await HistoryAsync(name)).Select(f => Text(f, "status")));
    }

    /// <summary>A planted fault: an instance id that is not that of the instant. The check of the two tests above finds it.</summary>
    [Fact]
    public async Task Without_the_instant_in_the_id_a_kill_starts_runs_twice()
    {
        var (name, _) = await MakeAsync("""{"every_ms":3600000,"overlap":"allow"}""");
        await AgoAsync(name, TimeSpan.FromHours(1));
        var starter = app.Services.GetRequiredService<ScheduleStarter>();
        var schedule = (await Store.FindAsync(name, Ct))!;
        var firing = new Firing { Kind = FiringKind.Planned, Phase = FiringPhase.Waiting, Nominal = schedule.Base.AddHours(1) };
        for (var i = 0; i < 2; i++) await starter.StartAsync(schedule, ScheduleReader.OfStored(schedule.SpecJson), firing, $"{name}-{Guid.NewGuid():N}", Ct);
        Assert.Equal(2, (await RunsAsync(name)).Count);
    }

    [Fact]
    public async Task A_storm_of_missed_instants_starts_one_run()
    {
        var (name, _) = await MakeAsync("""{"cron":"* * * * *"}""");
        await AgoAsync(name, TimeSpan.FromDays(365));
        await RoundAsync();
        Assert.Single(await RunsAsync(name));
        var skipped = (await HistoryAsync(name)).Where(f => Text(f, "status") == "skipped").ToList();
        Assert.All(skipped, f => Assert.Equal("missed", Text(f, "reason")));
        Assert.Contains(skipped, f => f.TryGetProperty("capped", out var capped) && capped.GetBoolean() && f.GetProperty("count").GetInt32() == FiringPlan.MostCounted);
    }

    [Fact]
    public async Task A_running_run_is_skipped_over_queued_for_or_cancelled()
    {
        foreach (var (overlap, status, runs) in ((string, string, int)[])[("skip", "skipped", 1), ("queue_one", "waiting", 1), ("cancel_running", "started", 2), ("allow", "started", 2)])
        {
            var (name, _) = await MakeAsync($$"""{"every_ms":3600000,"overlap":"{{overlap}}"}""");
            await AgoAsync(name, TimeSpan.FromHours(1));
            await RoundAsync();
            var first = Assert.Single(await RunsAsync(name));

            // Another instant, by the same rule.
            var other = (await Store.FindAsync(name, Ct))!.Base.AddHours(-1);
            Assert.Equal(202, (await wire.Wire.PostAsync($"/api/v1/schedules/{name}/backfill", JsonSerializer.Serialize(new { from = other, to = other }))).Status);
            await RoundAsync();
            Assert.Equal((status, runs), (Text((await HistoryAsync(name))[0], "status"), (await RunsAsync(name)).Count));
            if (overlap == "skip") Assert.Equal("overlap", Text((await HistoryAsync(name))[0], "reason"));
            if (overlap == "cancel_running") Assert.Equal("cancelled", Text(await wire.GetAsync($"/runs/{name}/{first}"), "status"));
            if (overlap != "queue_one") continue;
            Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/runs/{name}/{first}/terminate", "{}")).Status);
            await DueAsync(name);
            await RoundAsync();
            Assert.Equal(2, (await RunsAsync(name)).Count);
            Assert.DoesNotContain("waiting", (await HistoryAsync(name)).Select(f => Text(f, "status")));
        }
    }

    [Fact]
    public async Task Paused_starts_a_missing_workflow_and_refused_inputs_are_skipped_with_their_reason()
    {
        var (paused, _) = await MakeAsync("""{"every_ms":3600000}""");
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/workflows/{paused}/pause-starts", """{"reason":"the mirror is away"}""")).Status);
        var (pinned, _) = await MakeAsync("""{"every_ms":3600000,"version":"99"}""");
        var (typed, _) = await MakeAsync("""{"every_ms":3600000,"inputs":{"n":"x"}}""", more: ""","inputs":{"n":{"type":"number","required":true}}""");
        foreach (var (name, reason) in ((string, string)[])[(paused, "starts_paused"), (pinned, "no_workflow"), (typed, "inputs_refused")])
        {
            await AgoAsync(name, TimeSpan.FromHours(1));
            await RoundAsync();
            var firing = Assert.Single(await HistoryAsync(name));
            Assert.Equal(("skipped", reason), (Text(firing, "status"), Text(firing, "reason")));
            Assert.NotEmpty(Text(firing, "detail"));
            Assert.Equal(1, (await wire.GetAsync($"/schedules/{name}")).GetProperty("skipped").GetInt32());
            Assert.Empty(await RunsAsync(name));
        }

        Assert.Contains("the mirror is away", Text(Assert.Single(await HistoryAsync(paused)), "detail"), StringComparison.Ordinal);
        Assert.Equal(404, (await wire.Wire.PostAsync($"/api/v1/schedules/{pinned}/trigger", "{}")).Status);
        Problem(await wire.Wire.PostAsync($"/api/v1/schedules/{paused}/trigger", "{}"), 409, "starts_paused");
        Problem(await wire.Wire.PostAsync($"/api/v1/schedules/{typed}/trigger", "{}"), 422, "invalid_inputs");
    }

    [Fact]
    public async Task A_broken_schedule_is_disabled_and_stops_no_other()
    {
        var (broken, _) = await MakeAsync("""{"cron":"@hourly","timezone":"Europe/Berlin"}""");
        await using (var db = app.Services.GetRequiredService<IDatabase>().CreateContext())
            await db.Schedules.Where(s => s.Name == broken).ExecuteUpdateAsync(set => set.SetProperty(s => s.Spec, """{"cron":"@hourly","timezone":"Europe/Atlantis"}"""), Ct);
        var (sound, _) = await MakeAsync("""{"every_ms":3600000}""");
        await AgoAsync(sound, TimeSpan.FromHours(1));
        await RoundAsync();
        Assert.Single(await RunsAsync(sound));
        var shown = await wire.GetAsync($"/schedules/{broken}");
        Assert.Equal("the time zone 'Europe/Atlantis' is not known here; expected an IANA name such as Europe/Berlin", Text(shown, "disabled_because"));
        Assert.False(shown.TryGetProperty("next", out _));
        Problem(await wire.Wire.GetAsync($"/api/v1/schedules/{broken}/next"), 409, "conflict");
    }

    [Fact]
    public async Task A_failed_run_pauses_a_schedule_that_asks_for_it()
    {
        var (name, worker) = await MakeAsync("""{"every_ms":3600000,"pause_on_failure":true}""");
        await AgoAsync(name, TimeSpan.FromHours(1));
        await RoundAsync();
        await wire.Wire.RunAsync(worker, "a", "FAILED", "\"no\"");
        await SetAsync(name, (await Store.FindAsync(name, Ct))!.Base.AddHours(-2));
        await RoundAsync();
        Assert.Equal("paused_on_failure", Text((await HistoryAsync(name))[0], "reason"));
        var paused = (await wire.GetAsync($"/schedules/{name}")).GetProperty("paused");
        Assert.Equal("broker", Text(paused, "by"));
        Assert.Contains("has failed", Text(paused, "note"), StringComparison.Ordinal);

        // Resumed after that, the same failure pauses it no more.
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/schedules/{name}/resume", "{}")).Status);
        await RoundAsync();
        await AgoAsync(name, TimeSpan.FromHours(1));
        await RoundAsync();
        Assert.False((await wire.GetAsync($"/schedules/{name}")).TryGetProperty("paused", out _));
    }

    [Fact]
    public async Task Instants_of_a_pause_are_counted_and_a_backfill_of_a_paused_schedule_runs()
    {
        var (name, _) = await MakeAsync("""{"every_ms":3600000,"overlap":"allow"}""");
        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/schedules/{name}/pause", """{"reason":"until Monday"}""")).Status);
        await AgoAsync(name, TimeSpan.FromHours(3));
        await RoundAsync();
        Assert.Empty(await HistoryAsync(name));
        var from = TimeProvider.System.GetUtcNow().AddHours(-2.5);
        var request = JsonSerializer.Serialize(new { from, to = TimeProvider.System.GetUtcNow(), dry_run = true });
        var plan = await wire.Wire.PostAsync($"/api/v1/schedules/{name}/backfill", request);
        Assert.Equal((200, true), (plan.Status, plan.Json.GetProperty("dry_run").GetBoolean()));
        Assert.InRange(plan.Json.GetProperty("instants").GetArrayLength(), 2, 3);
        Assert.Empty(await HistoryAsync(name));
        Assert.Equal(202, (await wire.Wire.PostAsync($"/api/v1/schedules/{name}/backfill", request.Replace("true", "false", StringComparison.Ordinal))).Status);
        await RoundAsync();
        Assert.Equal(plan.Json.GetProperty("instants").GetArrayLength(), (await RunsAsync(name)).Count);
        Assert.All(await HistoryAsync(name), f => Assert.Equal(("backfilled", "started"), (Text(f, "kind"), Text(f, "status"))));

        Assert.Equal(200, (await wire.Wire.PostAsync($"/api/v1/schedules/{name}/resume", "{}")).Status);
        await RoundAsync();
        var skipped = Assert.Single(await HistoryAsync(name), f => Text(f, "status") == "skipped");
        Assert.Equal("paused", Text(skipped, "reason"));
        Assert.InRange(skipped.GetProperty("count").GetInt32(), 3, 4);
    }

    private async Task<(string Name, string Worker)> MakeAsync(string spec, string more = "")
    {
        var name = NewName("s");
        var worker = await wire.Wire.RegisterAsync($$"""{"workflow_id":"{{name}}","version":"1","steps":{"a":{} }{{more}}}""");
        var made = await wire.Wire.SendAsync(HttpMethod.Put, $"/api/v1/schedules/{name}", Encoding.UTF8.GetBytes($$"""{"workflow":"{{name}}",{{spec[1..]}}"""));
        Assert.True(made.Status == 200, made.ToString());
        return (name, worker);
    }

    // The schedule was served last so long ago, and is due.
    private async Task AgoAsync(string name, TimeSpan time) => await SetAsync(name, TimeProvider.System.GetUtcNow() - time);

    private async Task SetAsync(string name, DateTimeOffset last)
    {
        var micros = last.ToMicros();
        await using var db = app.Services.GetRequiredService<IDatabase>().CreateContext();
        await db.Schedules.Where(s => s.Name == name).ExecuteUpdateAsync(set => set.SetProperty(s => s.LastNominal, micros).SetProperty(s => s.NextAt, 1), Ct);
    }

    private async Task DueAsync(string name)
    {
        await using var db = app.Services.GetRequiredService<IDatabase>().CreateContext();
        await db.Schedules.Where(s => s.Name == name).ExecuteUpdateAsync(set => set.SetProperty(s => s.NextAt, 1), Ct);
    }

    private Task LeaseOverAsync(string name) => DueAsync(name);

    private Task<int> RoundAsync() => app.Services.GetRequiredService<ScheduleRunner>().RunOnceAsync(Ct);

    private async Task<IReadOnlyList<JsonElement>> HistoryAsync(string name) => [.. (await wire.GetAsync($"/schedules/{name}/history?limit=200")).GetProperty("items").EnumerateArray()];

    private async Task<IReadOnlyList<string>> RunsAsync(string workflow) => [.. (await wire.InstancesAsync($"workflow={workflow}&limit=200")).Order(StringComparer.Ordinal)];

    private ScheduleRunner Killed() => new(
        new KilledStore(Store), app.Services.GetRequiredService<BrokerEngine>(), app.Services.GetRequiredService<ScheduleStarter>(), app.Services.GetRequiredService<IChangeHints>(), NullLogger<ScheduleRunner>.Instance);
}

/// <summary>With one broker.</summary>
public sealed class SqliteScheduleRunnerTests(HttpOnlySqlite app) : ScheduleRunnerSuite(app), IClassFixture<HttpOnlySqlite>;

/// <summary>On PostgreSQL.</summary>
public sealed class PostgresScheduleRunnerTests(HttpOnlyPostgres app) : ScheduleRunnerSuite(app), IClassFixture<HttpOnlyPostgres>;

/// <summary>A broker without background work.</summary>
public sealed class HttpOnlySqlite : SqliteApp
{
    private protected override string[] FirstSettings => ["--API_ONLY=1"];
}

/// <summary>The same on PostgreSQL.</summary>
public sealed class HttpOnlyPostgres(PostgresCluster cluster) : PostgresApp(cluster)
{
    private protected override string[] FirstSettings => ["--API_ONLY=1"];
}
