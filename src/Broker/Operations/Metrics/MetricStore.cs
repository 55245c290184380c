using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Broker.Operations.Metrics;

/// <summary>Listens to the instruments of the catalogue from the start on, and keeps their values.</summary>
internal sealed class MetricStore : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<string, MetricFamily> families = new(StringComparer.Ordinal);
    private readonly Lock reading = new();

    public MetricStore(IMeterFactory own)
    {
        listener.InstrumentPublished = (instrument, hearer) =>
        {
            // A meter with a scope belongs to one host; another host in the same process has its own.
            if (instrument.Meter.Scope is { } scope && !ReferenceEquals(scope, own)) return;
            if (MetricCatalogue.LabelsOf(instrument) is not { } labels) return;
            var family = new MetricFamily(instrument, labels);
            hearer.EnableMeasurementEvents(instrument, families.GetOrAdd(family.Name, family));
        };
        listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        listener.Start();
    }

    /// <summary>Everything as it is now, in the text format.</summary>
    public string Write()
    {
        lock (reading)
        {
            foreach (var family in families.Values)
            {
                if (family.IsObservable) family.Forget();
            }

            listener.RecordObservableInstruments();
            return PrometheusText.Of(families.Values);
        }
    }

    public void Dispose() => listener.Dispose();
}
