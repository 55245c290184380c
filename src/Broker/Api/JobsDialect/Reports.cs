using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Api.JobsDialect;

/// <summary>Reads what workers report, and says what became of it.</summary>
internal static class Reports
{
    private static readonly StepReport SucceededWithoutOutputs = new(ReportOutcome.Succeeded) { ResultJson = "{}" };

    public static StepReport Success(JsonElement body, string path, JobsReader reader)
    {
        if (!reader.IsObject(body, path)) return SucceededWithoutOutputs;
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
        return new(ReportOutcome.Failed) { Error = new(StepError.DefaultName, message), Retryable = retryable };
    }

    /// <summary>A late report on a cancelled job is in order and changes nothing; any other lost lease is a conflict.</summary>
    public static int Status(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted or ReportVerdict.StepCancelled => StatusCodes.Status200OK,
        ReportVerdict.Stale or ReportVerdict.UnknownRun or ReportVerdict.UnknownStep => StatusCodes.Status409Conflict,
    };

    /// <summary>The word for a verdict in a batch.</summary>
    public static string Word(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted => "accepted",
        ReportVerdict.StepCancelled => "cancelled",
        ReportVerdict.Stale or ReportVerdict.UnknownRun or ReportVerdict.UnknownStep => "stale",
    };
}
