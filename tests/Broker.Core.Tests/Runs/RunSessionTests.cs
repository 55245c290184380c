using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Runs;

/// <summary>Cases of their own; the rules as a whole are tested by <see cref="Properties.RunProperties"/>.</summary>
public sealed class RunSessionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static RunSession Start(WorkflowDefinition definition) =>
        RunSession.Start(new RunState { Id = 1, Definition = definition, CreatedAt = Noon, UpdatedAt = Noon }, Noon);

    private static InboxEvent Event(long id, string type, int? target = null) => new(id, type, null, target, Noon);

    [Fact]
    public void An_empty_graph_is_complete_at_once()
    {
        var session = Start(Doc.Steps(""));
        session.Conclude("null");

        Assert.True(session.EndedNow);
        Assert.Equal((RunPhase.Succeeded, "null"), (session.Run.Phase, session.ResultJson));
    }

    [Fact]
    public void A_result_that_the_stop_event_cannot_carry_fails_the_run()
    {
        var session = Start(Doc.Of("""{"workflow_id":"w","steps":{},"stop_event":"Done"}"""));
        session.Conclude("3");

        Assert.Equal((RunPhase.Failed, "TypeError"), (session.Run.Phase, session.Run.Error!.Name));
        Assert.Null(session.ResultJson);
    }

    [Fact]
    public void A_result_that_does_not_fit_the_stop_schema_fails_the_run()
    {
        var session = Start(Doc.Of("""{"workflow_id":"w","steps":{},"stop_event":"Done","events":{"Done":{"schema":{"type":"object","required":["n"]}}}}"""));
        session.Conclude("{}");

        Assert.Equal((RunPhase.Failed, "ValidationError"), (session.Run.Phase, session.Run.Error!.Name));
        Assert.Equal("the result does not fit the schema of the stop event Done: n: field required", session.Run.Error.Message);
        Assert.Null(session.ResultJson);
    }

    [Fact]
    public void A_kept_event_meets_its_wait_when_the_wait_begins()
    {
        var session = Start(Doc.Steps(""" "a":{"successors":{"default":["b"]}},"b":{"kind":"waitForEvent","event":"E"} """));
        Assert.Equal(SendVerdict.Kept, session.Deliver(Event(1, "E"), Delivery.First, Noon));
        var claimed = StepMachine.Claim(session.Find(0)!, "w", 7, 30, Noon);
        session = new RunSession(session.Run, [claimed], [Event(1, "E")]);

        session.Report(0, 7, new(ReportOutcome.Succeeded), Noon);

        Assert.Equal((StepStatus.Succeeded, 1), (session.Find(1)!.Status, session.Find(1)!.Attempt));
        Assert.Equal(RunPhase.Succeeded, session.Run.Phase);
        Assert.Equal((1L, 1), Assert.Single(session.Consumed) is var taken ? (taken.Id, taken.ConsumedBy!.Value) : default);
    }

    [Fact] // 26, 11
    public void On_resume_a_missed_deadline_cancels_the_other_waits_of_its_group()
    {
        var session = Start(Doc.Steps("""
            "a":{"kind":"waitForEvent","event":"A","timeout_ms":1000,"fail_fast":"g"},"b":{"kind":"waitForEvent","event":"B","timeout_ms":1000,"fail_fast":"g"},"c":{}
            """));
        session.Pause(Noon);
        session.Resume(Noon.AddSeconds(2));

        Assert.Equal((StepStatus.Failed, StepStatus.Cancelled), (session.Find(0)!.Status, session.Find(1)!.Status));
        Assert.Equal((RunPhase.Active, 1), (session.Run.Phase, session.Run.Active));
    }

    [Fact] // 26
    public void A_run_whose_begun_steps_were_cancelled_by_their_group_has_begun()
    {
        var session = Start(Doc.Steps(""" "a":{"fail_fast":"g"},"b":{"fail_fast":"g"},"c":{} """));
        var begun = StepMachine.Claim(session.Find(1)!, "w", 7, 30, Noon);
        session = new RunSession(session.Run, [session.Find(0)!, begun, session.Find(2)!], []);
        Assert.Equal(HandVerdict.Done, session.ByHand(0, new(HandAction.Fail), Noon));

        Assert.Equal(StepStatus.Cancelled, session.Find(1)!.Status);
        Assert.Equal((Noon, RunStatus.Running), (session.Run.StartedAt, session.StatusAt(Noon)));
    }

    [Fact]
    public void On_resume_a_wait_that_was_there_before_is_served_before_one_that_another_leads_to()
    {
        var session = Start(Doc.Steps("""
            "a":{"kind":"waitForEvent","event":"A","successors":{"default":["c"]}},"b":{"kind":"waitForEvent","event":"B"},"c":{"kind":"waitForEvent","event":"B"}
            """));
        session.Pause(Noon);
        session.Deliver(Event(1, "A"), Delivery.First, Noon);
        session.Deliver(Event(2, "B"), Delivery.First, Noon);

        session.Resume(Noon);

        Assert.Equal([0, 1], session.Consumed.Select(m => m.ConsumedBy!.Value));
        Assert.Equal(StepStatus.Waiting, session.Find(2)!.Status);
    }

    [Fact]
    public void On_resume_a_kept_event_beats_a_deadline_that_has_passed()
    {
        var session = Start(Doc.Steps(""" "a":{"kind":"waitForEvent","event":"A","timeout_ms":1000},"b":{"kind":"waitForEvent","event":"B","timeout_ms":1000} """));
        session.Pause(Noon);
        session.Deliver(Event(1, "A"), Delivery.First, Noon);

        session.Resume(Noon.AddSeconds(2));

        Assert.Equal(StepStatus.Succeeded, session.Find(0)!.Status);
        Assert.Equal((StepStatus.Failed, "WaitForEventTimeoutError"), (session.Find(1)!.Status, session.Find(1)!.Error!.Name));
        Assert.Equal(RunPhase.Failed, session.Run.Phase);
    }

    [Fact]
    public void An_event_for_all_is_given_to_every_wait_and_consumed_once()
    {
        var session = Start(Doc.Steps(""" "a":{"kind":"waitForEvent","event":"E"},"b":{"kind":"waitForEvent","event":"E"},"c":{"kind":"waitForEvent","event":"F"} """));

        session.Deliver(Event(1, "E"), Delivery.AllWaiting, Noon);

        Assert.Equal([StepStatus.Succeeded, StepStatus.Succeeded, StepStatus.Waiting], Enumerable.Range(0, 3).Select(i => session.Find(i)!.Status));
        Assert.Equal(0, session.Run.InboxCount);
        Assert.Equal(0, Assert.Single(session.Consumed).ConsumedBy);
    }

    [Fact]
    public void An_event_for_one_step_is_for_no_other()
    {
        var session = Start(Doc.Steps(""" "a":{"kind":"waitForEvent","event":"E"},"b":{"kind":"waitForEvent","event":"E"} """));

        session.Deliver(Event(1, "E", target: 1), Delivery.First, Noon);

        Assert.Equal([StepStatus.Waiting, StepStatus.Succeeded], Enumerable.Range(0, 2).Select(i => session.Find(i)!.Status));
    }

    /// <summary>Instances contract 7: the last step of a run that is asked to pause ends, the run completes when it is resumed.</summary>
    [Fact]
    public void A_run_whose_last_step_ends_while_pausing_completes_on_resume()
    {
        var session = Start(Doc.Steps("\"a\":{}"));
        session = new RunSession(session.Run, [StepMachine.Claim(session.Find(0)!, "w", 7, 30, Noon)], []);
        session.Pause(Noon);
        Assert.Equal(RunPhase.Pausing, session.Run.Phase);

        session.Report(0, 7, new(ReportOutcome.Succeeded), Noon);
        Assert.Equal(RunPhase.Paused, session.Run.Phase);
        session.Resume(Noon);

        Assert.Equal(RunPhase.Succeeded, session.Run.Phase);
    }

    [Fact]
    public void A_clock_that_steps_back_does_not_take_the_run_back()
    {
        var session = Start(Doc.Steps("\"a\":{}"));

        session.Cancel(Noon.AddSeconds(-1));

        Assert.Equal(Noon, session.Run.UpdatedAt);
    }

    /// <summary>One report sets off the whole chain. Served by recursion, it would end the process.</summary>
    [Fact]
    public void A_chain_of_ten_thousand_waits_whose_events_are_kept_is_served_at_once()
    {
        const int count = 10_000;
        var definition = Doc.Steps(string.Join(',', Enumerable.Range(0, count).Select(i =>
            $$"""  "s{{i}}":{ {{(i > 0 ? "\"kind\":\"waitForEvent\",\"event\":\"E\"," : "")}} "successors":{"default":[{{(i + 1 < count ? $"\"s{i + 1}\"" : "")}}] } }""")));
        var session = Start(definition);
        var mail = Enumerable.Range(1, count - 1).Select(i => Event(i, "E")).ToList();
        session = new RunSession(session.Run with { InboxCount = mail.Count }, [StepMachine.Claim(session.Find(0)!, "w", 7, 30, Noon)], mail);

        session.Report(0, 7, new(ReportOutcome.Succeeded), Noon);

        Assert.Equal((RunPhase.Succeeded, 0, 0), (session.Run.Phase, session.Run.Active, session.Run.InboxCount));
        Assert.True(session.Consumed.All(m => m.ConsumedBy == m.Id));
    }
}
