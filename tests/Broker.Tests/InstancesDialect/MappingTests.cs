using System.Text.Json;
using Broker.Api.InstancesDialect;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>Status words and step rows: instances contract 4 and 13.</summary>
public sealed class MappingTests
{
    private static readonly DateTimeOffset Noon = new(2026, 2, 3, 12, 0, 0, TimeSpan.Zero);

    private static readonly WorkflowDefinition Definition = DefinitionReader.Read(JsonElement.Parse("""
        {"workflow_id":"w","steps":{
          "work":{"retries":{"limit":2,"delay_ms":1000},"timeout_ms":5000},
          "once":{},
          "nap":{"kind":"sleep","duration_ms":60000},
          "wait":{"kind":"waitForEvent","event":"go","timeout_ms":9000}}}
        """)).Definition!;

    [Theory]
    [InlineData(RunStatus.Queued, "queued")]
    [InlineData(RunStatus.Running, "running")]
    [InlineData(RunStatus.Waiting, "waiting")]
    [InlineData(RunStatus.Pausing, "waitingForPause")]
    [InlineData(RunStatus.Paused, "paused")]
    [InlineData(RunStatus.Succeeded, "complete")]
    [InlineData(RunStatus.Failed, "errored")]
    [InlineData(RunStatus.Cancelled, "terminated")]
    public void Every_status_has_its_word_and_every_word_its_status(RunStatus status, string word)
    {
        Assert.Equal(word, InstancesStatuses.WordOf(status));
        Assert.Equal([status], InstancesStatuses.Find(word, flat: false)!);
    }

    [Fact]
    public void Every_status_is_in_the_table() =>
        Assert.Equal(Enum.GetValues<RunStatus>().Length, Enum.GetValues<RunStatus>().Select(s => InstancesStatuses.WordOf(s)).Distinct().Count());

    [Fact]
    public void The_word_unknown_finds_no_status()
    {
        Assert.Empty(InstancesStatuses.Find("unknown", flat: false)!);
        Assert.Null(InstancesStatuses.Find("Queued", flat: false));
        Assert.Null(InstancesStatuses.Find("", flat: true));
    }

    // Instances contract 12: on flat paths only.
    [Fact]
    public void Active_stands_for_three_words_on_flat_paths()
    {
        Assert.Null(InstancesStatuses.Find("active", flat: false));
        Assert.Equal([RunStatus.Queued, RunStatus.Running, RunStatus.Pausing], InstancesStatuses.Find("active", flat: true)!.Order());
        Assert.Equal("active", InstancesStatuses.WordOf(RunStatus.Pausing, asActive: true));
        Assert.Equal("waiting", InstancesStatuses.WordOf(RunStatus.Waiting, asActive: true));
    }

    [Fact]
    public void A_step_in_its_first_attempt_is_running_with_one_attempt()
    {
        var row = Row(Claimed("work"));

        Assert.Equal(("do", "running", 1, 3, 5000L), (row.Type, row.Status, row.Attempts, row.MaxAttempts, row.TimeoutMs));
        Assert.Null(row.NextRetryAt);
        Assert.Null(row.WakeAt);
        Assert.Null(row.WaitEventType);
        Assert.Equal(Noon, row.CreatedAt);
    }

    [Fact]
    public void A_step_without_retries_has_one_attempt_at_most()
    {
        var row = Row(Claimed("once"));

        Assert.Equal(1, row.MaxAttempts);
        Assert.Null(row.TimeoutMs);
    }

    [Fact]
    public void A_failed_attempt_waits_for_its_retry_with_the_error()
    {
        var row = Row(Failed(Claimed("work")));

        Assert.Equal(("waiting", 1), (row.Status, row.Attempts));
        Assert.Equal(Noon.AddSeconds(3), row.NextRetryAt);
        Assert.Equal(new StepError("Oops", "no"), row.Error);
        Assert.Equal(Noon.AddSeconds(2), row.UpdatedAt);
    }

    [Fact]
    public void A_step_that_was_put_off_waits_for_its_delay()
    {
        var report = new StepReport(ReportOutcome.Postponed) { DelayMs = 60_000 };
        var claimed = Claimed("work");
        var row = Row(StepMachine.Report(claimed, claimed.Fence!.Value, report, Definition.Steps[claimed.Index], Noon.AddSeconds(2)).Next);

        Assert.Equal(("waiting", 0), (row.Status, row.Attempts));
        Assert.Equal(Noon.AddSeconds(62), row.NextRetryAt);
        Assert.Null(row.Error);
    }

    [Fact]
    public void The_second_attempt_counts_two()
    {
        var row = Row(StepMachine.Claim(Failed(Claimed("work")), "v", 8, 60, Noon.AddSeconds(4)));

        Assert.Equal(("running", 2), (row.Status, row.Attempts));
        Assert.Null(row.NextRetryAt);
        Assert.Null(row.Error);
    }

    // Instances contract 13: an expired lease that is handed out again does not count as an attempt.
    [Fact]
    public void A_lost_lease_is_still_the_same_attempt()
    {
        var lost = StepMachine.Expire(Claimed("work"), 7, Definition, Noon.AddMinutes(5)).Next;

        Assert.Equal(StepStatus.Ready, lost.Status);
        Assert.Equal(("running", 1), (Row(lost).Status, Row(lost).Attempts));

        var retried = StepMachine.Claim(Failed(Claimed("work")), "v", 8, 60, Noon.AddSeconds(4));
        var lostAgain = StepMachine.Expire(retried, 8, Definition, Noon.AddMinutes(5)).Next;
        Assert.Equal(("running", 2), (Row(lostAgain).Status, Row(lostAgain).Attempts));
    }

    [Fact]
    public void A_step_that_ends_shows_its_result_or_its_error()
    {
        var done = Row(StepMachine.Report(Claimed("work"), 7, new(ReportOutcome.Succeeded) { ResultJson = "1.0" }, Of("work"), Noon.AddSeconds(2)).Next);
        var skipped = Row(StepMachine.Report(Claimed("work"), 7, new(ReportOutcome.Skipped), Of("work"), Noon.AddSeconds(2)).Next);
        var failed = Row(Failed(Claimed("once")));

        Assert.Equal(("completed", "1.0"), (done.Status, done.ResultJson));
        Assert.Equal("completed", skipped.Status);
        Assert.Equal(("errored", 1, "Oops"), (failed.Status, failed.Attempts, failed.Error!.Name));
        Assert.Null(failed.NextRetryAt);
    }

    [Fact]
    public void A_step_that_was_cut_off_is_errored() => Assert.Equal("errored", Row(StepMachine.Cancel(Claimed("work"), Noon.AddSeconds(1))).Status);

    [Fact]
    public void A_sleep_shows_when_it_ends_and_counts_no_attempt()
    {
        var asleep = Waiting("nap", Noon.AddMinutes(1));
        var over = StepMachine.Finish(asleep, null, Noon.AddMinutes(1));

        Assert.Equal(("sleep", "waiting", 0, 1), (Row(asleep).Type, Row(asleep).Status, Row(asleep).Attempts, Row(asleep).MaxAttempts));
        Assert.Equal(Noon.AddMinutes(1), Row(asleep).WakeAt);
        Assert.Null(Row(asleep).TimeoutMs);
        Assert.Equal("completed", Row(over).Status);
        Assert.Null(Row(over).ResultJson);
    }

    [Fact]
    public void A_wait_shows_its_deadline_and_its_event()
    {
        var row = Row(Waiting("wait", Noon.AddSeconds(9)));

        Assert.Equal(("waitForEvent", "waiting", 0, 1, 9000L, "go"), (row.Type, row.Status, row.Attempts, row.MaxAttempts, row.TimeoutMs, row.WaitEventType));
        Assert.Equal(Noon.AddSeconds(9), row.WakeAt);
    }

    [Fact]
    public void A_wait_that_was_served_after_waiting_keeps_its_deadline_and_counts_no_attempt()
    {
        var row = Row(StepMachine.Finish(Waiting("wait", Noon.AddSeconds(9)), "{}", Noon.AddSeconds(1)));

        Assert.Equal(("completed", 0, "{}"), (row.Status, row.Attempts, row.ResultJson));
        Assert.Equal(Noon.AddSeconds(9), row.WakeAt);
    }

    [Fact]
    public void A_wait_that_was_served_at_once_counts_one_attempt_and_has_no_deadline()
    {
        var row = Row(StepMachine.Finish(Waiting("wait", Noon.AddSeconds(9)) with { Attempt = 1 }, "{}", Noon));

        Assert.Equal(("completed", 1, 9000L), (row.Status, row.Attempts, row.TimeoutMs));
        Assert.Null(row.WakeAt);
    }

    [Fact]
    public void A_wait_that_timed_out_is_errored()
    {
        var row = Row(StepMachine.Fail(Waiting("wait", Noon.AddSeconds(9)), new("WaitForEventTimeoutError", "WAIT_FOR_EVENT_TIMEOUT"), Noon.AddSeconds(9)));

        Assert.Equal(("errored", "WAIT_FOR_EVENT_TIMEOUT"), (row.Status, row.Error!.Message));
    }

    [Fact]
    public void A_step_that_waits_for_a_worker_is_waiting_with_no_attempt()
    {
        var row = Row(new StepState { Index = Of("work").Index, Status = StepStatus.Ready, QueuedAt = Noon });

        Assert.Equal(("do", "waiting", 0, 3), (row.Type, row.Status, row.Attempts, row.MaxAttempts));
        Assert.Null(row.NextRetryAt);
        Assert.Equal((Noon, Noon), (row.CreatedAt, row.UpdatedAt));
    }

    [Fact]
    public void The_current_step_is_the_one_that_was_created_last()
    {
        var first = Claimed("work");
        var later = Claimed("once") with { BegunAt = Noon.AddSeconds(1) };
        var sameInstant = Claimed("nap") with { BegunAt = Noon.AddSeconds(1) };
        var queued = new StepState { Index = 3, Status = StepStatus.Ready, QueuedAt = Noon.AddSeconds(9) };
        var notReached = queued with { Status = StepStatus.Pending };

        Assert.Null(InstanceStepViews.Latest([notReached]));
        Assert.Equal(queued, InstanceStepViews.Latest([later, queued, first]));
        Assert.Equal(later, InstanceStepViews.Latest([later, queued with { QueuedAt = Noon }, first, notReached]));
        Assert.Equal(sameInstant, InstanceStepViews.Latest([sameInstant, later, first]));
    }

    private static StepDefinition Of(string name) => Definition.Find(name)!;

    private static StepState Claimed(string name) =>
        StepMachine.Claim(new StepState { Index = Of(name).Index, Status = StepStatus.Ready, QueuedAt = Noon.AddSeconds(-1), Due = Noon.AddSeconds(-1) }, "v", 7, 60, Noon);

    private static StepState Failed(StepState step) => StepMachine.Report(
        step, 7, new(ReportOutcome.Failed) { Error = new("Oops", "no"), Retryable = true }, Definition.Steps[step.Index], Noon.AddSeconds(2)).Next;

    private static StepState Waiting(string name, DateTimeOffset due) =>
        new() { Index = Of(name).Index, Status = StepStatus.Waiting, QueuedAt = Noon, BegunAt = Noon, Due = due };

    private static InstanceStepView Row(StepState step) => InstanceStepViews.Of(Definition.Steps[step.Index], step);
}
