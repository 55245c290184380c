using System.Diagnostics.Metrics;

namespace Broker.Operations.Metrics;

/// <summary>Instruments of the host.</summary>
internal static class HostMetrics
{
    public const string MeterName = "Broker";

    /// <summary>Label values that never come from a client.</summary>
    public const string EventStreams = "events", LogStreams = "logs";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Rounds = Meter.CreateCounter<long>("broker.background.rounds", "{round}", "Rounds of background services");

    private static readonly Counter<long> FailedRounds = Meter.CreateCounter<long>(
        "broker.background.failed_rounds", "{round}", "Rounds of background services that failed and are tried again");

    private static readonly UpDownCounter<long> Clients = Meter.CreateUpDownCounter<long>("broker.stream.clients", "{client}", "Open streams of events and log lines");

    private static readonly Counter<long> Firings = Meter.CreateCounter<long>("broker.schedule.instants", "{instant}", "Instants of schedules that were served, by outcome");

    /// <param name="outcome">started, or why the instants were skipped.</param>
    /// <param name="count">Number of instants.</param>
    public static void Fired(string outcome, int count) => Firings.Add(count, new KeyValuePair<string, object?>("outcome", outcome));

    public static void Round(string service) => Rounds.Add(1, new KeyValuePair<string, object?>("service", service));

    public static void FailedRound(string service) => FailedRounds.Add(1, new KeyValuePair<string, object?>("service", service));

    /// <summary>Counts a stream until it is disposed.</summary>
    public static StreamSeat Stream(string kind)
    {
        Clients.Add(1, new KeyValuePair<string, object?>("kind", kind));
        return new(kind);
    }

    internal readonly struct StreamSeat(string kind) : IDisposable
    {
        public void Dispose() => Clients.Add(-1, new KeyValuePair<string, object?>("kind", kind));
    }
}
