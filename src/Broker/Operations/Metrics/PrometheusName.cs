using System.Diagnostics.Metrics;

namespace Broker.Operations.Metrics;

/// <summary>Names as Prometheus wants them: no dots, the unit at the end, <c>_total</c> behind what only grows.</summary>
internal static class PrometheusName
{
    public static string Of(Instrument instrument, MetricKind kind)
    {
        var unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        var name = Of(instrument.Name);
        if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
        return kind is MetricKind.Counter ? $"{name}_total" : name;
    }

    public static string Of(string name) => string.Create(name.Length, name, static (span, name) =>
    {
        for (var i = 0; i < span.Length; i++) span[i] = char.IsAsciiLetterOrDigit(name[i]) ? name[i] : '_';
    });
}
