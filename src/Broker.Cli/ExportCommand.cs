using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Broker.Operators;

namespace Broker.Cli;

/// <summary><c>broker runs export</c>: every run that fits, page by page, as JSON lines or CSV.</summary>
internal static class ExportCommand
{
    private static readonly string[] Header = ["workflow", "instance", "run", "status", "version", "created_at", "started_at", "ended_at", "duration_ms", "error_step", "error_name", "error_message", "tags"];

    public static Command Create(Connection connection)
    {
        var where = CliCommand.Where();
        var format = new Option<string>("--format") { Description = "jsonl or csv", DefaultValueFactory = _ => "jsonl", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong("jsonl", "csv");
        var most = new Option<int?>("--most") { Description = "Most runs; all without it", HelpName = "N" };
        var details = new Option<bool>("--details") { Description = "With inputs and results; one more request for each run, jsonl alone" };
        var command = new Command("export", "Prints every run that fits, the oldest first") { where, format, most, details };
        command.SetAction(connection, async (call, ct) =>
        {
            var (isCsv, withDetails) = (call.Line.GetValue(format) == "csv", call.Line.GetValue(details));
            if (isCsv && withDetails) throw new CliException(ExitCodes.Usage, "--details: expected with --format jsonl");
            var output = call.Line.InvocationConfiguration.Output;
            if (isCsv) await output.WriteLineAsync(string.Join(',', Header));
            var left = call.Line.GetValue(most) ?? int.MaxValue;
            var query = new RunQuery(RunsCommand.WhereOf(call.Line.GetValue(where))) { OldestFirst = true, Limit = Limits.LargestPage };
            while (left > 0)
            {
                var page = await call.Api.ListRunsAsync(query, ct);
                foreach (var run in page.Items.Take(left)) await output.WriteLineAsync(isCsv ? Csv(run) : withDetails ? await DetailsAsync(call.Api, run, ct) : JsonSerializer.Serialize(run, OperatorJson.Default.RunSummary));
                left -= page.Items.Count;
                if (page.Next is not { } next) break;
                query = query with { Cursor = next };
            }

            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task<string> DetailsAsync(IOperatorApi api, RunSummary run, CancellationToken ct) =>
        JsonSerializer.Serialize(await api.GetRunAsync(new(run.Workflow, run.Instance, run.Run), ct), OperatorJson.Default.RunDetail);

    private static string Csv(RunSummary run) => string.Join(',', ((string?[])
        [
            run.Workflow, run.Instance, run.Run.ToString(CultureInfo.InvariantCulture), run.Status, run.Version, Instant(run.CreatedAt), Instant(run.StartedAt), Instant(run.EndedAt),
            run.DurationMs?.ToString(CultureInfo.InvariantCulture), run.Error?.Step, run.Error?.Name, run.Error?.Message, run.Tags?.Text,
        ]).Select(Field));

    private static string? Instant(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    // RFC 4180. A leading = + - @ would be a formula for a spreadsheet.
    private static string Field(string? value)
    {
        if (string.IsNullOrEmpty(value)) return "";
        if (value[0] is '=' or '+' or '-' or '@') value = "'" + value;
        return value.AsSpan().IndexOfAny(",\"\r\n") < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
