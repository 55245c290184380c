using System.Diagnostics.Metrics;
using Broker.Background;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Operations.Metrics;

/// <summary>
/// Gauges of ready steps by workflow and by labels, of steps that no worker can take, of workers, and of waiting claims. The database is read at most every few seconds, and only while a scraper reads
/// the gauges. Several brokers on one database show the same depths.
/// </summary>
internal sealed class QueueGauge : PeriodicService
{
    private const int MostWorkflows = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interest = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly IQueueFacts facts;
    private readonly IWorkFacts work;
    private readonly BrokerSettings settings;
    private readonly TimeProvider clock;
    private readonly SemaphoreSlim turn = new(1);
    private volatile IReadOnlyList<(string Workflow, int Depth, double Age)> depths = [];
    private volatile WorkFigures figures = WorkFigures.None;
    private long askedAt;
    private long readAt;

    public QueueGauge(IQueueFacts facts, IWorkFacts work, IWaitingClaims waiting, BrokerSettings settings, IMeterFactory meters, TimeProvider clock, ILogger<QueueGauge> log)
        : base(Interval, clock, log)
    {
        (this.facts, this.work, this.settings, this.clock) = (facts, work, settings, clock);
        var meter = meters.Create(HostMetrics.MeterName);
        meter.CreateObservableGauge("broker.claims.parked", () => waiting.Waiting, "{claim}", "Claims that wait for work");
        meter.CreateObservableGauge("broker.queue.depth", Depths, "{step}", "Steps that a worker could take now, counted up to 10000 a queue");
        meter.CreateObservableGauge("broker.queue.oldest_age", Ages, "s", "Age of the step that has been claimable for longest");
        CreateWorkGauges(meter);
    }

    private void CreateWorkGauges(Meter meter)
    {
        meter.CreateObservableGauge(
            "broker.label_queue.depth", () => figures.ByLabels.Select(set => new Measurement<int>(set.Depth, Tag("labels", set.Labels))), "{step}",
            "Steps that a worker could take now, by the labels that they ask for");
        meter.CreateObservableGauge(
            "broker.label_queue.oldest_age", () => figures.ByLabels.Select(set => new Measurement<double>(set.Age, Tag("labels", set.Labels))), "s",
            "Age of the step that has been claimable for longest, by the labels that it asks for");
        meter.CreateObservableGauge(
            "broker.starved.steps", () => figures.Starved.Select(set => new Measurement<int>(set.Depth, Tag("workflow", set.Workflow), Tag("labels", set.Labels))), "{step}",
            "Claimable steps that no worker seen lately could take");
        meter.CreateObservableGauge(
            "broker.starved.age", () => figures.Starved.Select(set => new Measurement<double>(set.Age, Tag("workflow", set.Workflow), Tag("labels", set.Labels))), "s",
            "Age of the oldest step that no worker seen lately could take");
        meter.CreateObservableGauge(
            "broker.workers", () => (Measurement<int>[])[new(figures.Workers.Fresh, Tag("status", "fresh")), new(figures.Workers.Silent, Tag("status", "silent"))], "{worker}",
            "Workers by their last sign of life");
        meter.CreateObservableGauge(
            "broker.workers.silent_with_leases", () => figures.Workers.SilentWithLeases, "{worker}", "Silent workers that hold a lease");
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    /// <summary>Reads anew unless that was done a moment ago.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        Ask();
        await ReadAsync(ct);
    }

    private async Task ReadAsync(CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            if (readAt != 0 && clock.GetElapsedTime(readAt) < Fresh) return;
            var (found, now) = await facts.DepthsAsync(ct);
            depths = Bounded(found, now);
            figures = await WorkFigures.ReadAsync(work, settings.SilentAfter, ct);
            readAt = clock.GetTimestamp();
        }
        finally
        {
            turn.Release();
        }
    }

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var asked = Volatile.Read(ref askedAt);
        if (asked != 0 && clock.GetElapsedTime(asked) < Interest) await ReadAsync(ct);
        return 0;
    }

    public override void Dispose()
    {
        base.Dispose();
        turn.Dispose();
    }

    private void Ask() => Volatile.Write(ref askedAt, clock.GetTimestamp());

    private IEnumerable<Measurement<int>> Depths()
    {
        Ask();
        return depths.Select(d => new Measurement<int>(d.Depth, new KeyValuePair<string, object?>("workflow", d.Workflow)));
    }

    private IEnumerable<Measurement<double>> Ages() => depths.Select(d => new Measurement<double>(d.Age, new KeyValuePair<string, object?>("workflow", d.Workflow)));

    private static List<(string Workflow, int Depth, double Age)> Bounded(IReadOnlyList<QueueDepth> found, DateTimeOffset now)
    {
        double Age(QueueDepth depth) => depth.OldestDue is { } due && due < now ? (now - due).TotalSeconds : 0;
        var bounded = found.Take(MostWorkflows).Select(d => (d.Workflow, d.Depth, Age(d))).ToList();
        if (found.Count > MostWorkflows) bounded.Add((WorkFigures.Others, found.Skip(MostWorkflows).Sum(d => d.Depth), found.Skip(MostWorkflows).Max(Age)));
        return bounded;
    }
}
