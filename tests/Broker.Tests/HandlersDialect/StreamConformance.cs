using System.Net;
using System.Text.Json;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>Reading streams and sending events (handlers contract 6 to 8, 10).</summary>
public abstract class StreamConformance
{
    private const string NameAsked = """[{"type":"NameAsked","value":{"prompt":"who?"}}]""";

    private protected abstract HttpClient Http { get; }

    private HandlersClient Root => new(Http);

    private HandlersClient Agents => Root.Current;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_human_in_the_loop_answers_what_the_stream_asks()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Ask);
        var id = await Root.StartedIdAsync(workflow, """{"start_event":{"value":{"topic":"tea"},"type":"AskStart","qualified_name":null}}""");
        var seen = new List<string>();
        await worker.DoAsync("ask", "null", eventsJson: NameAsked);

        await foreach (var happened in Root.LinesAsync(id))
        {
            seen.Add(happened.GetRawText());
            if (happened.GetProperty("type").GetString() != "NameAsked") continue;
            Assert.Equal(HttpStatusCode.Accepted, (await Root.GetAsync($"/results/{id}")).Status);
            Assert.Equal("""{"status":"sent"}""", (await Root.PostAsync($"/events/{id}", """{"event":"{\"type\":\"NameGiven\",\"value\":{\"name\":\"Ada\"}}"}""")).Text);
            var reply = await worker.TakeAsync("reply");
            var waited = reply.GetProperty("payload").GetProperty("results").GetProperty("await_name");
            Assert.Equal(("NameGiven", """{"name":"Ada"}"""), (waited.GetProperty("type").GetString(), waited.GetProperty("payload").GetRawText()));
            await worker.ReportAsync(reply, "\"Hello Ada\"");
        }

        Assert.Equal(
            [
                $$"""{"value":{"prompt":"who?"},"qualified_name":"{{workflow}}.NameAsked","type":"NameAsked","types":["InputRequiredEvent"]}""",
                """{"value":{"result":"Hello Ada"},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}""",
            ],
            seen);
        Assert.Equal("\"Hello Ada\"", (await Root.GetAsync($"/results/{id}")).Json.GetProperty("result").GetRawText());
    }

    [Fact]
    public async Task Both_framings_are_exact_to_the_byte()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        await worker.DoAsync("hello", "{\n\"a\": 1.0}");
        const string stop = """{"value":{"result":{ "a": 1.0}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}""";

        var numbered = await Root.GetAsync($"/events/{id}?after_sequence=-1");
        var lines = await Root.GetAsync($"/events/{id}?after_sequence=-1&sse=false");
        var queued = await Root.GetAsync($"/events/{id}");

        Assert.Equal("text/event-stream; charset=utf-8", numbered.ContentType);
        Assert.Matches(@"^id: \d+\ndata: ", numbered.Text);
        Assert.EndsWith($"data: {stop}\n\n", numbered.Text, StringComparison.Ordinal);
        Assert.StartsWith("application/x-ndjson", lines.ContentType, StringComparison.Ordinal);
        Assert.Equal(stop + "\n", lines.Text);
        Assert.Equal(new(HttpStatusCode.OK, "text/event-stream; charset=utf-8", $"data: {stop}\n\n"), queued);
    }

    [Fact]
    public async Task An_event_that_one_reader_took_from_the_queue_is_gone_and_reading_by_number_takes_none()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        await worker.DoAsync("hello", "1", eventsJson: """[{"type":"P","value":{"pct":1}},{"type":"P","value":{"pct":2}}]""");

        var byNumber = new List<string?>();
        await foreach (var (_, happened) in Agents.CursorAsync(id)) byNumber.Add(happened.GetProperty("type").GetString());
        var byQueue = new List<string?>();
        await foreach (var happened in Root.LinesAsync(id)) byQueue.Add(happened.GetProperty("type").GetString());

        Assert.Equal(["P", "P", "StopEvent"], byNumber);
        Assert.Equal(["P", "P", "StopEvent"], byQueue);
        var drained = await Root.GetAsync($"/events/{id}");
        Assert.Equal((HttpStatusCode.NoContent, ""), (drained.Status, drained.Text));
        Assert.NotEmpty(await Agents.CursorAsync(id).ToListAsync(Ct));
    }

    [Fact]
    public async Task Internal_events_are_shown_on_request_and_dropped_otherwise()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Ask);
        var id = await Root.StartedIdAsync(workflow, """{"start_event":{"topic":"tea"}}""");
        await worker.DoAsync("ask", "null", eventsJson: NameAsked);
        await Root.PostAsync($"/events/{id}", """{"event":{"type":"NameGiven","value":{"name":"Ada"}}}""");
        await worker.DoAsync("reply", "1");

        var numbered = (await Agents.CursorAsync(id, includeInternal: true).ToListAsync(Ct)).ConvertAll(e => e.Event.GetProperty("type").GetString());
        var queued = (await Root.LinesAsync(id, includeInternal: true).ToListAsync(Ct)).ConvertAll(e => e.GetProperty("type").GetString());

        Assert.Contains("StepStateChanged", numbered);
        Assert.DoesNotContain("EventsQueueChanged", numbered);
        Assert.Contains("StepStateChanged", queued);
        Assert.Contains("EventsQueueChanged", queued);
        Assert.Equal("StopEvent", queued[^1]);
    }

    [Fact]
    public async Task One_reader_at_a_time_empties_a_queue()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        using (var first = await Root.OpenAsync(id, "sse=true"))
        {
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            Assert.Equal(
                new(HttpStatusCode.Conflict, "text/plain; charset=utf-8", "No lock available to acquire after 0.05s timeout"),
                await Root.GetAsync($"/events/{id}?acquire_timeout=0.05"));
            Assert.Equal("No lock available to acquire after 0.0s timeout", (await Root.GetAsync($"/events/{id}?acquire_timeout=0")).Text);
            using var beside = await Root.OpenAsync(id, "after_sequence=now");
            Assert.Equal(HttpStatusCode.OK, beside.StatusCode);
        }

        // The first one has gone: the next gets the lock, and everything that was not delivered.
        using var second = await Root.OpenAsync(id, "sse=true&acquire_timeout=15");
        await worker.DoAsync("hello", "1", eventsJson: """[{"type":"P","value":{}}]""");
        Assert.Equal(["P", "StopEvent"], TypesOf(await second.Content.ReadAsStringAsync(Ct)));
    }

    [Fact]
    public async Task A_reader_that_waited_for_an_emptied_queue_gets_204()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        using var first = await Root.OpenAsync(id, "sse=false");
        var second = Root.GetAsync($"/events/{id}?acquire_timeout=15");

        await worker.DoAsync("hello", "1");

        Assert.EndsWith("\n", await first.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await second).Status);
    }

    [Fact]
    public async Task Reading_goes_on_from_a_number_a_header_or_now()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        var step = await worker.TakeAsync("hello");
        using var live = await Agents.OpenAsync(id, "sse=true");
        await worker.ReportAsync(step, "1", eventsJson: """[{"type":"A","value":{}},{"type":"B","value":{}}]""");
        var all = await Root.CursorAsync(id).ToListAsync(Ct);
        var a = all.Single(e => e.Event.GetProperty("type").GetString() == "A").Id;

        Assert.Equal(["A", "B", "StopEvent"], TypesOf(await live.Content.ReadAsStringAsync(Ct)));
        Assert.Equal(["B", "StopEvent"], TypesOf((await Root.GetAsync($"/events/{id}?after_sequence={a}")).Text));
        using var resumed = await Root.OpenAsync(id, "after_sequence=-1", lastEventId: $"{a}");
        Assert.Equal(["B", "StopEvent"], TypesOf(await resumed.Content.ReadAsStringAsync(Ct)));
        using var lines = await Root.OpenAsync(id, "after_sequence=-1&sse=false", lastEventId: $"{a}");
        Assert.Equal(3, (await lines.Content.ReadAsStringAsync(Ct)).Count(c => c == '\n'));
        using var odd = await Root.OpenAsync(id, "after_sequence=-1", lastEventId: "odd");
        Assert.Equal(3, TypesOf(await odd.Content.ReadAsStringAsync(Ct)).Count);
        Assert.Equal(HttpStatusCode.NoContent, (await Root.GetAsync($"/events/{id}?after_sequence={all[^1].Id}")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await Agents.GetAsync($"/events/{id}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await Root.GetAsync($"/events/{id}")).Status);
    }

    [Theory]
    [InlineData("FAILED", "WorkflowFailedEvent")]
    [InlineData("cancel", "WorkflowCancelledEvent")]
    [InlineData("purge", "WorkflowCancelledEvent")]
    public async Task Open_streams_get_the_terminal_event_of_their_generation_and_close(string end, string newest)
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        using var queue = await Root.OpenAsync(id, "sse=true");
        using var cursor = await Root.OpenAsync(id, "after_sequence=now");

        if (end == "FAILED") await worker.DoAsync("hello", """{"name":"ValueError","message":"no"}""", "FAILED");
        else await Root.PostAsync($"/handlers/{id}/cancel{(end == "purge" ? "?purge=true" : "")}");

        Assert.Equal(
            "data: {\"value\":{},\"qualified_name\":\"workflows.events.StopEvent\",\"type\":\"StopEvent\",\"types\":null}\n\n", await queue.Content.ReadAsStringAsync(Ct));
        var last = await cursor.Content.ReadAsStringAsync(Ct);
        Assert.Equal([newest], TypesOf(last));
        if (end == "FAILED") Assert.Contains("""{"exception_type":"ValueError","exception_message":"no"}""", last, StringComparison.Ordinal);
    }

    /// <summary>Handlers contract 7: a run whose wait has met its deadline was timed out.</summary>
    [Fact]
    public async Task A_run_that_timed_out_says_so_to_the_newest_readers()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(
            Http, """{"workflow_id":"late","version":"1","steps":{"w":{"name":"w","kind":"waitForEvent","event":"E","timeout_ms":1000}}}""");
        var id = await Root.StartedIdAsync(workflow);

        Assert.Equal(["StopEvent"], TypesOf((await Root.GetAsync($"/events/{id}")).Text));
        Assert.EndsWith(
            "data: {\"value\":{\"timeout\":1.0,\"active_steps\":[\"w\"]},\"qualified_name\":\"workflows.events.WorkflowTimedOutEvent\","
            + "\"type\":\"WorkflowTimedOutEvent\",\"types\":[\"StopEvent\"]}\n\n",
            (await Root.GetAsync($"/events/{id}?after_sequence=-1")).Text,
            StringComparison.Ordinal);
        Assert.Equal("Error getting workflow result: WAIT_FOR_EVENT_TIMEOUT", (await Root.GetAsync($"/results/{id}")).Text);
    }

    /// <summary>Handlers contract 8: shown on request and by number only, since older clients cannot load them.</summary>
    [Fact]
    public async Task Idle_runs_and_unhandled_events_are_on_the_stream_by_number()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Ask);
        var id = await Root.StartedIdAsync(workflow, """{"start_event":{"topic":"tea"}}""");
        await worker.DoAsync("ask", "null");
        await Root.PostAsync($"/events/{id}", """{"event":{"type":"Progress","value":{"pct":1}}}""");
        await Root.PostAsync($"/handlers/{id}/cancel");

        var numbered = (await Root.GetAsync($"/events/{id}?after_sequence=-1&include_internal=true&sse=false")).Text;
        Assert.Contains(
            """{"value":{},"qualified_name":"workflows.events.WorkflowIdleEvent","type":"WorkflowIdleEvent","types":["InternalDispatchEvent"]}""", numbered, StringComparison.Ordinal);
        Assert.Contains(
            $$$"""{"value":{"event_type":"Progress","qualified_name":"{{{workflow}}}.Progress","step_name":null,"idle":true},"qualified_name":"workflows.events.UnhandledEvent","type":"UnhandledEvent","types":["InternalDispatchEvent"]}""",
            numbered,
            StringComparison.Ordinal);
        Assert.DoesNotContain("Idle", (await Root.GetAsync($"/events/{id}?after_sequence=-1")).Text, StringComparison.Ordinal);
        var queued = (await Root.GetAsync($"/events/{id}?include_internal=true")).Text;
        Assert.DoesNotContain("Idle", queued, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", queued, StringComparison.Ordinal);
    }

    /// <summary>Handlers contract 13: a worker that registers types a step accepts finds such events in <c>payload.events</c>.</summary>
    [Fact]
    public async Task A_step_finds_the_events_that_it_accepts_in_its_payload()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(
            Http,
            """{"workflow_id":"taker","version":"1","steps":{"plain":{"name":"plain","successors":{"default":["take"]}},"take":{"name":"take","accepts":["Note"],"predecessors":["plain"]}}}""");
        var id = await Root.StartedIdAsync(workflow);
        Assert.Equal(HttpStatusCode.OK, (await Root.PostAsync($"/events/{id}", """{"event":{"type":"Note","value":{"n":1.0}},"step":"take"}""")).Status);

        var plain = await worker.DoAsync("plain", "1");
        var taken = await worker.DoAsync("take", "1");

        Assert.Equal(["workflow_inputs", "results"], plain.GetProperty("payload").EnumerateObject().Select(m => m.Name));
        Assert.Equal(["workflow_inputs", "results", "events"], taken.GetProperty("payload").EnumerateObject().Select(m => m.Name));
        var note = taken.GetProperty("payload").GetProperty("events")[0];
        Assert.Matches("""^\{"type":"Note","payload":\{"n":1\.0\},"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}$""", note.GetRawText());
    }

    [Fact]
    public async Task A_continued_handler_has_a_stream_of_its_own()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        await worker.DoAsync("hello", "1");
        await Root.StartAsync(workflow, $$"""{"handler_id":"{{id}}"}""");
        await worker.DoAsync("hello", "2");

        var seen = await Root.LinesAsync(id).ToListAsync(Ct);

        Assert.Equal("""{"result":2}""", Assert.Single(seen).GetProperty("value").GetRawText());
    }

    [Fact]
    public async Task Without_qualified_names_the_key_is_null()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        await worker.DoAsync("hello", "null");

        Assert.Equal(
            "{\"value\":{},\"qualified_name\":null,\"type\":\"StopEvent\",\"types\":null}\n",
            (await Root.GetAsync($"/events/{id}?sse=FALSE&include_qualified_name=0")).Text);
    }

    [Theory]
    [InlineData("acquire_timeout=soon", "Invalid acquire_timeout: 'soon'")]
    [InlineData("acquire_timeout=", "Invalid acquire_timeout: ''")]
    [InlineData("after_sequence=later", "Invalid after_sequence: 'later'")]
    [InlineData("after_sequence=1.5", "Invalid after_sequence: '1.5'")]
    public async Task Parameters_are_checked_before_the_handler(string query, string message)
    {
        Assert.Equal(new(HttpStatusCode.BadRequest, "text/plain; charset=utf-8", message), await Root.GetAsync($"/events/nosuch?{query}"));
        Assert.Equal(new(HttpStatusCode.BadRequest, "application/json", $$"""{"detail":"{{message}}"}"""), await Agents.GetAsync($"/events/nosuch?{query}"));
    }

    /// <summary>JSON that is nested too deep is the client's mistake, not a broken body.</summary>
    [Fact]
    public async Task A_body_nested_too_deep_is_400()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var deep = "{\"start_event\":{\"x\":" + new string('[', 5000) + new string(']', 5000) + "}}";
        var id = await Root.StartedIdAsync(workflow);

        Assert.Equal(
            new(HttpStatusCode.BadRequest, "text/plain; charset=utf-8", "Error processing request body: nested deeper than 64 levels"),
            await Root.PostAsync($"/workflows/{workflow}/run-nowait", deep));
        Assert.Equal(
            new(HttpStatusCode.BadRequest, "application/json", """{"detail":"Error processing request body: nested deeper than 64 levels"}"""),
            await Agents.PostAsync($"/workflows/{workflow}/run", deep));
        Assert.Equal("Error processing request: nested deeper than 64 levels", (await Root.PostAsync($"/events/{id}", deep)).Text);
        Assert.Equal(HttpStatusCode.BadRequest, (await Root.PostAsync($"/events/{id}", deep[..^1])).Status);
    }

    [Theory]
    [InlineData("no json", 400, "Error processing request: ")]
    [InlineData("", 400, "Error processing request: ")]
    [InlineData("[1]", 400, "Error processing request: ")]
    [InlineData("{}", 400, "Event data is required")]
    [InlineData("""{"event":null}""", 400, "Event data is required")]
    [InlineData("""{"event":""}""", 400, "Event data is required")]
    [InlineData("""{"event":{}}""", 400, "Event data is required")]
    [InlineData("""{"event":"no json"}""", 400, "Failed to deserialize event. Must be a json object, or stringified json object")]
    [InlineData("""{"event":"[1]"}""", 400, "Failed to deserialize event. Must be a json object, or stringified json object")]
    [InlineData("""{"event":7}""", 400, "Failed to deserialize event. Must be a json object, or stringified json object")]
    [InlineData("""{"event":{"type":"NameGiven"}}""", 400, "Failed to deserialize event: ")]
    [InlineData("""{"event":{"type":"NameGiven","value":{}}}""", 400, "Failed to deserialize event: name: field required")]
    [InlineData("""{"event":{"type":"NameGiven","value":{"name":7}}}""", 400, "Failed to deserialize event: ")]
    [InlineData("""{"event":{"type":"Nope","value":{}}}""", 400, "Invalid event type: Nope. Expected one of AskStart, StopEvent, NameAsked, NameGiven, Progress")]
    [InlineData("""{"event":{"value":{}}}""", 400, "Invalid client data. Must have a type or a qualified name, got ")]
    [InlineData("""{"event":{"type":"NameGiven","value":{"name":"A"}},"step":"nope"}""", 400, "Failed to send event: Step nope does not exist")]
    [InlineData("""{"event":{"type":"NameGiven","value":{"name":"A"}},"step":"ask"}""", 400, "Failed to send event: Step ask does not accept event of type NameGiven")]
    public async Task A_bad_event_is_refused_with_the_reason(string body, int status, string message)
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Ask);
        var id = await Root.StartedIdAsync(workflow, """{"start_event":{"topic":"tea"}}""");

        var answer = await Root.PostAsync($"/events/{id}", body);

        Assert.Equal((status, "text/plain; charset=utf-8"), ((int)answer.Status, answer.ContentType));
        Assert.StartsWith(message, answer.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await Agents.PostAsync($"/events/{id}", body)).Status);
    }

    [Theory]
    [InlineData("""{"event":{"type":"NameGiven","value":{"name":"A","_data":{"extra":1}}}}""")]
    [InlineData("""{"event":{"type":"NameGiven","data":{"name":"A"}}}""")]
    [InlineData("""{"event":{"__is_pydantic":true,"qualified_name":"other.NameGiven","value":{"name":"A"}}}""")]
    [InlineData("""{"event":"{\"type\":\"NameGiven\",\"value\":{\"name\":\"A\"}}","step":"await_name"}""")]
    [InlineData("""{"event":{"type":"Progress","value":{}},"step":""}""")]
    public async Task A_good_event_is_kept_for_the_step_that_will_want_it(string body)
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Ask);
        var id = await Root.StartedIdAsync(workflow, """{"start_event":{"topic":"tea"}}""");

        Assert.Equal(new(HttpStatusCode.OK, "application/json", """{"status":"sent"}"""), await Root.PostAsync($"/events/{id}", body));
    }

    [Fact]
    public async Task An_unknown_handler_is_judged_before_the_body_at_root_and_after_it_under_agents()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await Root.PostAsync("/events/nosuch", "bad")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Agents.PostAsync("/events/nosuch", "bad")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Agents.PostAsync("/events/nosuch", """{"event":{"type":"X","value":{}}}""")).Status);
    }

    private static List<string?> TypesOf(string stream) =>
        [.. stream.Split('\n').Where(l => l.StartsWith("data: ", StringComparison.Ordinal)).Select(l => JsonElement.Parse(l[6..]).GetProperty("type").GetString())];
}
