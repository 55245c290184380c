using Broker.Core.Definitions;
using Broker.Core.Explanations;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Explanations;

/// <summary>A table: a run as it is stored, and why its step is not running.</summary>
public sealed class ExplanationTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Silent = TimeSpan.FromSeconds(60);

    // Indexes follow the order of the document.
    private const string Steps = """
        "a":{"successors":{"default":["c"],"other":["d"]}},
        "b":{"successors":{"default":["c"]}},
        "c":{"successors":{"default":["e"]}},
        "d":{"successors":{"default":["e"]}},
        "e":{"or_groups":{"g":["c","d"]}},
        "nap":{"kind":"sleep","duration_ms":60000},
        "mail":{"kind":"waitForEvent","event":"go","timeout_ms":60000},
        "gpu":{"command":"true","required_labels":["gpu","linux"]}
        """;

    private static readonly WorkflowDefinition Definition = Doc.Steps(Steps);

    private static StepState At(string step, StepStatus status, DateTimeOffset? due = null, int attempt = 0) => new()
    {
        Index = Definition.Find(step)!.Index,
        Status = status,
        Due = due ?? Noon.AddMinutes(-1),
        BegunAt = Noon.AddMinutes(-1),
        GrantedAt = status is StepStatus.Leased ? Noon.AddSeconds(-30) : null,
        ExpiresAt = status is StepStatus.Leased ? due ?? Noon.AddSeconds(30) : null,
        Worker = status is StepStatus.Leased ? "w-1" : null,
        Attempt = attempt,
        EndedAt = status >= StepStatus.Succeeded ? Noon : null,
        Error = status is StepStatus.Failed || attempt > 0 ? new("Error", "exit code 1") : null,
    };

    private static List<Cause> Explain(string step, RunStatus status, StepFacts facts, params StepState[] reached)
    {
        var run = new RunView
        {
            Ref = new(1, "d", "i", 0),
            Definition = Definition,
            Status = status,
            CreatedAt = Noon,
            QueuedAt = Noon,
            UpdatedAt = Noon,
            EndedAt = status >= RunStatus.Succeeded ? Noon : null,
            InputsJson = "{}",
            Steps = reached,
        };
        return [.. Explanation.Of(run, Definition.Find(step)!, facts, Silent)];
    }

    private static StepFacts Attended => new(Noon, Noon.AddSeconds(-5), 0);

    private static string Kinds(IEnumerable<Cause> causes) => string.Join(' ', causes.Select(c => c.Kind));

    public static TheoryData<string, string, RunStatus, StepStatus, string> ByState => new()
    {
        { "leased", "a", RunStatus.Running, StepStatus.Leased, "Leased" },
        { "succeeded", "a", RunStatus.Running, StepStatus.Succeeded, "Succeeded" },
        { "skipped", "a", RunStatus.Running, StepStatus.Skipped, "Skipped" },
        { "failed", "a", RunStatus.Running, StepStatus.Failed, "Failed" },
        { "cancelled with its run", "a", RunStatus.Cancelled, StepStatus.Cancelled, "Cancelled" },
        { "ready", "a", RunStatus.Queued, StepStatus.Ready, "Claimable" },
        { "ready in a paused run", "a", RunStatus.Paused, StepStatus.Ready, "RunPaused" },
        { "ready in a pausing run", "a", RunStatus.Pausing, StepStatus.Ready, "RunPaused" },
        { "done in a paused run", "a", RunStatus.Paused, StepStatus.Succeeded, "Succeeded" },
        { "asleep", "nap", RunStatus.Waiting, StepStatus.Waiting, "Sleeping" },
        { "waiting for an event", "mail", RunStatus.Waiting, StepStatus.Waiting, "WaitingForEvent" },
        { "waiting in a paused run", "mail", RunStatus.Paused, StepStatus.Waiting, "RunPaused WaitingForEvent" },
        { "done in an ended run", "a", RunStatus.Succeeded, StepStatus.Succeeded, "Succeeded" },
    };

    [Theory]
    [MemberData(nameof(ByState))]
    public void A_reached_step_says_where_it_is(string what, string step, RunStatus status, StepStatus state, string expected) =>
        Assert.Equal((what, expected), (what, Kinds(Explain(step, status, Attended, At(step, state)))));

    [Fact]
    public void An_unreached_step_names_each_predecessor_that_it_waits_for()
    {
        var causes = Explain("c", RunStatus.Running, Attended, At("a", StepStatus.Leased), At("b", StepStatus.Ready));
        Assert.Equal([(CauseKind.WaitingForStep, "a", StepStatus.Leased), (CauseKind.WaitingForStep, "b", StepStatus.Ready)],
            causes.Select(c => (c.Kind, c.Step, c.State!.Value)));
        Assert.Contains("a (leased)", causes[0].Message, StringComparison.Ordinal);

        var one = Assert.Single(Explain("c", RunStatus.Running, Attended, At("a", StepStatus.Succeeded), At("b", StepStatus.Leased)));
        Assert.Equal("b", one.Step);
    }

    [Fact]
    public void An_any_of_join_waits_for_one_until_none_can_finish()
    {
        var waiting = Assert.Single(Explain("e", RunStatus.Running, Attended, At("a", StepStatus.Leased), At("b", StepStatus.Ready)));
        Assert.Equal((CauseKind.WaitingForAnyOf, "c d"), (waiting.Kind, string.Join(' ', waiting.AnyOf!)));

        var lost = Assert.Single(Explain("e", RunStatus.Running, Attended, At("a", StepStatus.Failed), At("b", StepStatus.Ready)));
        Assert.Equal(CauseKind.Unreachable, lost.Kind);
    }

    [Fact]
    public void A_step_that_can_never_start_names_the_step_that_failed()
    {
        var cause = Assert.Single(Explain("c", RunStatus.Running, Attended, At("a", StepStatus.Failed), At("b", StepStatus.Succeeded)));
        Assert.Equal((CauseKind.Unreachable, "a", "exit code 1"), (cause.Kind, cause.Step, cause.Error!.Message));
    }

    [Fact]
    public void A_branch_that_was_not_taken_says_so()
    {
        var cause = Assert.Single(Explain("d", RunStatus.Running, Attended, At("a", StepStatus.Succeeded), At("b", StepStatus.Leased)));
        Assert.Equal((CauseKind.BranchNotTaken, "a"), (cause.Kind, cause.Step));
    }

    [Fact]
    public void An_ended_run_comes_first()
    {
        var causes = Explain("e", RunStatus.Failed, Attended, At("a", StepStatus.Failed), At("b", StepStatus.Succeeded));
        Assert.Equal("RunEnded Unreachable", Kinds(causes));
        Assert.Equal(RunStatus.Failed, causes[0].Run);
        Assert.Equal("RunEnded BranchNotTaken", Kinds(Explain("d", RunStatus.Succeeded, Attended, At("a", StepStatus.Succeeded), At("b", StepStatus.Succeeded))));
    }

    [Fact]
    public void A_retry_shows_when_it_may_start_and_the_last_error()
    {
        var cause = Assert.Single(Explain("a", RunStatus.Waiting, Attended, At("a", StepStatus.Ready, Noon.AddMinutes(1), attempt: 2)));
        Assert.Equal((CauseKind.Delayed, Noon.AddMinutes(1), 2, "exit code 1"), (cause.Kind, cause.Until!.Value, cause.Attempt!.Value, cause.Error!.Message));
    }

    [Fact]
    public void A_lease_shows_its_worker_its_end_and_whether_it_has_expired()
    {
        var live = Assert.Single(Explain("a", RunStatus.Running, Attended, At("a", StepStatus.Leased)));
        Assert.Equal(("w-1", Noon.AddSeconds(30), Noon.AddSeconds(-30)), (live.Worker, live.Until!.Value, live.Since!.Value));
        var lost = Assert.Single(Explain("a", RunStatus.Running, Attended, At("a", StepStatus.Leased, Noon)));
        Assert.Equal(CauseKind.LeaseExpired, lost.Kind);
    }

    [Fact]
    public void A_step_without_a_worker_shows_its_labels_and_the_last_sign_of_life()
    {
        var never = Assert.Single(Explain("gpu", RunStatus.Queued, new(Noon, null, 3), At("gpu", StepStatus.Ready)));
        Assert.Equal((CauseKind.NoWorker, null), (never.Kind, never.Since));
        Assert.Equal("No worker with the labels gpu, linux has ever been seen.", never.Message);

        var silent = Assert.Single(Explain("gpu", RunStatus.Queued, new(Noon, Noon - Silent - TimeSpan.FromSeconds(1), 3), At("gpu", StepStatus.Ready)));
        Assert.Equal((CauseKind.NoWorker, Noon.AddSeconds(-61)), (silent.Kind, silent.Since!.Value));
        Assert.Equal(["gpu", "linux"], silent.Labels!);

        var own = Assert.Single(Explain("a", RunStatus.Queued, new(Noon, null, 0), At("a", StepStatus.Ready)));
        Assert.Equal("No worker registered for this workflow has ever been seen.", own.Message);
    }

    [Fact]
    public void A_line_before_it_is_counted()
    {
        var cause = Assert.Single(Explain("a", RunStatus.Queued, new(Noon, Noon, 12), At("a", StepStatus.Ready)));
        Assert.Equal((CauseKind.QueuedBehind, 12), (cause.Kind, cause.Ahead!.Value));
    }

    [Fact]
    public void The_explanation_lists_every_cause()
    {
        var causes = Explain("gpu", RunStatus.Paused, new(Noon, null, 0), At("gpu", StepStatus.Ready, Noon.AddMinutes(5), attempt: 1) with { Paused = true });
        Assert.Equal("RunPaused Delayed NoWorker", Kinds(causes));
    }
}
