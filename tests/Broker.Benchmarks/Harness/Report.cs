using System.Globalization;
using System.Text.Json;

namespace Broker.Benchmarks.Harness;

/// <summary>The figures, for people and for programs.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static void WriteTable(IReadOnlyList<Result> results, TextWriter to)
    {
        string[] head = ["scenario", "unit", "min/s", "median/s", "max/s", "p50 ms", "p99 ms", "of yardstick", "also"];
        List<string[]> rows = [head];
        foreach (var result in results)
        {
            bool rated = result.Rates.Count > 0;
            rows.Add(
            [
                result.Scenario.Name,
                result.Scenario.Unit,
                rated ? Whole(result.Rates.Min()) : "",
                rated ? Whole(result.Median!.Value) : "",
                rated ? Whole(result.Rates.Max()) : "",
                Fraction(result.Percentile(0.5)),
                Fraction(result.Percentile(0.99)),
                Ratio(result, results) is { } ratio ? string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00} {result.Scenario.ComparedWith}") : "",
                result.Failure is { } failure
                    ? "FAILED: " + failure.ReplaceLineEndings(" ")
                    : string.Join(", ", result.Extras.Select(e => string.Create(CultureInfo.InvariantCulture, $"{e.Key} {e.Value:0.##}"))),
            ]);
        }

        int[] widths = [.. head.Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            var cells = row.Select((cell, i) => i is >= 2 and <= 6 ? cell.PadLeft(widths[i]) : i == head.Length - 1 ? cell : cell.PadRight(widths[i]));
            to.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    public static async Task WriteJsonAsync(IReadOnlyList<Result> results, BenchmarkOptions options, string path)
    {
        var document = new
        {
            Machine = new { Cores = Environment.ProcessorCount, Runtime = Environment.Version.ToString(), Os = Environment.OSVersion.VersionString },
            options.Short,
            options.Rounds,
            Seconds = options.Length.TotalSeconds,
            Scenarios = results.Select(r => new
            {
                r.Scenario.Name,
                r.Scenario.Unit,
                r.Rates,
                r.Median,
                P50Ms = r.Percentile(0.5),
                P99Ms = r.Percentile(0.99),
                r.Scenario.ComparedWith,
                Ratio = Ratio(r, results),
                r.Extras,
                r.Failure,
            }),
        };
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(document, Indented) + "\n");
    }

    private static double? Ratio(Result result, IReadOnlyList<Result> all) =>
        all.FirstOrDefault(r => r.Scenario.Name == result.Scenario.ComparedWith)?.Median is { } yardstick ? result.Median / yardstick : null;

    private static string Whole(double value) => value.ToString(value < 100 ? "N1" : "N0", CultureInfo.InvariantCulture);

    private static string Fraction(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";
}
