using System.Diagnostics;
using System.Globalization;
using System.Net;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>A database that fails for a while under a broker with eight workers, and comes back.</summary>
internal sealed class Outage
{
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RecoveredWithin = TimeSpan.FromSeconds(15);

    // The short form runs beside other tests on two cores.
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public required string Name { get; init; }

    public required Func<Site, Task> Begin { get; init; }

    public required Func<Site, Task> Lift { get; init; }

    /// <summary>Shows that the fault is there; as a rule requests break.</summary>
    public Func<Site, Load, int, Task> TookEffect { get; init; } = (_, load, broken) => load.OutageAsync(broken);

    /// <summary>Whether it lasts until it is lifted, so that /readyz must report it.</summary>
    public bool Lasts { get; init; } = true;

    public async Task SurviveAsync(Site site)
    {
        var broker = site.Broker.Id;
        await using var load = await Load.StartAsync(site, 8, overstayEvery: 0, Ct);
        load.Feed(200);
        await load.MoreAsync(200);
        var baseline = await load.RateAsync(TimeSpan.FromSeconds(Effort.Of(1, 10)), Ct);
        var before = load.Ledger.OutageCount;
        Assert.Equal(HttpStatusCode.OK, await site.ReadyAsync(Ct));

        await Begin(site);
        var noticed = Lasts ? await site.UntilReadyAsync(HttpStatusCode.ServiceUnavailable, WaitLimit, Ct) : 0;
        await TookEffect(site, load, before);
        await Lift(site);
        var watch = Stopwatch.StartNew();
        var ready = await site.UntilReadyAsync(HttpStatusCode.OK, WaitLimit, Ct);
        await load.MoreAsync(1);
        var first = watch.Elapsed.TotalSeconds;
        double rate;
        do rate = await load.RateAsync(TimeSpan.FromSeconds(1), Ct);
        while (rate < 0.95 * baseline && watch.Elapsed < RecoveredWithin);
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{Name}: {baseline:0} steps/s before; /readyz 503 after {noticed:0.0} s; lifted: 200 after {ready:0.0} s, a report after {first:0.0} s, {rate:0} steps/s after {watch.Elapsed.TotalSeconds:0.0} s"));
        Effort.Bound(noticed <= NoticedWithin.TotalSeconds, "/readyz tells within 5 s");
        Effort.Bound(rate >= 0.95 * baseline, "95 % of the throughput are back within 15 s");
        await load.EndAsync(Ct);
        Assert.Equal(broker, site.Broker.Id);
    }
}
