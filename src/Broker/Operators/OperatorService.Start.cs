using System.Text.Json;
using Broker.Api;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Engine;

namespace Broker.Operators;

internal sealed partial class OperatorService
{
    private const int LongestInstance = 200;
    private const string Attach = "attach", Restart = "restart";

    // Sums of instants stay in the range of instants.
    private static readonly DateTimeOffset LatestStart = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public async Task<StartedRun> StartAsync(string workflow, NewRun start, string? idempotencyKey, CancellationToken ct)
    {
        Check(start);
        if (idempotencyKey is not null && !Idempotency.Fits(idempotencyKey)) throw new OperatorException(StatusCodes.Status400BadRequest, "invalid_header", Idempotency.Malformed, "header.Idempotency-Key");
        var definition = await DefinitionOfAsync(workflow, start.Version, ct);
        var request = new StartRequest(definition, start.Instance ?? BrokerEngine.NewInstanceId())
        {
            Mode = start.IfExists == Restart ? StartMode.NextRun : StartMode.NewInstance,
            InputsJson = start.Inputs?.Text ?? "{}",
            TagsJson = start.Tags is { } tags ? TagsOf(tags, "/tags") : null,
            Priority = start.Priority ?? 0,
            StartAt = start.StartAt,
            DelayMs = start.DelayMs,
            LimitMs = start.RunMs,
            Key = idempotencyKey is null ? null : Idempotency.KeyOf(idempotencyKey, "start-run", workflow, JsonSerializer.SerializeToUtf8Bytes(start, OperatorJson.Default.NewRun)),
        };
        if (start.DryRun is true)
        {
            if (holds.OfStarts(workflow) is not null) throw StartsPaused(workflow);
            if (StartInputs.Judge(request).Problems is { Count: > 0 } problems) throw RefusedInputs(problems);
            if (start.Instance is { } instance && start.IfExists != Attach && await engine.FindRunAsync(workflow, instance, ct) is { } there && !(start.IfExists == Restart && there.IsTerminal))
                throw AlreadyExists(there.Ref);
            return new(workflow, start.Instance, null, definition.Version, Started: false, Replayed: false, DryRun: true);
        }

        var outcome = await engine.StartAsync(request, ct);
        return outcome.Verdict switch
        {
            StartVerdict.Started => new(workflow, outcome.Run!.InstanceId, outcome.Run.Number, definition.Version, !outcome.Replayed, outcome.Replayed, DryRun: false),
            StartVerdict.AlreadyExists when start.IfExists == Attach => await AttachedAsync(workflow, request.InstanceId, ct),
            StartVerdict.AlreadyExists or StartVerdict.StillActive or StartVerdict.NotContinuable or StartVerdict.OtherInputs =>
                throw AlreadyExists((await FindAsync(new(workflow, request.InstanceId), ct)).Ref),
            StartVerdict.KeyReused => throw new OperatorException(StatusCodes.Status422UnprocessableEntity, "key_reused", StartRefusal.KeyReused, "header.Idempotency-Key"),
            StartVerdict.BacklogFull => throw new OperatorException(
                StatusCodes.Status429TooManyRequests, "backlog_full", $"{engine.Settings.Limits.Backlog} runs of workflow '{workflow}' wait for workers: no more are taken until some have begun"),
            StartVerdict.StartsPaused => throw StartsPaused(workflow),
            StartVerdict.InputsRefused => throw RefusedInputs(outcome.Problems),
        };
    }

    private OperatorException StartsPaused(string workflow) => new(StatusCodes.Status409Conflict, "starts_paused", engine.StartsPaused(workflow));

    private async Task<StartedRun> AttachedAsync(string workflow, string instance, CancellationToken ct)
    {
        var run = await FindAsync(new(workflow, instance), ct);
        return new(workflow, instance, run.Ref.Number, run.Definition.Version, Started: false, Replayed: false, DryRun: false);
    }

    private async Task<WorkflowDefinition> DefinitionOfAsync(string workflow, string? version, CancellationToken ct)
    {
        var latest = await engine.StartableAsync(workflow, ct) ?? throw OperatorException.NotFound($"There is no workflow '{workflow}' that can be started.");
        if (version is null || version == latest.Version) return latest;
        if (await definitions.FindAsync(workflow, version, ct) is not { } stored) throw BadMember("version", $"there is no version '{version}' of workflow '{workflow}'");
        if (stored.Withdrawn) throw new OperatorException(StatusCodes.Status409Conflict, "withdrawn", $"The file of version '{version}' is gone: it starts no runs.", "/version");
        return await definitions.GetAsync(stored, ct);
    }

    private static void CheckInstance(string instance)
    {
        if (instance.Length is 0 or > LongestInstance || !Core.Json.StorableText.Fits(instance) || !RunRef.MayBeChosen(instance))
            throw BadMember("instance", $"expected 1 to {LongestInstance} characters: no control characters, none of / and ~, no number after a last dot, and neither . nor ..");
    }

    private static void Check(NewRun start)
    {
        if (start.Instance is { } instance) CheckInstance(instance);
        if (start.Priority is < -StepDefinition.MaxPriority or > StepDefinition.MaxPriority) throw BadMember("priority", $"expected an integer from {-StepDefinition.MaxPriority} to {StepDefinition.MaxPriority}");
        if (start.IfExists is not (null or "fail" or Attach or Restart)) throw BadMember("if_exists", "expected fail, attach or restart");
        if (start is { StartAt: not null, DelayMs: not null }) throw BadMember("delay_ms", "says the same as start_at: give one of them");
        if (start.StartAt >= LatestStart) throw BadMember("start_at", "expected an instant before the year 9000");
        if (start.DelayMs is < 0 or > RetryPolicy.LongestMs) throw BadMember("delay_ms", $"expected an integer from 0 to {RetryPolicy.LongestMs}");
        if (start.RunMs is < 1 or > RetryPolicy.LongestMs) throw BadMember("run_ms", $"expected an integer from 1 to {RetryPolicy.LongestMs}");
        if (start.Inputs is { } inputs && UnicodeCheck.Problem(JsonElement.Parse(inputs.Text), "") is { } broken)
            throw Invalid("invalid_inputs", $"inputs: {broken.Message}", [new("/inputs", broken.ToString())]);
    }

    private static OperatorException RefusedInputs(IReadOnlyList<Core.Schemas.SchemaError> problems) =>
        Invalid("invalid_inputs", "The workflow does not take these inputs.", problems.Select(problem => new OperatorFault($"/inputs{problem.Path}", problem.Message)));

    private static OperatorException AlreadyExists(RunRef run) =>
        new(StatusCodes.Status409Conflict, "already_exists", $"Instance '{run.InstanceId}' of workflow '{run.Workflow}' exists, with run {run.Number}.", "/instance");
}
