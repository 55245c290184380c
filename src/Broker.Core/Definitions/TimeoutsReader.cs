using System.Text.Json;
using Broker.Core.Json;
using Broker.Core.Steps;

namespace Broker.Core.Definitions;

/// <summary>
/// Reader of <c>timeouts</c>: <c>{"queue_ms", "attempt_ms", "total_ms"}</c> of a task, <c>{"run_ms"}</c> of a workflow. <c>timeout_ms</c> of a task is
/// its <c>attempt_ms</c>. A timeout among the policies is none of these: the worker enforces it.
/// </summary>
internal static class TimeoutsReader
{
    /// <param name="step">The step.</param>
    /// <param name="path">Its place.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="attempt">Its <c>timeout_ms</c>, if it is a task.</param>
    /// <param name="problems">Takes faults.</param>
    public static StepTimeouts Read(JsonElement step, string path, StepKind kind, long? attempt, ProblemList problems)
    {
        if (problems.Object(step, "timeouts", path) is not { } given) return attempt is null ? StepTimeouts.None : new(AttemptMs: attempt);
        var at = ProblemList.Join(path, "timeouts");
        if (kind is not StepKind.Task) problems.Add(at, "is for tasks; a wait has timeout_ms, a sleep duration_ms");
        RefuseOthers(given, at, problems, "queue_ms", "attempt_ms", "total_ms");
        var timeouts = new StepTimeouts(Limit(given, "queue_ms", at, problems), Limit(given, "attempt_ms", at, problems), Limit(given, "total_ms", at, problems));
        if (attempt is null) return timeouts;
        if (timeouts.AttemptMs is not null) problems.Add($"{at}.attempt_ms", "is the same as timeout_ms: give one of them");
        return timeouts with { AttemptMs = attempt };
    }

    /// <summary>Limit of a run in milliseconds.</summary>
    public static long? RunMs(JsonElement document, ProblemList problems)
    {
        if (problems.Object(document, "timeouts", "") is not { } given) return null;
        RefuseOthers(given, "timeouts", problems, "run_ms");
        return Limit(given, "run_ms", "timeouts", problems);
    }

    private static long? Limit(JsonElement owner, string member, string path, ProblemList problems) => problems.Integer(owner, member, path, 1, RetryPolicy.LongestMs);

    private static void RefuseOthers(JsonElement given, string path, ProblemList problems, params string[] known)
    {
        foreach (var member in given.EnumerateObject())
        {
            var name = JsonText.NameOf(member);
            if (!known.Contains(name)) problems.Add($"{path}.{name}", $"is not known; expected {string.Join(", ", known)}");
        }
    }
}
