using System.Globalization;
using System.Text.Json;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.JobsDialect;

/// <summary>Answers about one run: where it stands, and how it ended.</summary>
internal static class RunAnswer
{
    private const string Soon = "1";

    /// <summary>Where the state of the run is.</summary>
    public static string StatusPath(HttpRequest request, RunRef run) => string.Create(
        CultureInfo.InvariantCulture, $"{PathOf(request, run)}/status?run={run.Number}");

    /// <summary>202: the run that was started or joined.</summary>
    public static Task StartedAsync(HttpContext http, RunRef run, bool joined)
    {
        var status = StatusPath(http.Request, run);
        http.Response.Headers.Location = status;
        return JsonAnswer.SendAsync(
            http.Response, StatusCodes.Status202Accepted, new RunStartedDto(run.Number, run.InstanceId, joined, status), JobsJson.Default.RunStartedDto);
    }

    /// <summary>The run as it stands.</summary>
    public static Task SendAsync(HttpContext http, RunView run) => SendAsync(http, run, StatusCodes.Status200OK);

    /// <summary>The run after a wait: the status says the outcome.</summary>
    public static Task OutcomeAsync(HttpContext http, RunView run)
    {
        var status = run.Status switch
        {
            RunStatus.Succeeded => StatusCodes.Status200OK,
            RunStatus.Failed => StatusCodes.Status424FailedDependency,
            RunStatus.Cancelled => StatusCodes.Status410Gone,
            RunStatus.Queued or RunStatus.Running or RunStatus.Waiting or RunStatus.Pausing or RunStatus.Paused => StatusCodes.Status504GatewayTimeout,
        };
        if (!run.IsTerminal) http.Response.Headers.RetryAfter = Soon;
        return SendAsync(http, run, status);
    }

    /// <summary>503: the broker stops, and the run goes on.</summary>
    public static Task StoppingAsync(HttpContext http)
    {
        http.Response.Headers.RetryAfter = Soon;
        return JobsErrors.SendAsync(http.Response, StatusCodes.Status503ServiceUnavailable, "the broker is stopping; the run goes on, ask again");
    }

    private static async Task SendAsync(HttpContext http, RunView run, int status)
    {
        var jobs = JobsStatuses.Of(run.Definition, run.Status, run.Steps);
        var path = PathOf(http.Request, run.Ref);
        var engine = http.RequestServices.GetRequiredService<BrokerEngine>();
        var attempts = (await engine.History.AttemptsAsync(run.Ref.Id, step: null, http.RequestAborted)).ToLookup(attempt => attempt.Step);
        await using var answer = new JsonStream(http.Response, status);
        var json = answer.Json;
        json.WriteStartObject();
        json.WriteString("status", JobsStatuses.OfRun(run.Status));
        json.WriteString("workflow_id", run.Ref.Workflow);
        json.WriteString("instance_id", run.Ref.InstanceId);
        json.WriteNumber("run", run.Ref.Number);
        json.WritePropertyName("inputs");
        json.WriteRaw(run.InputsJson);
        json.WritePropertyName("tags");
        json.WriteRaw(run.TagsJson ?? "{}");
        WriteInstant(json, "start_at", run.StartAt);
        WriteInstant(json, "started_at", run.StartedAt);
        WriteInstant(json, "ended_at", run.EndedAt);
        json.WriteString("error", run.Error?.Message);
        json.WriteStartArray("jobs");
        foreach (var step in run.Definition.Steps)
        {
            var job = jobs[step.Index];
            json.WriteStartObject();
            json.WriteString("id", step.Name);
            json.WriteString("status", job.Status);
            json.WriteNumber("attempt", job.Attempt);
            json.WriteString("error", job.Output);
            var about = $"{path}/jobs/{Uri.EscapeDataString(step.Name)}";
            json.WriteString("logs", string.Create(CultureInfo.InvariantCulture, $"{about}/logs?run={run.Ref.Number}"));
            json.WriteString("summary", string.Create(CultureInfo.InvariantCulture, $"{about}/summary?run={run.Ref.Number}"));
            json.WritePropertyName("attempts");
            JsonSerializer.Serialize(json, [.. attempts[step.Index].Select(Shown)], JobsJson.Default.RunAttemptDtoArray);
            json.WriteEndObject();
            await answer.RowAsync(http.RequestAborted);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await answer.EndAsync(http.RequestAborted);
    }

    private static RunAttemptDto Shown(AttemptEnd end) => new(
        end.Attempt, RunWords.Of(end.Outcome), end.Worker, end.GrantedAt?.ToUnixTimeMilliseconds(), end.EndedAt.ToUnixTimeMilliseconds(),
        end.Error is { } error ? new(error.Name, error.Message, error.ExitCode) : null);

    private static string PathOf(HttpRequest request, RunRef run) => $"{request.PathBase}/api/workflows/{Uri.EscapeDataString(WorkflowLookup.WorkerName(run))}";

    private static void WriteInstant(Utf8JsonWriter json, string member, DateTimeOffset? at)
    {
        if (at is { } instant) json.WriteNumber(member, instant.ToUnixTimeMilliseconds());
        else json.WriteNull(member);
    }
}
