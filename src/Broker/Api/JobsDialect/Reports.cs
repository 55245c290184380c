using System.Text;
using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Api.JobsDialect;

/// <summary>Reads what workers report, and says what became of it.</summary>
internal static class Reports
{
    private static readonly StepReport SucceededWithoutOutputs = new(ReportOutcome.Succeeded) { ResultJson = "{}" };

    // Bytes of a summary (UTF-8).
    private const int MostSummary = 1024 * 1024;

    public static StepReport Success(JsonElement body, string path, JobsReader reader)
    {
        if (!reader.IsObject(body, path)) return SucceededWithoutOutputs;
        var report = WithOutputs(body, path, reader);
        return Summary(body, path, reader) is { } summary ? report with { Logs = [summary] } : report;
    }

    private static StepReport WithOutputs(JsonElement body, string path, JobsReader reader)
    {
        var outputs = reader.Value(body, "outputs", path, JsonValueKind.Object);
        if (outputs.ValueKind is JsonValueKind.Undefined) return SucceededWithoutOutputs;

        var any = false;
        foreach (var output in outputs.EnumerateObject())
        {
            any = true;
            if (output.Value.ValueKind is not JsonValueKind.String)
                reader.Add($"{JobsReader.Join(path, "outputs")}.{StorableText.Fitting(JsonText.NameOf(output))}", $"expected a string, got {JsonText.KindOf(output.Value)}");

            // NUL passes: outputs are kept as JSON text, where it is an escape.
            else if (!StorableText.IsUnicode(JsonText.StringOf(output.Value)) || !StorableText.IsUnicode(JsonText.NameOf(output)))
                reader.Add(JobsReader.Join(path, "outputs"), "holds half of a surrogate pair, which no reader of JSON has to accept");
        }

        return any ? new(ReportOutcome.Succeeded) { ResultJson = outputs.GetRawText() } : SucceededWithoutOutputs;
    }

    public static StepReport Failure(JsonElement body, string path, JobsReader reader)
    {
        if (!reader.IsObject(body, path)) return StepReport.Returned;
        var error = reader.Value(body, "error", path, JsonValueKind.String, required: true);
        var retryable = reader.Boolean(body, "retryable", path, false);
        // Refusing text cut from the output of a program would cost the job its report: workers do not look at the answer.
        var message = error.ValueKind is JsonValueKind.String ? StorableText.Fitting(JsonText.StringOf(error)) : "";
        var code = JobsReader.Has(body, "exit_code") ? (int)reader.Integer(body, "exit_code", path, int.MinValue, int.MaxValue) : default(int?);
        return new(ReportOutcome.Failed)
        {
            Error = new(StepError.DefaultName, message) { ExitCode = code },
            Retryable = retryable,
            DelayMs = JobsReader.Has(body, "retry_after_ms") ? reader.Integer(body, "retry_after_ms", path, 0, RetryPolicy.LongestMs) : null,
            Logs = Summary(body, path, reader) is { } summary ? [summary] : [],
        };
    }

    /// <summary>The job is put off: handed out again after that time, charged nothing.</summary>
    public static StepReport Postponement(JsonElement body, string path, JobsReader reader, string member = "delay_ms") => !reader.IsObject(body, path)
        ? StepReport.Returned
        : new(ReportOutcome.Postponed) { DelayMs = reader.Integer(body, member, path, 0, RetryPolicy.LongestMs) };

    /// <summary>An extension: markdown for people, kept as a line of a category of its own.</summary>
    private static LogLine? Summary(JsonElement body, string path, JobsReader reader)
    {
        var summary = reader.Value(body, "summary", path, JsonValueKind.String);
        if (summary.ValueKind is not JsonValueKind.String) return null;
        var text = JsonText.StringOf(summary);
        if (Encoding.UTF8.GetByteCount(text) > MostSummary) reader.Add(JobsReader.Join(path, "summary"), $"has more than {MostSummary} bytes");
        return new("info", StorableText.Fitting(text), LogLine.SummaryCategory);
    }

    /// <summary>A late report on a cancelled job is in order and changes nothing; any other lost lease is a conflict.</summary>
    public static int Status(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted or ReportVerdict.StepCancelled => StatusCodes.Status200OK,
        ReportVerdict.Stale or ReportVerdict.UnknownRun or ReportVerdict.UnknownStep => StatusCodes.Status409Conflict,
    };

    /// <summary>Verdict in a batch on a report under a lost lease.</summary>
    public const string Stale = "stale";

    /// <summary>The word for a verdict in a batch.</summary>
    public static string Word(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted => "accepted",
        ReportVerdict.StepCancelled => "cancelled",
        ReportVerdict.Stale or ReportVerdict.UnknownRun or ReportVerdict.UnknownStep => Stale,
    };
}
