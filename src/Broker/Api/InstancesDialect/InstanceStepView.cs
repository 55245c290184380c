using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Api.InstancesDialect;

/// <summary>A step as this dialect shows it.</summary>
internal sealed record InstanceStepView(string Name, string Type, string Status)
{
    public int Attempts { get; init; }
    public int MaxAttempts { get; init; } = 1;
    public long? TimeoutMs { get; init; }
    public DateTimeOffset? NextRetryAt { get; init; }
    public DateTimeOffset? WakeAt { get; init; }
    public string? WaitEventType { get; init; }

    /// <summary>Raw JSON, or null.</summary>
    public string? ResultJson { get; init; }

    public StepError? Error { get; init; }
    /// <summary>The map that it is an item of; null: it is a step of the definition.</summary>
    public string? Parent { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>From the engine's step to the dialect's (instances contract 4 and 13). Steps that have begun, or may, have a row.</summary>
internal static class InstanceStepViews
{
    public const string Running = "running";
    public const string Completed = "completed";
    public const string Errored = "errored";
    public const string Waiting = "waiting";

    /// <summary>The step that was created last, also when it has ended; null when there is none. A step that waits for a worker was created as it was queued.</summary>
    public static StepState? Latest(IEnumerable<StepState> steps) => steps
        .Where(step => step.BegunAt is not null || step.Status is StepStatus.Ready)
        .OrderBy(step => step.BegunAt ?? step.QueuedAt).ThenBy(step => step.Index).LastOrDefault();

    public static InstanceStepView Of(StepDefinition definition, StepState step)
    {
        var row = new InstanceStepView(definition.Name, TypeOf(definition.Kind), StatusOf(definition.Kind, step))
        {
            CreatedAt = step.BegunAt ?? step.QueuedAt,
            UpdatedAt = UpdatedAt(step),
        };
        return definition.Kind switch
        {
            StepKind.Task => row with
            {
                Attempts = AwaitsRetry(step) || IsNew(step) ? step.Attempt : step.Attempt + 1,
                MaxAttempts = definition.Retry.MaxRetries + 1,
                TimeoutMs = definition.TimeoutMs,
                NextRetryAt = AwaitsRetry(step) ? step.Due : null,
                ResultJson = step.Result,
                Error = step.Status is StepStatus.Leased ? null : step.Error,
            },
            StepKind.Map => row with { Attempts = 1, ResultJson = step.Result, Error = step.Error },
            StepKind.Sleep => row with { WakeAt = step.Due, Error = step.Error },
            StepKind.WaitForEvent => row with
            {
                // Attempt 1 marks a wait that was served at once: it never had a deadline that a client saw.
                Attempts = step.Attempt,
                TimeoutMs = definition.TimeoutMs,
                WakeAt = step.Attempt == 0 ? step.Due : null,
                WaitEventType = definition.EventType,
                ResultJson = step.Result,
                Error = step.Error,
            },
        };
    }

    private static string TypeOf(StepKind kind) => kind switch
    {
        StepKind.Task or StepKind.Map => "do",
        StepKind.Sleep => "sleep",
        StepKind.WaitForEvent => "waitForEvent",
    };

    private static string StatusOf(StepKind kind, StepState step) => step.Status switch
    {
        StepStatus.Pending => Waiting,

        // Not begun: it waits for a worker. Begun and ready again: either its retry is to come, or it was handed back or lost, which is still the same attempt.
        StepStatus.Ready => kind is StepKind.Task && !AwaitsRetry(step) && !IsNew(step) ? Running : Waiting,
        StepStatus.Leased => Running,
        StepStatus.Waiting => kind is StepKind.Map ? Running : Waiting,
        StepStatus.Succeeded => Completed,
        StepStatus.Skipped => Completed,
        StepStatus.Failed => Errored,

        // Not in this dialect's lists: the step has neither begun nor may it.
        StepStatus.NotRun => Waiting,

        // Cut off by a terminate or restart: nothing will happen to it any more.
        StepStatus.Cancelled => Errored,
    };

    /// <summary>
    /// A failed attempt, or one that was put off, and the next one not granted yet. The last grant lies before the report that queued it anew.
    /// </summary>
    private static bool AwaitsRetry(StepState step) =>
        step is { Status: StepStatus.Ready, BegunAt: not null } && !(step.GrantedAt > step.QueuedAt) && (step is { Attempt: > 0, Error: not null } || step.Due > step.QueuedAt);

    private static bool IsNew(StepState step) => step is { Status: StepStatus.Ready, BegunAt: null };

    private static DateTimeOffset UpdatedAt(StepState step)
    {
        var at = step.BegunAt ?? step.QueuedAt;
        if (step.QueuedAt > at) at = step.QueuedAt;
        if (step.GrantedAt > at) at = step.GrantedAt.Value;
        return step.EndedAt > at ? step.EndedAt.Value : at;
    }
}
