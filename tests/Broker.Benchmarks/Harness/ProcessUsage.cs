using System.Globalization;

namespace Broker.Benchmarks.Harness;

/// <summary>What the kernel and the broker's own metrics say about a process.</summary>
internal static class ProcessUsage
{
    // USER_HZ: 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    public static double CpuSeconds(int pid)
    {
        string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        // The command's name stands in brackets and may hold blanks: count fields after it.
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    public static double ResidentMegabytes(int pid)
    {
        string line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"))
            .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line["VmRSS:".Length..^"kB".Length], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>Bytes that the broker has allocated since its start; null when /metrics does not say.</summary>
    public static async Task<double?> AllocatedBytesAsync(Uri broker, CancellationToken ct)
    {
        using var client = new HttpClient { BaseAddress = broker };
        using var response = await client.GetAsync(new Uri("metrics", UriKind.Relative), ct);
        if (!response.IsSuccessStatusCode)
        {
            return null;
        }

        string? line = (await response.Content.ReadAsStringAsync(ct)).Split('\n').FirstOrDefault(l =>
            !l.StartsWith('#') && l.Contains("total_allocated", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line.Split(' ')[1], NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}
