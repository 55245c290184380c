using System.Globalization;

namespace Broker.Benchmarks.Harness;

/// <summary>Usage of a process by the kernel's figures and the broker's own metrics.</summary>
internal static class ProcessUsage
{
    // USER_HZ: 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    private static readonly (string Figure, string Metric, double Scale)[] Garbage =
        [("allocated KB", "gc_heap_total_allocated", 1.0 / 1024), ("collections", "gc_collections", 1), ("gc pause ms", "gc_pause_time", 1000)];

    public static double CpuSeconds(int pid)
    {
        var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        // The command's name stands in brackets and may hold blanks: count fields after it.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    public static double ResidentMegabytes(int pid)
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"))
            .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line["VmRSS:".Length..^"kB".Length], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>Garbage figures of the broker's runtime at /metrics since its start; a figure that is not shown there is missing.</summary>
    public static async Task<IReadOnlyDictionary<string, double>> GarbageAsync(Uri broker, CancellationToken ct)
    {
        using var client = new HttpClient { BaseAddress = broker };
        var lines = (await client.GetStringAsync(new Uri("metrics", UriKind.Relative), ct)).Split('\n');
        var found = new Dictionary<string, double>();
        foreach (var (figure, metric, scale) in Garbage)
        {
            double[] values = [.. lines
                .Where(line => !line.StartsWith('#') && line.Contains(metric, StringComparison.Ordinal))
                .Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture))];
            if (values.Length > 0) found[figure] = values.Sum() * scale;
        }

        return found;
    }
}
