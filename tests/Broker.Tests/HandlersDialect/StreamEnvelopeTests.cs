using System.Text;
using System.Text.Json;
using Broker.Api.HandlersDialect;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Http;
using Broker.Storage.Contracts;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>Events as readers get them (handlers contract 7, 8).</summary>
public sealed class StreamEnvelopeTests
{
    [Theory]
    [InlineData("Progress", """{"value":{"pct":40},"qualified_name":"ask.Progress","type":"Progress","types":null}""")]
    [InlineData("NameAsked", """{"value":{"pct":40},"qualified_name":"ask.NameAsked","type":"NameAsked","types":["InputRequiredEvent"]}""")]
    [InlineData("NeverDeclared", """{"value":{"pct":40},"qualified_name":"ask.NeverDeclared","type":"NeverDeclared","types":null}""")]
    [InlineData("InputRequiredEvent", """{"value":{"pct":40},"qualified_name":"workflows.events.InputRequiredEvent","type":"InputRequiredEvent","types":null}""")]
    public void A_published_event_has_four_keys(string type, string expected) =>
        Assert.Equal(expected, Text(new StreamEvent(3, type, """{"pct":40}""", Internal: false, default), Definitions.Run(Definitions.Ask, RunStatus.Running), StreamMode.Queue));

    [Fact]
    public void Without_qualified_names_the_key_stays()
    {
        var envelope = StreamEnvelope.Of(
            new StreamEvent(0, "Progress", "{}", Internal: false, default), null, Definitions.Read(Definitions.Ask), StreamMode.Queue);

        Assert.Equal("""{"value":{},"qualified_name":null,"type":"Progress","types":null}""", Text(envelope!, includeQualifiedName: false));
    }

    [Fact]
    public void Internal_events_have_their_own_kind_and_original_names()
    {
        var row = new StreamEvent(0, "StepStateChanged", "{}", Internal: true, default);

        Assert.Equal(
            """{"value":{},"qualified_name":"workflows.events.StepStateChanged","type":"StepStateChanged","types":["InternalDispatchEvent"]}""",
            Text(row, Definitions.Run(Definitions.Ask, RunStatus.Running), StreamMode.Cursor));
    }

    [Fact]
    public void The_newest_clients_are_not_shown_what_they_cannot_load()
    {
        var row = new StreamEvent(0, "EventsQueueChanged", """{"name":"a","size":1}""", Internal: true, default);

        Assert.Null(StreamEnvelope.Of(row, null, Definitions.Read(Definitions.Ask), StreamMode.Cursor));
        Assert.NotNull(StreamEnvelope.Of(row, null, Definitions.Read(Definitions.Ask), StreamMode.Queue));
    }

    [Theory]
    [InlineData("""{"a":1.0}""", """{"result":{"a":1.0}}""")]
    [InlineData("null", "{}")]
    [InlineData("[1]", """{"result":[1]}""")]
    public void A_run_that_succeeded_ends_with_its_result_in_both_modes(string result, string value)
    {
        var run = Definitions.Run(Definitions.Greet, RunStatus.Succeeded, result);
        var expected = $$"""{"value":{{value}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}""";

        Assert.Equal(expected, Text(End, run, StreamMode.Queue));
        Assert.Equal(expected, Text(End, run, StreamMode.Cursor));
    }

    [Fact]
    public void A_stop_event_of_its_own_carries_its_fields()
    {
        var run = Definitions.Run(Definitions.Total, RunStatus.Succeeded, """{"sum":12.50}""");

        Assert.Equal("""{"value":{"sum":12.50},"qualified_name":"total.Totalled","type":"Totalled","types":["StopEvent"]}""", Text(End, run, StreamMode.Queue));
    }

    [Fact]
    public void A_failed_run_ends_plainly_in_queue_mode_and_with_its_failure_in_cursor_mode()
    {
        var run = Definitions.Run(Definitions.Greet, RunStatus.Failed, error: new("ValueError", "no \"such\" thing"));
        run = run with { Steps = [new StepState { Index = 0, Status = StepStatus.Failed, Attempt = 2 }] };

        Assert.Equal("""{"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}""", Text(End, run, StreamMode.Queue));
        Assert.Equal(
            """{"value":{"step_name":"hello","exception":{"exception_type":"ValueError","exception_message":"no \"such\" thing"},"attempts":3,"elapsed_seconds":1},"""
            + "\"qualified_name\":\"workflows.events.WorkflowFailedEvent\",\"type\":\"WorkflowFailedEvent\",\"types\":[\"StopEvent\"]}",
            Text(End, run, StreamMode.Cursor));
    }

    [Theory]
    [InlineData("WorkflowIdleEvent")]
    [InlineData("UnhandledEvent")]
    public void Older_clients_get_no_type_that_they_cannot_load(string type)
    {
        var row = new StreamEvent(0, type, "{}", Internal: true, default);

        Assert.Null(StreamEnvelope.Of(row, null, Definitions.Read(Definitions.Ask), StreamMode.Queue));
        Assert.Equal($"workflows.events.{type}", StreamEnvelope.Of(row, null, Definitions.Read(Definitions.Ask), StreamMode.Cursor)!.QualifiedName);
    }

    [Theory]
    [InlineData(1, "WaitForEventTimeoutError", "WorkflowTimedOutEvent", """{"timeout":60.0,"active_steps":["await_name"]}""")]
    [InlineData(0, "WaitForEventTimeoutError", "WorkflowFailedEvent", null)]
    [InlineData(1, "Other", "WorkflowFailedEvent", null)]
    public void Only_a_wait_of_the_broker_times_a_run_out(int step, string name, string type, string? value)
    {
        var run = Definitions.Run(Definitions.Ask, RunStatus.Failed, error: new(name, "m"));
        run = run with { Steps = [new StepState { Index = step, Status = StepStatus.Failed, Error = new(name, "m") }] };

        var envelope = StreamEnvelope.Of(End, run, run.Definition, StreamMode.Cursor)!;

        Assert.Equal((type, value ?? envelope.ValueJson), (envelope.Type, envelope.ValueJson));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cancelled_or_deleted_run_ends_as_cancelled(bool deleted)
    {
        var run = deleted ? null : Definitions.Run(Definitions.Greet, RunStatus.Cancelled);

        Assert.Equal("""{"value":{},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}""", Text(End, run, StreamMode.Queue));
        Assert.Equal(
            """{"value":{},"qualified_name":"workflows.events.WorkflowCancelledEvent","type":"WorkflowCancelledEvent","types":["StopEvent"]}""",
            Text(End, run, StreamMode.Cursor));
    }

    [Fact]
    public void A_handler_has_nine_keys_and_times_that_old_readers_take()
    {
        var run = Definitions.Run(Definitions.Greet, RunStatus.Succeeded, "\"hi\"");

        Assert.Equal(
            """{"handler_id":"Q7fK2mZx0a","workflow_name":"greet","run_id":"run_1f","error":null,"result":"hi","status":"completed","""
            + "\"started_at\":\"2026-03-01T09:15:02.104233+00:00\",\"updated_at\":\"2026-03-01T09:15:03.104233+00:00\",\"completed_at\":\"2026-03-01T09:15:03.104233+00:00\"}",
            Written(json => HandlersAnswers.Write(json, run, ResultForm.Raw)));
        Assert.Contains(
            "\"result\":{\"value\":{\"result\":\"hi\"},\"qualified_name\":\"workflows.events.StopEvent\",\"type\":\"StopEvent\",\"types\":null},",
            Written(json => HandlersAnswers.Write(json, run, ResultForm.Envelope)));
    }

    [Theory]
    [InlineData(RunStatus.Queued, "running")]
    [InlineData(RunStatus.Running, "running")]
    [InlineData(RunStatus.Waiting, "running")]
    [InlineData(RunStatus.Pausing, "running")]
    [InlineData(RunStatus.Paused, "running")]
    [InlineData(RunStatus.Succeeded, "completed")]
    [InlineData(RunStatus.Failed, "failed")]
    [InlineData(RunStatus.Cancelled, "cancelled")]
    public void Every_status_has_one_of_four_words(RunStatus status, string word) => Assert.Equal(word, HandlersStatuses.Of(status));

    private static StreamEvent End => new(9, null, "{}", Internal: false, default);

    private static string Text(StreamEvent row, RunView? run, StreamMode mode) =>
        Text(StreamEnvelope.Of(row, run, run?.Definition ?? Definitions.Read(Definitions.Greet), mode)!, includeQualifiedName: true);

    private static string Text(StreamEnvelope envelope, bool includeQualifiedName) => Written(json => envelope.Write(json, includeQualifiedName));

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer, JsonAnswer.Options)) write(json);
        return Encoding.UTF8.GetString(buffer.Written.Span);
    }
}
