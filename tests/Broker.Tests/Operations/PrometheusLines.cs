using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>Reads the text format as a scraper does, and refuses faulty lines.</summary>
internal sealed partial class PrometheusLines
{
    private readonly Dictionary<string, double> samples = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> types = new(StringComparer.Ordinal);

    public PrometheusLines(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        string? typed = null, family = null;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ', 4);
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                typed = words[2];
                Assert.True(types.TryAdd(typed, words[3]), $"{typed} has two types");
                Assert.Contains(words[3], (string[])["counter", "gauge", "histogram"]);
                Assert.Equal(words[3] == "counter", typed.EndsWith("_total", StringComparison.Ordinal));
            }
            else if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                family = words[2];
                Assert.Equal(typed, family);
            }
            else
            {
                var sample = Sample.Match(line);
                Assert.True(sample.Success, line);
                var suffix = types[family!] == "histogram" ? "(_bucket|_sum|_count)" : "";
                Assert.Matches($"^{family}{suffix}$", sample.Groups["name"].Value);
                Assert.True(samples.TryAdd(SeriesOf(sample), Number(sample.Groups["value"].Value)), $"twice: {line}");
            }
        }

        foreach (var (name, _) in types.Where(t => t.Value == "histogram")) CheckBuckets(name);
    }

    public IReadOnlyDictionary<string, string> Types => types;

    /// <summary>A sample by name and labels, in any order of labels.</summary>
    public double this[string series] => samples.TryGetValue(SeriesOf(Series.Match(series)), out var value) ? value : throw new KeyNotFoundException($"{series} is not among {string.Join("\n", samples.Keys)}");

    /// <summary>The same, 0 before the first observation: until then a histogram is not shown.</summary>
    public double Before(string series) => Has(series) ? this[series] : 0;

    public bool Has(string series) => samples.ContainsKey(SeriesOf(Series.Match(series)));

    private static string SeriesOf(Match series)
    {
        var labels = series.Groups["label"].Captures.Select(label => label.Value).OrderBy(label => label.StartsWith("le=", StringComparison.Ordinal)).ThenBy(label => label, StringComparer.Ordinal);
        return labels.Any() ? $"{series.Groups["name"].Value}{{{string.Join(',', labels)}}}" : series.Groups["name"].Value;
    }

    // In each series bounds grow, counts do not fall, and the last bucket is +Inf and equals _count.
    private void CheckBuckets(string name)
    {
        var buckets = samples.Where(s => s.Key.StartsWith($"{name}_bucket", StringComparison.Ordinal))
            .Select(s => (Match: Bound.Match(s.Key), s.Value))
            .GroupBy(s => s.Match.Groups["rest"].Value);
        Assert.NotEmpty(buckets);
        foreach (var series in buckets)
        {
            var (bound, count) = (double.NegativeInfinity, 0.0);
            foreach (var bucket in series)
            {
                var next = Number(bucket.Match.Groups["bound"].Value);
                Assert.True(next > bound && bucket.Value >= count, $"{name} at {next}");
                (bound, count) = (next, bucket.Value);
            }

            Assert.Equal(double.PositiveInfinity, bound);
            var labels = series.Key.Length == 0 ? "" : $"{{{series.Key}}}";
            Assert.Equal(count, this[$"{name}_count{labels}"]);
            Assert.True(Has($"{name}_sum{labels}"));
        }
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{((?<label>[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*"),?)*\})? (?<value>\S+)$""")]
    private static partial Regex Sample { get; }

    [GeneratedRegex("""^(?<name>[a-zA-Z0-9_:]+)(\{((?<label>[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\[\\"n])*"),?)*\})?$""")]
    private static partial Regex Series { get; }

    [GeneratedRegex("""\{((?<rest>.*),)?le="(?<bound>[^"]+)"\}$""")]
    private static partial Regex Bound { get; }
}
