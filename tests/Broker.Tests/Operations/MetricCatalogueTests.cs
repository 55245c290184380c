using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Broker.Operations.Metrics;
using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Xunit;

namespace Broker.Tests.Operations;

public sealed class MetricCatalogueTests
{
    [Fact]
    public void Each_instrument_is_shown()
    {
        RuntimeHelpers.RunClassConstructor(typeof(StorageMetrics).TypeHandle);
        RuntimeHelpers.RunClassConstructor(typeof(HostMetrics).TypeHandle);
        var ours = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name is StorageInstruments.Meter or HostMetrics.MeterName) ours.Add(instrument);
            },
        };
        listener.Start();
        Assert.NotEmpty(ours);
        Assert.Empty(ours.Where(instrument => MetricCatalogue.LabelsOf(instrument) is null).Select(instrument => instrument.Name));
    }
}
