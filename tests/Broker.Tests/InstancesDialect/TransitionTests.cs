using System.Text.Json;
using Broker.Api.InstancesDialect;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>The tables of instances contract 7, cell by cell: the engine's rules seen through the dialect's words.</summary>
public sealed class TransitionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 2, 3, 12, 0, 0, TimeSpan.Zero);

    private static readonly WorkflowDefinition Definition = DefinitionReader.Read(JsonElement.Parse("""
        {"workflow_id":"w","steps":{
          "work":{"retries":{"limit":1,"delay_ms":60000},"successors":{"default":["wait"]}},
          "wait":{"kind":"waitForEvent","event":"go","timeout_ms":60000,"predecessors":["work"],"successors":{"default":["last"]}},
          "last":{"predecessors":["wait"]}}}
        """)).Definition!;

    [Theory]
    [InlineData("queued", ControlVerdict.Done, "paused")]
    [InlineData("waiting", ControlVerdict.Done, "paused")]
    [InlineData("retrying", ControlVerdict.Done, "paused")]
    [InlineData("running", ControlVerdict.Done, "waitingForPause")]
    [InlineData("paused", ControlVerdict.NoChange, "paused")]
    [InlineData("waitingForPause", ControlVerdict.NoChange, "waitingForPause")]
    [InlineData("complete", ControlVerdict.Terminal, "complete")]
    [InlineData("errored", ControlVerdict.Terminal, "errored")]
    [InlineData("terminated", ControlVerdict.Terminal, "terminated")]
    public void Pause(string from, ControlVerdict verdict, string to) => Check(from, run => run.Pause(Noon), verdict, to);

    [Theory]
    [InlineData("queued", ControlVerdict.NoChange, "queued")]
    [InlineData("waiting", ControlVerdict.NoChange, "waiting")]
    [InlineData("running", ControlVerdict.NoChange, "running")]
    [InlineData("paused", ControlVerdict.Done, "queued")]
    [InlineData("waitingForPause", ControlVerdict.NoChange, "waitingForPause")]
    [InlineData("complete", ControlVerdict.Terminal, "complete")]
    [InlineData("errored", ControlVerdict.Terminal, "errored")]
    [InlineData("terminated", ControlVerdict.Terminal, "terminated")]
    public void Resume(string from, ControlVerdict verdict, string to) => Check(from, run => run.Resume(Noon), verdict, to);

    [Theory]
    [InlineData("queued", ControlVerdict.Done, "terminated")]
    [InlineData("waiting", ControlVerdict.Done, "terminated")]
    [InlineData("running", ControlVerdict.Done, "terminated")]
    [InlineData("paused", ControlVerdict.Done, "terminated")]
    [InlineData("waitingForPause", ControlVerdict.Done, "terminated")]
    [InlineData("complete", ControlVerdict.Terminal, "complete")]
    [InlineData("errored", ControlVerdict.Terminal, "errored")]
    [InlineData("terminated", ControlVerdict.Terminal, "terminated")]
    public void Terminate(string from, ControlVerdict verdict, string to) => Check(from, run => run.Cancel(Noon), verdict, to);

    [Theory]
    [InlineData("queued", SendVerdict.Kept, "queued")]
    [InlineData("waiting", SendVerdict.Delivered, "running")]
    [InlineData("running", SendVerdict.Kept, "running")]
    [InlineData("paused", SendVerdict.Kept, "paused")]
    [InlineData("waitingForPause", SendVerdict.Kept, "waitingForPause")]
    [InlineData("complete", SendVerdict.RunTerminal, "complete")]
    [InlineData("errored", SendVerdict.RunTerminal, "errored")]
    [InlineData("terminated", SendVerdict.RunTerminal, "terminated")]
    public void An_event_has_the_contract_s_verdict_and_status_in_each_state(string from, SendVerdict verdict, string to)
    {
        var run = In(from);

        Assert.Equal(verdict, run.Deliver(Event(1), Delivery.First, Noon));
        Assert.Equal(to, Word(run));
    }

    [Fact]
    public void Queued_becomes_running_with_the_first_claim() => Assert.Equal("running", Word(In("running")));

    [Fact]
    public void A_retry_delay_makes_it_waiting_and_its_end_running()
    {
        var run = In("retrying");

        Assert.Equal("waiting", Word(run));
        Assert.Equal("running", Word(run, Noon.AddMinutes(1)));
    }

    [Fact]
    public void The_end_of_the_workflow_makes_it_complete() => Assert.Equal("complete", Word(In("complete")));

    [Fact]
    public void A_wait_that_times_out_makes_it_errored()
    {
        var run = In("waiting");

        Assert.True(run.FinishDue(1, Noon.AddMinutes(1)));
        Assert.Equal("errored", Word(run));
        Assert.Equal(new StepError("WaitForEventTimeoutError", "WAIT_FOR_EVENT_TIMEOUT") { Step = "wait" }, run.Run.Error);
    }

    [Theory]
    [InlineData(ReportOutcome.Succeeded, true, "paused")]
    [InlineData(ReportOutcome.Failed, true, "paused")]
    [InlineData(ReportOutcome.Failed, false, "errored")]
    public void A_pause_comes_to_its_end_with_the_running_step(ReportOutcome outcome, bool retryable, string to)
    {
        var run = In("waitingForPause");

        Report(run, 0, outcome, retryable);

        Assert.Equal(to, Word(run));
    }

    [Fact]
    public void A_pause_during_the_last_step_is_kept_and_the_run_completes_on_resume()
    {
        var run = In("last running");
        run.Pause(Noon);

        Report(run, 2, ReportOutcome.Succeeded, true);
        Assert.Equal("paused", Word(run));

        run.Resume(Noon);
        Assert.Equal("complete", Word(run));
    }

    // "Pause does not stop clocks": a kept event comes before a deadline that has passed meanwhile.
    [Fact]
    public void On_resume_a_kept_event_beats_a_passed_deadline()
    {
        var run = In("waiting");
        run.Pause(Noon);
        Assert.False(run.FinishDue(1, Noon.AddHours(1)));
        run.Deliver(Event(1), Delivery.First, Noon.AddHours(1));

        run.Resume(Noon.AddHours(2));

        Assert.Equal(StepStatus.Succeeded, run.Find(1)!.Status);
    }

    [Fact]
    public void On_resume_a_passed_deadline_without_an_event_times_out()
    {
        var run = In("waiting");
        run.Pause(Noon);

        run.Resume(Noon.AddHours(2));

        Assert.Equal("errored", Word(run));
    }

    [Fact]
    public void A_result_after_terminate_changes_nothing()
    {
        var run = In("running");
        run.Cancel(Noon);

        Assert.Equal(ReportVerdict.StepCancelled, Report(run, 0, ReportOutcome.Succeeded, true));
        Assert.Equal("terminated", Word(run));
        Assert.Null(run.Find(0)!.Result);
    }

    // Instances contract 8: an event may arrive long before its wait begins.
    [Fact]
    public void A_wait_with_a_kept_event_is_never_seen_waiting()
    {
        var run = In("running");
        run.Deliver(Event(1), Delivery.First, Noon);

        Report(run, 0, ReportOutcome.Succeeded, true);

        var row = InstanceStepViews.Of(Definition.Steps[1], run.Find(1)!);
        Assert.Equal(("completed", 1), (row.Status, row.Attempts));
        Assert.Null(row.WakeAt);
        Assert.Equal("""{"type":"go","payload":{"n":1.0},"timestamp":"2026-02-03T12:00:00.000Z"}""", row.ResultJson);
    }

    private static void Check(string from, Func<RunSession, ControlVerdict> command, ControlVerdict verdict, string to)
    {
        var run = In(from);

        Assert.Equal(verdict, command(run));
        Assert.Equal(to, Word(run));
    }

    private static RunSession In(string state)
    {
        var run = RunSession.Start(new RunState { Id = 1, Definition = Definition, CreatedAt = Noon, UpdatedAt = Noon }, Noon);
        if (state == "queued") return run;
        if (state == "paused")
        {
            run.Pause(Noon);
            return run;
        }

        run = Claimed(run, 0);
        if (state == "running") return run;
        if (state == "waitingForPause")
        {
            run.Pause(Noon);
            return run;
        }

        if (state == "terminated") run.Cancel(Noon);
        else Report(run, 0, state is "retrying" or "errored" ? ReportOutcome.Failed : ReportOutcome.Succeeded, state != "errored");
        if (state is "complete" or "last running")
        {
            run.Deliver(Event(9), Delivery.First, Noon);
            run = Claimed(run, 2);
            if (state == "complete") Report(run, 2, ReportOutcome.Succeeded, true);
        }

        return run;
    }

    // Changes the row as the store's claim statement does.
    private static RunSession Claimed(RunSession run, int index) => new(
        run.Run with { StartedAt = run.Run.StartedAt ?? Noon },
        Enumerable.Range(0, Definition.Steps.Length)
            .Select(run.Find)
            .OfType<StepState>()
            .Select(step => step.Index == index ? StepMachine.Claim(step, "v", 7, 60, Noon) : step),
        []);

    private static ReportVerdict Report(RunSession run, int index, ReportOutcome outcome, bool retryable) =>
        run.Report(index, 7, new(outcome) { Retryable = retryable, Error = outcome is ReportOutcome.Failed ? new("Oops", "no") : null }, Noon);

    private static InboxEvent Event(long id) => new(id, "go", """{"n":1.0}""", null, Noon);

    private static string Word(RunSession run, DateTimeOffset? now = null) => InstancesStatuses.WordOf(run.StatusAt(now ?? Noon));
}
