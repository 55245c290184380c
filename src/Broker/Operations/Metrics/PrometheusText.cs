using System.Globalization;
using System.Text;

namespace Broker.Operations.Metrics;

/// <summary>The text format that Prometheus scrapes, version 0.0.4.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Of(IEnumerable<MetricFamily> families)
    {
        var text = new StringBuilder(16 * 1024);
        foreach (var family in families.OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            var series = family.Series.ToList();
            if (series.Count == 0) continue;
            text.Append("# HELP ").Append(family.Name).Append(' ').Append(Escaped(family.Help, quotes: false)).Append('\n');
            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(Word(family.Kind)).Append('\n');
            foreach (var (labels, one) in series)
            {
                if (family.Kind is MetricKind.Histogram) Histogram(text, family, labels, one);
                else Sample(text, family.Name, family, labels, null, Number(one.Value));
            }
        }

        return text.ToString();
    }

    // The count is taken from the buckets, not beside them: so +Inf and _count agree whatever is recorded meanwhile.
    private static void Histogram(StringBuilder text, MetricFamily family, LabelValues labels, MetricSeries series)
    {
        var (counts, below) = (series.Counts(), 0L);
        for (var i = 0; i < counts.Length; i++)
        {
            below += counts[i];
            Sample(text, $"{family.Name}_bucket", family, labels, i < series.Bounds.Count ? Number(series.Bounds[i]) : "+Inf", Number(below));
        }

        Sample(text, $"{family.Name}_sum", family, labels, null, Number(series.Value));
        Sample(text, $"{family.Name}_count", family, labels, null, Number(below));
    }

    private static void Sample(StringBuilder text, string name, MetricFamily family, LabelValues labels, string? bound, string value)
    {
        text.Append(name);
        var open = '{';
        for (var i = 0; i < family.LabelNames.Count; i++)
        {
            if (labels[i] is not { } given) continue;
            Label(text, ref open, family.LabelNames[i], Convert.ToString(given, CultureInfo.InvariantCulture) ?? "");
        }

        if (bound is not null) Label(text, ref open, "le", bound);
        if (open == ',') text.Append('}');
        text.Append(' ').Append(value).Append('\n');
    }

    private static void Label(StringBuilder text, ref char open, string name, string value)
    {
        text.Append(open).Append(name).Append("=\"").Append(Escaped(value, quotes: true)).Append('"');
        open = ',';
    }

    private static string Escaped(string text, bool quotes)
    {
        var escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static string Word(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        MetricKind.Histogram => "histogram",
    };
}
