using System.Diagnostics.Metrics;
using Broker.Core.Steps;
using Broker.Storage.Contracts;

namespace Broker.Storage.Diagnostics;

/// <summary>Instruments of the store. Recording takes no lock and, but for one tag, no allocation; unused instruments cost one comparison.</summary>
internal static class StorageMetrics
{
    private static readonly Meter Meter = new(StorageInstruments.Meter);

    // From a claim on an idle machine (below a millisecond) to a database that hangs.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private static readonly InstrumentAdvice<double> Lag = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 3600, 21_600, 86_400],
    };

    private static readonly InstrumentAdvice<int> Calls = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] };

    /// <summary>Callers that shared one transaction.</summary>
    public static readonly Histogram<int> BatchSize = Meter.CreateHistogram(
        "broker.batch.size", "{call}", "Callers that shared one transaction", advice: Calls);

    public static readonly Histogram<double> BatchDuration = Meter.CreateHistogram(
        "broker.batch.duration", "s", "Time of one transaction of the hot path, retries included", advice: Seconds);

    /// <summary>Whether the run cache pays: with several brokers on the same runs, cached rows are often stale.</summary>
    public static readonly Counter<long> RunCacheChecks = Meter.CreateCounter<long>(
        "broker.recalls", "{transaction}", "Transactions that took their runs from memory, by whether they were still so");

    public static readonly Histogram<double> ClaimDuration = Meter.CreateHistogram(
        "broker.claim.duration", "s", "Time of one look for claimable steps, the queue for a transaction included, a long poll's wait not", advice: Seconds);

    public static readonly Histogram<double> ReportDuration = Meter.CreateHistogram(
        "broker.report.duration", "s", "Time from a report's arrival to its commit", advice: Seconds);

    public static readonly Histogram<double> ClaimLag = Meter.CreateHistogram(
        "broker.claim.lag", "s", "Time that handed-out steps had been claimable", advice: Lag);

    public static readonly Counter<long> StepsClaimed = Meter.CreateCounter<long>("broker.steps.claimed", "{step}", "Steps handed out");

    /// <summary>Returned in numbers: workers do not come back as they used to.</summary>
    public static readonly Counter<long> EagerGrants = Meter.CreateCounter<long>(
        "broker.steps.prefetched", "{step}", "Steps claimed before their worker asked, by whether it took them or they were returned");

    public static readonly Counter<long> StepsReported = Meter.CreateCounter<long>("broker.steps.reported", "{step}", "Reports by what became of them");

    public static readonly Counter<long> LeaseLosses = Meter.CreateCounter<long>("broker.lease.losses", "{lease}", "Expired leases that were collected");

    public static readonly Counter<long> Retries = Meter.CreateCounter<long>("broker.retries", "{step}", "Attempts that failed and are tried again");

    public static readonly Counter<long> RunsEnded = Meter.CreateCounter<long>("broker.runs.ended", "{run}", "Runs that ended, by workflow and status");

    public static readonly Counter<long> StepsFailed = Meter.CreateCounter<long>("broker.steps.failed", "{step}", "Steps that failed for good, by workflow");

    public static readonly Counter<long> TimeOuts = Meter.CreateCounter<long>("broker.time_outs", "{limit}", "Limits that steps and runs have reached, by the kind of limit");

    public static readonly Counter<long> RunsRemoved = Meter.CreateCounter<long>("broker.runs.removed", "{run}", "Ended runs that retention has removed");

    /// <summary>Each was answered 503: it may be durable, lost, or on the primary alone.</summary>
    public static readonly Counter<long> CommitsInDoubt = Meter.CreateCounter<long>(
        "broker.commits.in_doubt", "{transaction}", "Transactions whose commit the database did not confirm");

    public static readonly Counter<long> Epochs = Meter.CreateCounter<long>(
        "broker.epochs", "{epoch}", "Times that the database had another history than this broker remembered: failovers and restores");

    public static readonly Counter<long> DatabaseErrors = Meter.CreateCounter<long>(
        "broker.database.errors", "{error}", "Transactions that failed because the database was not available");

    /// <summary>Counts the limits of one run that a committed transaction has found reached.</summary>
    public static void CountTimeOuts(IReadOnlyList<string> limits)
    {
        foreach (var limit in limits) TimeOuts.Add(1, new KeyValuePair<string, object?>("limit", KindOf(limit)));
    }

    private static string KindOf(string limit) => limit switch
    {
        StepTimeouts.QueueName => "queue",
        StepTimeouts.AttemptName => "attempt",
        StepTimeouts.TotalName => "total",
        StepTimeouts.RunName => "run",
        _ => throw new ArgumentOutOfRangeException(nameof(limit), limit, "No such limit."),
    };

    /// <summary>Makes counters without labels show as 0 before anything was counted. Call it when the listeners are there.</summary>
    public static void ShowCounters()
    {
        foreach (var counter in (Counter<long>[])[StepsClaimed, LeaseLosses, Retries, RunsRemoved, CommitsInDoubt, Epochs, DatabaseErrors]) counter.Add(0);
    }
}
