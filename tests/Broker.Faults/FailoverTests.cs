using System.Diagnostics;
using System.Globalization;
using System.Net;
using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>A real standby takes over, or a backup, under two brokers and eight clients that start runs, claim and report.</summary>
public sealed class FailoverTests(ReplicatedSite site) : IClassFixture<ReplicatedSite>
{
    // A manager notices that the primary is gone after about so long.
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(3);
    private const int Clients = 8, RoundsOfAll = 4;

    [Fact]
    public Task After_a_promotion_reports_are_accepted_within_three_seconds_of_the_kill() => RoundAsync(Killed);

    [Fact]
    public Task With_a_synchronous_standby_a_killed_primary_takes_nothing_along_that_was_acknowledged() => RoundAsync(KilledSynchronous);

    [Fact]
    public Task A_switchover_loses_nothing() => RoundAsync(SwitchedOver);

    [Fact]
    public Task With_the_synchronous_standby_gone_nothing_is_acknowledged_until_there_is_another() => RoundAsync(StandbyGone);

    [Fact]
    public Task A_standby_that_froze_and_is_promoted_takes_along_only_what_was_answered_503_if_it_was_synchronous() => RoundAsync(FrozenSynchronous);

    [Fact]
    public Task Commits_that_an_asynchronous_standby_never_had_are_not_used_after_its_promotion() => RoundAsync(Frozen);

    [Fact]
    public Task Running_brokers_use_no_commit_that_a_restore_has_undone() => RoundAsync(Restored);

    [Fact]
    public async Task Twenty_failovers_of_all_kinds()
    {
        Effort.RequireLong("Twenty failovers take minutes.");
        for (var round = 0; round < RoundsOfAll; round++)
        {
            foreach (var fault in (Fault[])[Killed, KilledSynchronous, SwitchedOver, FrozenSynchronous, Frozen]) await RoundAsync(fault);
        }
    }

    /// <summary>Causes the fault; returns the instants of its begin, of the request to promote the standby, and of the end of the promotion.</summary>
    private delegate Task<FaultTimes> FaultInjection(FailoverClients clients);

    /// <summary>A fault of the database and its permitted effects.</summary>
    private sealed record Fault(string Name, FaultInjection InjectAsync)
    {
        public bool IsSynchronous { get; init; }

        public bool Promotes { get; init; } = true;

        /// <summary>Whether acknowledged work may be lost, and whether it must be for the test to have tested something.</summary>
        public bool MayLose { get; init; }

        public bool MustLose { get; init; }

        public bool LeavesDoubt { get; init; }
    }

    private readonly record struct FaultTimes(long Began, long Promoting, long Done);

    private Fault Killed => new("primary killed", KillAsync) { MayLose = true };

    private Fault KilledSynchronous => new("primary killed, synchronous standby", KillAsync) { IsSynchronous = true };

    private Fault SwitchedOver => new("switchover", async _ =>
    {
        var began = Stopwatch.GetTimestamp();
        await site.Servers.StopPrimaryAsync();
        return await PromoteAsync(began);
    });

    private Fault StandbyGone => new("synchronous standby gone", async clients =>
    {
        var (began, doubts) = (Stopwatch.GetTimestamp(), await DoubtsAsync());
        await site.Servers.KillStandbyAsync();
        await UntilInDoubtAsync(clients, doubts);
        var back = Stopwatch.GetTimestamp();
        await site.Servers.AddStandbyAsync();
        await site.UntilReadyAsync(HttpStatusCode.OK);
        return new(began, back, Stopwatch.GetTimestamp());
    })
    { IsSynchronous = true, Promotes = false, LeavesDoubt = true };

    private Fault FrozenSynchronous => new("synchronous standby frozen, then promoted", async clients =>
    {
        var doubts = await DoubtsAsync();
        await FreezeAsync();
        await UntilInDoubtAsync(clients, doubts);
        return await KillFrozenAsync();
    })
    { IsSynchronous = true, LeavesDoubt = true };

    private Fault Frozen => new("asynchronous standby frozen, then promoted", async clients =>
    {
        await FreezeAsync();
        await clients.MoreAsync(100);
        return await KillFrozenAsync();
    })
    { MayLose = true, MustLose = true };

    private Fault Restored => new("backup restored", async clients =>
    {
        using var folder = new TempFolder();
        var dump = Path.Combine(folder.Path, "dump");
        await PostgresCluster.RunToolAsync("pg_dump", site.ConnectionString, "--format=custom", $"--file={dump}");
        await clients.MoreAsync(100);
        var began = Stopwatch.GetTimestamp();
        await site.ReplaceDatabaseAsync(dump);
        var restored = Stopwatch.GetTimestamp();
        await site.AnnounceRestoreAsync();
        return new(began, restored, Stopwatch.GetTimestamp());
    })
    { Promotes = false, MayLose = true, MustLose = true };

    private async Task RoundAsync(Fault fault)
    {
        if (!site.Servers.HasStandby) await site.Servers.AddStandbyAsync();
        await site.Servers.SynchronousAsync(fault.IsSynchronous);
        await site.UntilReadyAsync(HttpStatusCode.OK);
        var (timeline, epochs, doubts, refused) = (await site.TimelineAsync(), await site.CountedAsync("broker_epochs_total"), await DoubtsAsync(), await RefusedAsync());
        await using var clients = new FailoverClients(site, Clients);
        await clients.MoreAsync(100);

        var times = await fault.InjectAsync(clients);
        var after = await site.StoredAsync();
        var (lostStarts, lostReports) = (clients.Acknowledged.LostStarts(after, 0, times.Done), clients.Acknowledged.LostReports(after, 0, times.Done));
        await clients.StartAgainAsync(lostStarts);
        await clients.MoreAsync(100);
        await clients.DrainAsync();

        var end = await site.StoredAsync();
        var first = clients.Acknowledged.FirstReportAfter(times.Promoting);
        var (sinceKill, sincePromotion) = (Stopwatch.GetElapsedTime(times.Began, first!.Value), Stopwatch.GetElapsedTime(times.Promoting, first.Value));
        var stale = clients.Acknowledged.StaleInputs(end, fault.MayLose ? times.Done : 0, long.MaxValue);
        var lostLater = (string[])[.. clients.Acknowledged.LostStarts(end, times.Done, long.MaxValue), .. clients.Acknowledged.LostReports(end, times.Done, long.MaxValue)];
        var (inDoubt, answered503) = (await DoubtsAsync() - doubts, await RefusedAsync() - refused);
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{fault.Name}: a report accepted {sinceKill.TotalSeconds:0.00} s after the fault, {sincePromotion.TotalSeconds:0.00} s after the promotion began, which took {Stopwatch.GetElapsedTime(times.Promoting, times.Done).TotalSeconds:0.00} s; {clients.Acknowledged.ReportCount} reports accepted; acknowledged and lost: {lostStarts.Count} starts, {lostReports.Count} reports, {lostLater.Length} of those after it; {inDoubt} commits in doubt, {answered503} answers 503, {clients.Broken} attempts broke; stale inputs: {stale.Count}; failed starts: {clients.FailedStarts.Count}; other 5xx: {clients.Defects.Count}"));

        // The fault took effect.
        if (fault.Promotes) Assert.NotEqual(timeline, await site.TimelineAsync());
        if (fault.Promotes || fault.MustLose) Assert.True(await site.CountedAsync("broker_epochs_total") >= epochs + site.Addresses.Count);
        if (fault.LeavesDoubt) Assert.True(inDoubt > 0);
        if (fault.LeavesDoubt) Assert.True(answered503 > 0);
        if (fault.MustLose) Assert.NotEmpty(lostStarts);
        if (fault.MustLose) Assert.NotEmpty(lostReports);

        // The fault had no effect beyond the permitted ones.
        if (!fault.MayLose) Assert.Empty(lostStarts);
        if (!fault.MayLose) Assert.Empty(lostReports);
        Assert.Empty(lostLater);
        Assert.Empty(stale);
        Assert.Empty(clients.FailedStarts);
        Assert.True(clients.Defects.IsEmpty, $"{string.Join('\n', clients.Defects)}\n{site.Errors}");
        if (fault.Promotes && !fault.LeavesDoubt) Effort.Bound(sinceKill <= LongestGap, "a report is accepted within 3 s of the fault, with the promotion at 2 s");
    }

    private Task<double> DoubtsAsync() => site.CountedAsync("broker_commits_in_doubt_total");

    private Task<double> RefusedAsync() => site.CountedAsync("http_server_request_duration_seconds_count", "503");

    private async Task<FaultTimes> KillAsync(FailoverClients clients)
    {
        var began = Stopwatch.GetTimestamp();
        await site.Servers.KillPrimaryAsync();
        return await PromoteAsync(began);
    }

    private async Task FreezeAsync()
    {
        Assert.True(site.Servers.FreezeStandby() > 1);

        // More than what is on its way to a process can be: what is committed from now on the standby never has.
        await site.SqlAsync<object>("SELECT pg_logical_emit_message(false, 'filler', repeat('x', 64000000))");
        await site.MarkAsync();
    }

    /// <summary>Returns when every client has repeated its starts in doubt: none is acknowledged then either.</summary>
    private async Task UntilInDoubtAsync(FailoverClients clients, double doubts)
    {
        await clients.UntilAsync(async () => await DoubtsAsync() > doubts, "a commit in doubt");
        var (doubted, broken) = (Stopwatch.GetTimestamp(), clients.Broken);
        await site.UntilReadyAsync(HttpStatusCode.ServiceUnavailable);
        await clients.UntilAsync(() => Task.FromResult(clients.Broken >= broken + (2 * Clients)), "clients have sent again");
        Assert.Equal(0, clients.Acknowledged.CountAfter(doubted));
    }

    private async Task<FaultTimes> KillFrozenAsync()
    {
        var began = Stopwatch.GetTimestamp();
        await site.Servers.KillPrimaryAsync();
        site.Servers.ThawStandby();
        var times = await PromoteAsync(began);

        // It took every later commit along; repeated starts of the clients hide that.
        Assert.False(await site.HasMarkAsync());
        return times;
    }

    private async Task<FaultTimes> PromoteAsync(long began)
    {
        var passed = Stopwatch.GetElapsedTime(began);
        if (passed < Noticed) await Task.Delay(Noticed - passed, TimeProvider.System);
        var promoting = Stopwatch.GetTimestamp();
        await site.Servers.PromoteAsync();
        return new(began, promoting, Stopwatch.GetTimestamp());
    }
}
