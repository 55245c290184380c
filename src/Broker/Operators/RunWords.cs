using Broker.Core.Definitions;
using Broker.Core.Explanations;
using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;

namespace Broker.Operators;

/// <summary>Words of runs, steps and causes: part of the API, whatever the types are called.</summary>
internal static class RunWords
{
    /// <summary>Every word of a step's status.</summary>
    public static readonly IReadOnlyList<string> StepStatuses =
        ["pending", "ready", "leased", "waiting", "succeeded", "skipped", "failed", "cancelled", "not_run", "unreachable", "not_taken"];

    /// <summary>Every word of an item's status.</summary>
    public static readonly IReadOnlyList<string> ItemStatuses = ["ready", "leased", "succeeded", "skipped", "failed", "cancelled"];

    /// <summary>The status of one of <see cref="ItemStatuses"/>.</summary>
    public static StepStatus ItemStatusOf(string word) => Enum.GetValues<StepStatus>().Single(status => Of(status) == word);

    public static string Of(RunStatus status) => status switch
    {
        RunStatus.Queued => "queued",
        RunStatus.Running => "running",
        RunStatus.Waiting => "waiting",
        RunStatus.Pausing => "pausing",
        RunStatus.Paused => "paused",
        RunStatus.Succeeded => "succeeded",
        RunStatus.Failed => "failed",
        RunStatus.Cancelled => "cancelled",
    };

    public static string Of(StepStatus status) => status switch
    {
        StepStatus.Pending => "pending",
        StepStatus.Ready => "ready",
        StepStatus.Leased => "leased",
        StepStatus.Waiting => "waiting",
        StepStatus.Succeeded => "succeeded",
        StepStatus.Skipped => "skipped",
        StepStatus.Failed => "failed",
        StepStatus.Cancelled => "cancelled",
        StepStatus.NotRun => "not_run",
    };

    /// <summary>A step as it is shown: one that was never reached has its fate in place of a status.</summary>
    public static string Of(BoardStep step) => step.Fate switch
    {
        Fate.Reached => Of(step.State!.Status),
        Fate.Open => Of(StepStatus.Pending),
        Fate.Dead => "unreachable",
        Fate.NotTaken => "not_taken",
    };

    public static string Of(StepKind kind) => kind switch
    {
        StepKind.Task => "task",
        StepKind.WaitForEvent => "wait_for_event",
        StepKind.Sleep => "sleep",
        StepKind.Map => "map",
    };

    public static string Of(AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Failed => "failed",
        AttemptOutcome.TimedOut => "timed_out",
        AttemptOutcome.LeaseLost => "lease_lost",
        AttemptOutcome.Cancelled => "cancelled",
        AttemptOutcome.Postponed => "postponed",
    };

    public static string Of(CauseKind kind) => kind switch
    {
        CauseKind.Leased => "leased",
        CauseKind.LeaseExpired => "lease_expired",
        CauseKind.Succeeded => "succeeded",
        CauseKind.Skipped => "skipped",
        CauseKind.ConditionNotMet => "condition_not_met",
        CauseKind.Failed => "failed",
        CauseKind.Cancelled => "cancelled",
        CauseKind.RunEnded => "run_ended",
        CauseKind.RunPaused => "run_paused",
        CauseKind.WaitingForStep => "waiting_for_step",
        CauseKind.WaitingForAnyOf => "waiting_for_any_of",
        CauseKind.Unreachable => "unreachable",
        CauseKind.BranchNotTaken => "branch_not_taken",
        CauseKind.WaitingForEvent => "waiting_for_event",
        CauseKind.Sleeping => "sleeping",
        CauseKind.WaitingForItems => "waiting_for_items",
        CauseKind.Delayed => "delayed",
        CauseKind.Maintenance => "maintenance",
        CauseKind.NoWorker => "no_worker",
        CauseKind.QueuedBehind => "queued_behind",
        CauseKind.Claimable => "claimable",
    };

    /// <summary>Every word of an outcome of an action on many runs.</summary>
    public static readonly IReadOnlyList<string> BulkOutcomes = ["pending", "done", "failed", "skipped"];

    public static string Of(BulkOutcome outcome) => outcome switch
    {
        BulkOutcome.Pending => "pending",
        BulkOutcome.Done => "done",
        BulkOutcome.Failed => "failed",
        BulkOutcome.Skipped => "skipped",
    };

    /// <summary>The outcome of one of <see cref="BulkOutcomes"/>.</summary>
    public static BulkOutcome OutcomeOf(string word) => Enum.GetValues<BulkOutcome>().Single(outcome => Of(outcome) == word);

    /// <summary>The first characters of a text; a surrogate pair stays whole.</summary>
    public static string Cut(string text, int most) =>
        text.Length <= most ? text : $"{text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)]}…";
}
