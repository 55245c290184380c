using System.Net;
using System.Text.Json;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>Starting, results, cancelling and lists (handlers contract 3 to 5, 9, 11, 12).</summary>
public abstract class RunConformance
{
    private protected abstract HttpClient Http { get; }

    private HandlersClient Root => new(Http);

    private HandlersClient Agents => Root.Current;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_and_workflows_have_the_documented_form()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);

        Assert.Equal("""{"status":"healthy"}""", (await Root.GetAsync("/health")).Text);
        var names = (await Root.GetAsync("/workflows")).Json.GetProperty("workflows").EnumerateArray().Select(n => n.GetString()).ToList();
        Assert.Contains(workflow, names);
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Fact]
    public async Task A_start_without_waiting_answers_with_the_handler_as_it_was_created()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);

        var handler = await Root.StartAsync(workflow, """{"start_event":{"a":1.0},"context":{}}""");

        Assert.Matches("^[A-Za-z0-9]{10}$", handler.GetProperty("handler_id").GetString());
        Assert.NotEmpty(handler.GetProperty("run_id").GetString()!);
        Assert.Equal(workflow, handler.GetProperty("workflow_name").GetString());
        Assert.Equal("running", handler.GetProperty("status").GetString());
        foreach (var none in (string[])["error", "result", "completed_at"]) Assert.Equal(JsonValueKind.Null, handler.GetProperty(none).ValueKind);
    }

    [Fact]
    public async Task Start_event_fields_reach_the_worker_as_written()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        await Root.StartAsync(workflow, """{"start_event":{"n":1.0,"_data":{"big":12345678901234567890}}}""");

        var step = await worker.TakeAsync("hello");

        Assert.Equal("""{"n":1.0,"big":12345678901234567890}""", step.GetProperty("payload").GetProperty("workflow_inputs").GetRawText());
    }

    [Fact]
    public async Task An_empty_body_starts_too()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);

        Assert.Equal(HttpStatusCode.OK, (await Root.PostAsync($"/workflows/{workflow}/run-nowait")).Status);
    }

    [Fact]
    public async Task Run_waits_and_answers_with_the_bare_result_at_root_and_the_stop_event_under_agents()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);

        var waiting = Root.PostAsync($"/workflows/{workflow}/run", "{}");
        await worker.DoAsync("hello", """{"a":1.0}""");
        var root = await waiting;
        waiting = Agents.PostAsync($"/workflows/{workflow}/run", "{}");
        await worker.DoAsync("hello", """{"a":1.0}""");
        var agents = await waiting;

        HandlersClient.AssertHandler(root.Json);
        Assert.Equal("completed", root.Json.GetProperty("status").GetString());
        Assert.Equal("""{"a":1.0}""", root.Json.GetProperty("result").GetRawText());
        Assert.NotNull(root.Json.GetProperty("completed_at").GetString());
        Assert.Equal(
            """{"value":{"result":{"a":1.0}},"qualified_name":"workflows.events.StopEvent","type":"StopEvent","types":null}""",
            agents.Json.GetProperty("result").GetRawText());
    }

    [Fact]
    public async Task A_failed_run_is_500_with_its_message()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);

        var waiting = Root.PostAsync($"/workflows/{workflow}/run", "{}");
        await worker.DoAsync("hello", """{"name":"ValueError","message":"no such thing"}""", "FAILED");
        var root = await waiting;
        waiting = Agents.PostAsync($"/workflows/{workflow}/run", "{}");
        await worker.DoAsync("hello", "\"no such thing\"", "FAILED");
        var agents = await waiting;

        Assert.Equal(new(HttpStatusCode.InternalServerError, "text/plain; charset=utf-8", "Error running workflow: no such thing"), root);
        Assert.Equal(HttpStatusCode.InternalServerError, agents.Status);
        HandlersClient.AssertHandler(agents.Json);
        Assert.Equal(("failed", "no such thing"), (agents.Json.GetProperty("status").GetString(), agents.Json.GetProperty("error").GetString()));
        var id = agents.Json.GetProperty("handler_id").GetString();
        Assert.Equal("Error getting workflow result: no such thing", (await Root.GetAsync($"/results/{id}")).Text);
        Assert.Equal(HttpStatusCode.InternalServerError, (await Agents.GetAsync($"/results/{id}")).Status);
        Assert.Equal(HttpStatusCode.InternalServerError, (await Root.GetAsync($"/handlers/{id}")).Status);
    }

    [Fact]
    public async Task A_client_that_goes_away_leaves_the_run_alone()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var waiting = Http.PostAsync($"/workflows/{workflow}/run", null, gone.Token);
        var step = await worker.TakeAsync("hello");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await worker.ReportAsync(step, "7");

        var result = await Root.GetAsync($"/results/{step.GetProperty("instance_id").GetString()}");
        Assert.Equal((HttpStatusCode.OK, "7"), (result.Status, result.Json.GetProperty("result").GetRawText()));
    }

    [Fact]
    public async Task Results_are_202_then_200_and_stay()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Total);
        var id = await Root.StartedIdAsync(workflow);

        var running = await Root.GetAsync($"/results/{id}");
        var step = await worker.DoAsync("sum", """{"sum":12.50}""");
        var first = await Root.GetAsync($"/results/{id}");

        Assert.Equal(HttpStatusCode.Accepted, running.Status);
        Assert.Equal(HttpStatusCode.OK, first.Status);
        Assert.Equal("""{"sum":12.50}""", first.Json.GetProperty("result").GetRawText());
        Assert.Equal(first, await Root.GetAsync($"/results/{id}"));
        Assert.Equal(id, step.GetProperty("instance_id").GetString());
        Assert.Equal(
            $$"""{"value":{"sum":12.50},"qualified_name":"{{workflow}}.Totalled","type":"Totalled","types":["StopEvent"]}""",
            (await Root.GetAsync($"/handlers/{id}")).Json.GetProperty("result").GetRawText());
    }

    [Theory]
    [InlineData("/workflows/no-such/run", "Workflow not found")]
    [InlineData("/workflows/no-such/run-nowait", "Workflow not found")]
    [InlineData("/workflows/no-such/schema", "Workflow not found")]
    [InlineData("/workflows/no-such/representation", "Workflow not found")]
    [InlineData("/workflows/no-such/events", "Workflow 'no-such' not found")]
    [InlineData("/results/nosuch", "Handler not found")]
    [InlineData("/handlers/nosuch", "Handler not found")]
    [InlineData("/handlers/nosuch/cancel", "Handler not found")]
    [InlineData("/events/nosuch", "Handler not found")]
    [InlineData("/workflows/a/b/c", "Not Found")]
    [InlineData("/handlers/a/b", "Not Found")]
    public async Task An_unknown_path_is_404_in_the_form_of_the_mount(string path, string message)
    {
        var method = path.EndsWith("/cancel", StringComparison.Ordinal) || path.Contains("/run", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get;

        Assert.Equal(new(HttpStatusCode.NotFound, "text/plain; charset=utf-8", message), await Root.SendAsync(method, path));
        Assert.Equal(new(HttpStatusCode.NotFound, "application/json", $$"""{"detail":"{{message}}"}"""), await Agents.SendAsync(method, path));
    }

    [Theory]
    [InlineData("/handlers")]
    [InlineData("/workflows")]
    [InlineData("/workflows/x/run")]
    [InlineData("/results/x")]
    [InlineData("/events/x")]
    public async Task A_wrong_method_is_405(string path) =>
        Assert.Equal(new(HttpStatusCode.MethodNotAllowed, "text/plain; charset=utf-8", "Method Not Allowed"), await Root.SendAsync(HttpMethod.Delete, path));

    [Theory]
    [InlineData("no json", 500, "Error processing request body: ", 400, "Invalid JSON body: ")]
    [InlineData("[1]", 500, "Error processing request body: ", 400, "Error processing request body: ")]
    [InlineData("""{"start_event":7}""", 400, "Validation error for 'start_event': ", 400, "Validation error for 'start_event': ")]
    [InlineData("""{"context":7}""", 400, "Validation error for 'context': ", 400, "Validation error for 'context': ")]
    [InlineData("""{"handler_id":7}""", 400, "Validation error for 'handler_id': ", 400, "Validation error for 'handler_id': ")]
    public async Task A_bad_body_names_what_is_wrong(string body, int atRoot, string rootMessage, int underAgents, string agentsMessage)
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);

        foreach (var route in (string[])["run", "run-nowait"])
        {
            var root = await Root.PostAsync($"/workflows/{workflow}/{route}", body);
            var agents = await Agents.PostAsync($"/workflows/{workflow}/{route}", body);

            // The page of run lists a 500 for such a body, that of run-nowait lists none.
            Assert.Equal(route == "run" ? atRoot : 400, (int)root.Status);
            Assert.StartsWith(rootMessage, root.Text, StringComparison.Ordinal);
            Assert.Equal(underAgents, (int)agents.Status);
            Assert.StartsWith(agentsMessage, agents.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_completed_handler_is_continued_under_its_id_with_its_context()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var first = await Root.StartAsync(workflow, """{"start_event":{"n":1},"context":{"seen":1.0}}""");
        var id = first.GetProperty("handler_id").GetString()!;

        Assert.Equal(HttpStatusCode.NotFound, (await Root.PostAsync($"/workflows/{workflow}/run-nowait", $$"""{"handler_id":"{{id}}"}""")).Status);
        await worker.DoAsync("hello", "1", contextJson: """{"seen":2}""");
        var second = await Root.StartAsync(workflow, $$$"""{"handler_id":"{{{id}}}","start_event":{"n":2}}""");
        var step = await worker.DoAsync("hello", "2");

        Assert.Equal(id, second.GetProperty("handler_id").GetString());
        Assert.NotEqual(first.GetProperty("run_id").GetString(), second.GetProperty("run_id").GetString());
        Assert.Equal("""{"n":2}""", step.GetProperty("payload").GetProperty("workflow_inputs").GetRawText());
        var listed = (await Root.GetAsync($"/handlers?workflow_name={workflow}")).Json.GetProperty("handlers");
        Assert.Equal(second.GetProperty("run_id").GetString(), Assert.Single(listed.EnumerateArray()).GetProperty("run_id").GetString());
    }

    [Fact]
    public async Task Root_continues_only_what_succeeded_and_agents_whatever_has_ended()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var body = $$"""{"handler_id":"chosen-{{Guid.NewGuid():N}}"}""";

        Assert.Equal("Handler not found", (await Root.PostAsync($"/workflows/{workflow}/run-nowait", body)).Text);
        Assert.Equal(HttpStatusCode.OK, (await Agents.PostAsync($"/workflows/{workflow}/run-nowait", body)).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await Agents.PostAsync($"/workflows/{workflow}/run-nowait", body)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Root.PostAsync($"/workflows/{workflow}/run-nowait", body)).Status);
        await worker.DoAsync("hello", "\"no\"", "FAILED");
        Assert.Equal(HttpStatusCode.NotFound, (await Root.PostAsync($"/workflows/{workflow}/run-nowait", body)).Status);
        Assert.Equal(HttpStatusCode.OK, (await Agents.PostAsync($"/workflows/{workflow}/run-nowait", body)).Status);
    }

    [Fact]
    public async Task A_context_lets_the_client_choose_the_id_at_root_too()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = $"chosen-{Guid.NewGuid():N}";

        var handler = await Root.StartAsync(workflow, $$$"""{"handler_id":"{{{id}}}","context":{"a":1}}""");

        Assert.Equal(id, handler.GetProperty("handler_id").GetString());
        Assert.Equal(HttpStatusCode.BadRequest, (await Root.PostAsync($"/workflows/{workflow}/run-nowait", """{"handler_id":"a/b","context":{"a":1}}""")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Root.PostAsync($"/workflows/{workflow}/run-nowait", """{"handler_id":"a\u0000"}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Agents.PostAsync($"/workflows/{workflow}/run-nowait", """{"handler_id":"a\ud800"}""")).Status);
    }

    [Theory]
    [InlineData("running", false, 200, """{"status":"cancelled"}""")]
    [InlineData("running", true, 200, """{"status":"deleted"}""")]
    [InlineData("completed", false, 404, "Handler not found")]
    [InlineData("completed", true, 200, """{"status":"deleted"}""")]
    [InlineData("failed", false, 404, "Handler not found")]
    [InlineData("failed", true, 200, """{"status":"deleted"}""")]
    [InlineData("cancelled", false, 404, "Handler not found")]
    [InlineData("cancelled", true, 200, """{"status":"deleted"}""")]
    public async Task A_cancellation_has_the_contract_s_answer_in_each_state(string state, bool purge, int status, string text)
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await Root.StartedIdAsync(workflow);
        if (state == "completed") await worker.DoAsync("hello", "1");
        if (state == "failed") await worker.DoAsync("hello", "1", "FAILED");
        if (state == "cancelled") await Root.PostAsync($"/handlers/{id}/cancel");

        var answer = await Root.PostAsync($"/handlers/{id}/cancel?purge={(purge ? "True" : "1")}");

        Assert.Equal((status, text), ((int)answer.Status, answer.Text));
        var after = await Root.GetAsync($"/handlers/{id}");
        Assert.Equal(purge ? null : state == "running" ? "cancelled" : state, after.Status is HttpStatusCode.NotFound ? null : after.Json.GetProperty("status").GetString());
        if (!purge) Assert.NotNull(after.Json.GetProperty("completed_at").GetString());
        var rest = (await Root.GetAsync($"/results/{id}")).Status;
        Assert.Equal(purge ? HttpStatusCode.NotFound : state == "completed" ? HttpStatusCode.OK : HttpStatusCode.InternalServerError, rest);
        if (purge) Assert.Equal(HttpStatusCode.NotFound, (await Root.GetAsync($"/events/{id}")).Status);
    }

    [Fact]
    public async Task A_late_report_for_a_cancelled_run_changes_nothing()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var waiting = Root.PostAsync($"/workflows/{workflow}/run", "{}");
        var step = await worker.TakeAsync("hello");
        var id = step.GetProperty("instance_id").GetString();
        await Root.PostAsync($"/handlers/{id}/cancel");

        await worker.ReportAsync(step, "1");

        Assert.Equal("Error running workflow: Workflow was cancelled", (await waiting).Text);
        Assert.Equal("Error getting workflow result: Workflow was cancelled", (await Root.GetAsync($"/results/{id}")).Text);
        Assert.Equal("Workflow already completed", (await Root.PostAsync($"/events/{id}", "bad")).Text);
    }

    [Fact]
    public async Task Handlers_are_filtered_by_any_of_each_key_and_shown_in_the_form_of_the_asker()
    {
        var (worker, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var (_, other) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var done = await Root.StartedIdAsync(workflow);
        await worker.DoAsync("hello", "1");
        var failed = await Root.StartedIdAsync(workflow);
        await worker.DoAsync("hello", "\"x\"", "FAILED");
        var running = await Root.StartedIdAsync(other);

        Assert.Equal([done, failed], await ListAsync($"?workflow_name={workflow}"));
        Assert.Equal([done, failed, running], await ListAsync($"?workflow_name={workflow}&workflow_name={other}&status="));
        Assert.Equal([failed, running], await ListAsync($"?workflow_name={workflow}&workflow_name={other}&status=failed&status=running"));
        Assert.Equal([], await ListAsync($"?workflow_name={workflow}&status=unknown"));
        Assert.Equal([], await ListAsync("?workflow_name=no-such"));
        Assert.Equal([done, failed, running], (await ListAsync("")).Where(id => id == done || id == failed || id == running));

        async Task<JsonElement> ResultAsync(HandlersClient client, string query) => (await client.GetAsync($"/handlers{query}")).Json
            .GetProperty("handlers").EnumerateArray().Single(h => h.GetProperty("handler_id").GetString() == done).GetProperty("result");
        Assert.Equal(JsonValueKind.Number, (await ResultAsync(Root, "")).ValueKind);
        Assert.Equal(JsonValueKind.Object, (await ResultAsync(Root, "?status=&workflow_name=")).ValueKind);
        Assert.Equal(JsonValueKind.Object, (await ResultAsync(Agents, "")).ValueKind);
    }

    [Fact]
    public async Task Handlers_are_listed_in_pages_when_a_client_asks_for_them()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var started = new List<string>();
        for (var i = 0; i < 7; i++) started.Add(await Root.StartedIdAsync(workflow));

        Assert.False((await Root.GetAsync($"/handlers?workflow_name={workflow}")).Json.TryGetProperty("cursor", out _));
        foreach (var status in (string[])["", "running"])
        {
            var seen = new List<string?>();
            for (var cursor = ""; cursor is not null;)
            {
                var page = (await Root.GetAsync($"/handlers?workflow_name={workflow}&status={status}&limit=3&cursor={cursor}")).Json;
                var rows = page.GetProperty("handlers").EnumerateArray().Select(h => h.GetProperty("handler_id").GetString()).ToList();
                Assert.InRange(rows.Count, 1, 3);
                seen.AddRange(rows);
                cursor = page.GetProperty("cursor").GetString();
            }

            Assert.Equal<string?>(started, seen);
        }

        foreach (var wrong in (string[])["limit=0", "limit=x", "limit=1001", "cursor=x", "cursor=-", "cursor=ffffffffffffffff-1"])
        {
            var refused = await Root.GetAsync($"/handlers?{wrong}");
            Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
            Assert.Contains(wrong[..wrong.IndexOf('=', StringComparison.Ordinal)], refused.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Schema_events_and_representation_describe_the_workflow()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Ask);

        var schema = (await Root.GetAsync($"/workflows/{workflow}/schema")).Json;
        var events = (await Root.GetAsync($"/workflows/{workflow}/events")).Json.GetProperty("events");
        var graph = (await Root.GetAsync($"/workflows/{workflow}/representation")).Json.GetProperty("graph");

        Assert.Equal("AskStart", schema.GetProperty("start").GetProperty("title").GetString());
        Assert.Equal("StopEvent", schema.GetProperty("stop").GetProperty("title").GetString());
        Assert.Equal(["AskStart", "NameAsked", "NameGiven", "Progress", "StopEvent"], events.EnumerateArray().Select(e => e.GetProperty("title").GetString()).Order());
        foreach (var node in graph.GetProperty("nodes").EnumerateArray())
        {
            foreach (var key in (string[])["id", "label", "node_type", "title", "event_type"]) Assert.True(node.TryGetProperty(key, out _), key);
        }

        var edges = graph.GetProperty("edges").EnumerateArray().Select(e => (e.GetProperty("source").GetString(), e.GetProperty("target").GetString())).ToList();
        Assert.Contains(("AskStart", "ask"), edges);
        Assert.Contains(("ask", "NameAsked"), edges);
        Assert.Contains(("NameAsked", "external_step"), edges);
        Assert.Contains(("external_step", "NameGiven"), edges);
        Assert.Contains(("NameGiven", "await_name"), edges);
        Assert.Contains(("reply", "StopEvent"), edges);
    }

    private async Task<List<string?>> ListAsync(string query) =>
        [.. (await Root.GetAsync($"/handlers{query}")).Json.GetProperty("handlers").EnumerateArray().Select(h => h.GetProperty("handler_id").GetString())];
}
