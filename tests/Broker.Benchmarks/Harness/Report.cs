using System.Globalization;
using System.Text.Json;

namespace Broker.Benchmarks.Harness;

/// <summary>The figures, for people and for programs.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static void WriteTable(IReadOnlyList<Result> results, TextWriter to)
    {
        string[] head = ["scenario", "unit", "min/s", "median/s", "max/s", "p50 ms", "p99 ms", "in proportion to", "also"];
        List<string[]> rows = [head];
        foreach (var result in results)
        {
            var rated = result.Rates.Count > 0;
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

        Write(rows, toTheRight: [2, 3, 4, 5, 6], to);
    }

    /// <summary>A Markdown table of targets and figures.</summary>
    public static void WriteTargets(IReadOnlyList<Result> results, TextWriter to)
    {
        var outcomes = results.SelectMany(result => Outcomes(result, results).Select(outcome => (result.Scenario.Name, Outcome: outcome))).ToList();
        if (outcomes.Count == 0) return;

        List<string[]> rows = [["scenario", "target", "measured", "met"]];
        rows.AddRange(outcomes.Select(row => (string[])
        [
            row.Name,
            row.Outcome.Target,
            Fraction(row.Outcome.Measured),
            row.Outcome.Met switch { true => "yes", false => "no", null => "not measured" },
        ]));
        rows.Insert(1, [.. rows[0].Select(_ => "---")]);
        Write([.. rows.Select(row => row.Select(cell => "| " + cell).Append("|").ToArray())], toTheRight: [], to);
        to.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{outcomes.Count(o => o.Outcome.Met == true)} targets met, {outcomes.Count(o => o.Outcome.Met == false)} not met, {outcomes.Count(o => o.Outcome.Met is null)} not measured"));
    }

    public static async Task WriteJsonAsync(IReadOnlyList<Result> results, BenchmarkOptions options, string path)
    {
        var document = new
        {
            Machine = new { Cores = Environment.ProcessorCount, Runtime = Environment.Version.ToString(), Os = Environment.OSVersion.VersionString },
            options.Short,
            options.Rounds,
            Seconds = options.Length.TotalSeconds,
            options.History,
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
                Targets = Outcomes(r, results),
                r.Failure,
            }),
        };
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(document, Indented) + "\n");
    }

    private static IEnumerable<Outcome> Outcomes(Result result, IReadOnlyList<Result> all) => result.Scenario.Targets.Select(target =>
    {
        var measured = result.Failure is null ? target.MeasureOf(result, all) : null;
        return new Outcome(target.Asked, target.Limit, measured, target.IsMetBy(measured));
    });

    private static double? Ratio(Result result, IReadOnlyList<Result> all) =>
        result.RatioTo(all.FirstOrDefault(r => r.Scenario.Name == result.Scenario.ComparedWith), sample => sample.Rate);

    private static void Write(List<string[]> rows, int[] toTheRight, TextWriter to)
    {
        var last = rows[0].Length - 1;
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        foreach (var row in rows)
        {
            var cells = row.Select((cell, i) =>
                i == last ? cell : toTheRight.Contains(i) ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            to.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    private static string Whole(double value) => value.ToString(value < 100 ? "N1" : "N0", CultureInfo.InvariantCulture);

    private static string Fraction(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";

    private sealed record Outcome(string Target, double Limit, double? Measured, bool? Met);
}
