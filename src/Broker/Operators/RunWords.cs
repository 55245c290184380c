using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Operators;

/// <summary>Words of runs and steps: part of the API, whatever the types are called.</summary>
internal static class RunWords
{
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

    /// <summary>The first characters of a text; a surrogate pair stays whole.</summary>
    public static string Cut(string text, int most) =>
        text.Length <= most ? text : $"{text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)]}…";
}
