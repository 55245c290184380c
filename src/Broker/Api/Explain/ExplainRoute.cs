using System.Text.Json;
using Broker.Auth;
using Broker.Core.Explanations;
using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;
using Broker.Http;
using Broker.Operations;
using Broker.Storage.Contracts;

namespace Broker.Api.Explain;

/// <summary>Answers the question that operators ask most: why does this step not run?</summary>
internal static class ExplainRoute
{
    public static void MapExplain(this IEndpointRouteBuilder routes) => routes
        .MapGet("/api/explain/{workflow}/{instance}/{step}", ExplainAsync).RequireScope(Scope.Read).ByWorkflow().WithName("ExplainStep").WithTags(Probes.Tag)
        .WithSummary("Why a step is not running, every cause named")
        .WithDescription("The current run of the instance, or that of a worker's instance id such as `ID.1`. A jobs workflow is its own instance.")
        .Produces<ExplainAnswerDto>(200, JsonAnswer.ContentType).Produces<ExplainProblemDto>(404, "application/problem+json");

    private static async Task ExplainAsync(
        HttpContext http, BrokerEngine engine, IQueueFacts facts, string workflow, string instance, string step, CancellationToken ct)
    {
        if (await FindAsync(engine, workflow, instance, ct) is not { } run)
        {
            await ProblemAnswer.SendAsync(http, StatusCodes.Status404NotFound, $"No instance '{instance}' in workflow '{workflow}'.");
            return;
        }

        if (run.Definition.Find(step) is not { } definition)
        {
            await ProblemAnswer.SendAsync(http, StatusCodes.Status404NotFound, $"No step '{step}' in workflow '{workflow}'.");
            return;
        }

        var silentAfter = definition.Command is null ? engine.Settings.WorkerTimeout : engine.Settings.WorkerOffline;
        var causes = Explanation.Of(run, definition, await facts.OfStepAsync(run, definition, ct), silentAfter);
        var attempts = await engine.History.AttemptsAsync(run.Ref.Id, definition.Index, ct);
        var progress = await engine.History.ProgressAsync(run.Ref.Id, definition.Index, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, (run, definition, causes, attempts, progress), static (json, all) =>
        {
            var shown = StepBoard.Of(all.run.Definition, all.run.Status, all.run.Steps)[all.definition.Index];
            json.WriteStartObject();
            json.WriteString("workflow"u8, all.run.Ref.Workflow);
            json.WriteString("instance"u8, all.run.Ref.InstanceId);
            json.WriteNumber("run"u8, all.run.Ref.Number);
            json.WriteString("run_status"u8, CauseWords.Of(all.run.Status));
            json.WriteString("step"u8, all.definition.Name);
            json.WriteString("state"u8, CauseWords.Of(shown));
            json.WriteBoolean("running"u8, all.causes.Any(c => c.Kind is CauseKind.Leased));
            json.WriteStartArray("causes"u8);
            foreach (var cause in all.causes) Write(json, cause);
            json.WriteEndArray();
            if (shown.State is { IsActive: true, Deadline: { } deadline }) json.WriteString("deadline"u8, deadline.UtcDateTime);
            if (all.progress is not null)
            {
                json.WritePropertyName("progress"u8);
                json.WriteRaw(all.progress);
            }

            json.WriteStartArray("attempts"u8);
            foreach (var attempt in all.attempts) Write(json, attempt);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    // A worker's name of a later run is no instance id, but an instance may be called so: its own name comes first.
    private static async Task<RunView?> FindAsync(BrokerEngine engine, string workflow, string instance, CancellationToken ct)
    {
        if (await engine.FindRunAsync(workflow, instance, ct) is { } current) return current;
        var (id, number) = RunRef.Split(instance);
        return number > 0 ? await engine.FindRunAsync(workflow, id, ct, number) : null;
    }

    private static void Write(Utf8JsonWriter json, Cause cause)
    {
        json.WriteStartObject();
        json.WriteString("code"u8, CauseWords.Of(cause.Kind));
        json.WriteString("message"u8, cause.Message);
        if (cause.Step is not null) json.WriteString("step"u8, cause.Step);
        if (cause.State is { } state) json.WriteString("state"u8, CauseWords.Of(state));
        if (cause.AnyOf is not null) Write(json, "any_of", cause.AnyOf);
        if (cause.Since is { } since) json.WriteString("since"u8, since.UtcDateTime);
        if (cause.Until is { } until) json.WriteString("until"u8, until.UtcDateTime);
        if (cause.Event is not null) json.WriteString("event"u8, cause.Event);
        if (cause.Worker is not null) json.WriteString("worker"u8, cause.Worker);
        if (cause.Labels is not null) Write(json, "labels", cause.Labels);
        if (cause.Attempt is { } attempt) json.WriteNumber("attempt"u8, attempt);
        if (cause.Ahead is { } ahead) json.WriteNumber("ahead"u8, ahead);
        if (cause.Error is { } error) json.WriteString("error"u8, $"{error.Name}: {error.Message}");
        if (cause.Run is { } status) json.WriteString("run_status"u8, CauseWords.Of(status));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, AttemptEnd attempt)
    {
        json.WriteStartObject();
        json.WriteNumber("number"u8, attempt.Number);
        json.WriteNumber("attempt"u8, attempt.Attempt);
        json.WriteString("outcome"u8, CauseWords.Of(attempt.Outcome));
        if (attempt.Worker is not null) json.WriteString("worker"u8, attempt.Worker);
        if (attempt.GrantedAt is { } granted) json.WriteString("granted_at"u8, granted.UtcDateTime);
        json.WriteString("ended_at"u8, attempt.EndedAt.UtcDateTime);
        if (attempt.Error is { } error) json.WriteString("error"u8, $"{error.Name}: {error.Message}");
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> words)
    {
        json.WriteStartArray(name);
        foreach (var word in words) json.WriteStringValue(word);
        json.WriteEndArray();
    }
}
