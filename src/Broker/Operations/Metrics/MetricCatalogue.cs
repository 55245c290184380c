using System.Diagnostics.Metrics;
using Broker.Storage.Contracts;
using OpenTelemetry.Metrics;

namespace Broker.Operations.Metrics;

/// <summary>
/// List of the exported instruments and of the tags that become labels. Other tags are summed over, so this list bounds the number of
/// series.
/// </summary>
internal static class MetricCatalogue
{
    // The exporter reserves 100 bytes a series when it starts, and frees none. Series beyond the limit are summed under otel_metric_overflow="true".
    private const int MostSeries = 2_000, MostWorkflows = 10_000;

    private static readonly Dictionary<(string Meter, string Instrument), string[]> Labels = new()
    {
        [(StorageInstruments.Meter, "broker.batch.size")] = [],
        [(StorageInstruments.Meter, "broker.batch.duration")] = [],
        [(StorageInstruments.Meter, "broker.recalls")] = ["outcome"],
        [(StorageInstruments.Meter, "broker.claim.duration")] = [],
        [(StorageInstruments.Meter, "broker.claim.lag")] = [],
        [(StorageInstruments.Meter, "broker.report.duration")] = [],
        [(StorageInstruments.Meter, "broker.steps.claimed")] = [],
        [(StorageInstruments.Meter, "broker.steps.prefetched")] = ["outcome"],
        [(StorageInstruments.Meter, "broker.steps.reported")] = ["verdict"],
        [(StorageInstruments.Meter, "broker.lease.losses")] = [],
        [(StorageInstruments.Meter, "broker.retries")] = [],
        [(StorageInstruments.Meter, "broker.runs.ended")] = ["workflow", "status"],
        [(StorageInstruments.Meter, "broker.steps.failed")] = ["workflow"],
        [(StorageInstruments.Meter, "broker.time_outs")] = ["limit"],
        [(StorageInstruments.Meter, "broker.runs.removed")] = [],
        [(StorageInstruments.Meter, "broker.commits.in_doubt")] = [],
        [(StorageInstruments.Meter, "broker.epochs")] = [],
        [(StorageInstruments.Meter, "broker.database.errors")] = [],
        [(HostMetrics.MeterName, "broker.background.rounds")] = ["service"],
        [(HostMetrics.MeterName, "broker.background.failed_rounds")] = ["service"],
        [(HostMetrics.MeterName, "broker.stream.clients")] = ["kind"],
        [(HostMetrics.MeterName, "broker.schedule.instants")] = ["outcome"],
        [(HostMetrics.MeterName, "broker.claims.parked")] = [],
        [(HostMetrics.MeterName, "broker.queue.depth")] = ["workflow"],
        [(HostMetrics.MeterName, "broker.queue.oldest_age")] = ["workflow"],
        [(HostMetrics.MeterName, "broker.label_queue.depth")] = ["labels"],
        [(HostMetrics.MeterName, "broker.label_queue.oldest_age")] = ["labels"],
        [(HostMetrics.MeterName, "broker.starved.steps")] = ["workflow", "labels"],
        [(HostMetrics.MeterName, "broker.starved.age")] = ["workflow", "labels"],
        [(HostMetrics.MeterName, "broker.workers")] = ["status"],
        [(HostMetrics.MeterName, "broker.workers.silent_with_leases")] = [],
        [("Microsoft.AspNetCore.Hosting", "http.server.request.duration")] = ["http.request.method", "http.route", "http.response.status_code"],
        [("Microsoft.AspNetCore.Hosting", "http.server.active_requests")] = [],
        [("Microsoft.AspNetCore.Server.Kestrel", "kestrel.active_connections")] = [],
        [("Microsoft.AspNetCore.Server.Kestrel", "kestrel.rejected_connections")] = [],
        [("System.Runtime", "dotnet.process.cpu.time")] = ["cpu.mode"],
        [("System.Runtime", "dotnet.process.memory.working_set")] = [],
        [("System.Runtime", "dotnet.gc.collections")] = ["gc.heap.generation"],
        [("System.Runtime", "dotnet.gc.pause.time")] = [],
        [("System.Runtime", "dotnet.gc.heap.total_allocated")] = [],
        [("System.Runtime", "dotnet.thread_pool.thread.count")] = [],
        [("System.Runtime", "dotnet.thread_pool.queue.length")] = [],
    };

    /// <summary>Meters that are shown, for exporters that choose by meter.</summary>
    public static IEnumerable<string> Meters => Labels.Keys.Select(k => k.Meter).Distinct();

    /// <summary>The tags of an instrument that become labels; null: it is not shown.</summary>
    public static string[]? LabelsOf(Instrument instrument) => Labels.GetValueOrDefault((instrument.Meter.Name, instrument.Name));

    /// <summary>The view of an instrument for the host that owns <paramref name="own"/>. Instruments of another host in the same process are dropped.</summary>
    public static MetricStreamConfiguration ViewOf(Instrument instrument, IMeterFactory own)
    {
        if (LabelsOf(instrument) is not { } labels || (instrument.Meter.Scope is { } scope && !ReferenceEquals(scope, own))) return MetricStreamConfiguration.Drop;
        return new MetricStreamConfiguration { TagKeys = labels, CardinalityLimit = labels.Length == 0 ? 1 : labels.Contains("workflow") ? MostWorkflows : MostSeries };
    }
}
