using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Inputs of runs: declared with the workflow, checked at the start, carried by claims.</summary>
public abstract class JobInputSuite(IJobsBroker broker) : JobsSuite(broker)
{
    private const string Declared = """{"tag":{"required":true},"count":{"type":"number","default":3},"dry-run":{"type":"boolean"},"stage":{"type":"choice","options":["test","live"],"default":"test"}}""";

    [Fact]
    public async Task A_claim_carries_the_inputs_the_run_and_the_instance()
    {
        var id = await DefineAsync(Job("a"));
        await StartAsync(id, """{"inputs":{"n":1.0,"big":12345678901234567890,"text":"\u00e9","list":[1]}}""");

        var claimed = await PostAsync("/api/jobs/claim", ClaimText());
        Assert.Contains($$"""_ms":0,"inputs":{"n":1.0,"big":12345678901234567890,"text":"\u00e9","list":[1]},"run":0,"instance_id":"{{id}}"},"lease":{""", claimed.Body, StringComparison.Ordinal);
        Assert.Equal("make a", (string)claimed.Json!["job"]!["command"]!);
    }

    [Fact]
    public async Task A_run_without_inputs_has_none()
    {
        var id = await RunningAsync(Job("a"));
        await CompleteAsync((await MustClaimAsync()).Lease);
        await RunAsync(id);

        var job = (await ClaimAsync())!["job"]!;
        Assert.Equal(("{}", 1, id), (job["inputs"]!.ToJsonString(), (int)job["run"]!, (string)job["instance_id"]!));
    }

    [Fact]
    public async Task Declared_inputs_get_their_defaults()
    {
        var id = await DefineWithAsync(Declared);

        Assert.Equal(202, (await StartAsync(id, """{"inputs":{"tag":"v1"}}""")).Status);

        var job = (await ClaimAsync())!["job"]!;
        Assert.Equal("""{"tag":"v1","count":3,"dry-run":false,"stage":"test"}""", job["inputs"]!.ToJsonString());
        Assert.Equal("make a", (string)job["command"]!);
        Assert.True((bool)(await StartAsync(id, """{"inputs":{"tag":"v1","count":3.0,"stage":"test"}}""")).Json!["joined"]!);
    }

    [Fact]
    public async Task Stock_workers_find_the_inputs_that_a_file_declares_as_variables()
    {
        var name = Label;
        await RegisterAsync(name, $$""" "jobs":{"name":"n","trigger":"t","from_file":true},"inputs":{{Declared}},""", "1");
        await StartAsync(name, """{"inputs":{"tag":"it's $HOME"}}""");

        Assert.Equal(
            "export INPUT_TAG='it'\\''s $HOME' && export INPUT_COUNT='3' && export INPUT_DRY_RUN='false' && export INPUT_STAGE='test' && make",
            (string)(await ClaimAsync())!["job"]!["command"]!);
    }

    [Theory]
    [InlineData("""{"inputs":{}}""", "inputs.tag")]
    [InlineData(null, "inputs.tag")]
    [InlineData("""{"inputs":{"tag":1}}""", "inputs.tag")]
    [InlineData("""{"inputs":{"tag":"a","count":"3"}}""", "inputs.count")]
    [InlineData("""{"inputs":{"tag":"a","dry-run":"yes"}}""", "inputs.dry-run")]
    [InlineData("""{"inputs":{"tag":"a","stage":"prod"}}""", "inputs.stage")]
    [InlineData("""{"inputs":{"tag":"a","more":1}}""", "inputs.more")]
    public async Task Inputs_that_the_workflow_does_not_take_are_refused(string? body, string field)
    {
        var id = await DefineWithAsync(Declared);

        var answer = await StartAsync(id, body);

        Assert.Equal((422, field), (answer.Status, (string?)answer.Json!["field"]));
        Assert.Null(await ClaimAsync());
    }

    [Theory]
    [InlineData("[]", "inputs")]
    [InlineData("""{"a":{"type":"int"}}""", "inputs.a.type")]
    [InlineData("""{"a":{"more":1}}""", "inputs.a.more")]
    [InlineData("""{"a-b":{},"a_b":{}}""", "inputs.a_b")]
    public async Task A_faulty_declaration_is_refused_with_its_place(string inputs, string field)
    {
        var answer = await PostAsync("/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[],"inputs":{{inputs}} }""");
        Assert.Equal((422, field), (answer.Status, (string?)answer.Json!["field"]));
    }

    [Fact]
    public async Task A_repeated_start_under_its_key_is_answered_whatever_the_definition_takes_now()
    {
        var id = await DefineWithAsync(Declared);
        var first = await StartAsync(id, """{"inputs":{"tag":"v1"}}""", "Idempotency-Key: k");
        await RegisterAsync(id, """ "inputs":{"other":{"required":true}},""", "2");

        Assert.Equal(first.Body, (await StartAsync(id, """{"inputs":{"tag":"v1"}}""", "Idempotency-Key: k")).Body);
        Assert.Equal(422, (await StartAsync(id, """{"inputs":{"tag":"v1"}}""", "Idempotency-Key: another")).Status);
    }

    [Fact]
    public async Task A_workflow_of_another_dialect_takes_what_its_start_event_allows()
    {
        var name = Label;
        await RegisterAsync(name, """ "start_event":"Go","events":{"Go":{"schema":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}},""", "1");

        var refused = await PostAsync($"/api/workflows/{name}/run");
        Assert.Equal((422, "inputs.n"), (refused.Status, (string?)refused.Json!["field"]));
        Assert.Equal(422, (await StartAsync(name, """{"inputs":{"n":"one"}}""")).Status);
        Assert.Equal(202, (await StartAsync(name, """{"inputs":{"n":1}}""")).Status);
    }

    [Fact]
    public async Task A_dispatch_with_refused_inputs_leaves_nothing_behind()
    {
        var name = Label;
        var workflow = $$"""{"workflow_id":"{{name}}","version":"1","steps":{"a":{"command":"make","required_labels":["{{Label}}"]} },"inputs":{"n":{"type":"number","required":true} } }""";

        var refused = await PostAsync("/workflow/dispatch", $$"""{"workflow":{{workflow}},"inputs":{"n":"1"} }""");
        Assert.Equal((422, "inputs.n: expected a number, got a string"), (refused.Status, (string?)refused.Json!["detail"]));
        Assert.Equal(404, (await GetAsync($"/api/workflows/{name}/status")).Status);
        Assert.Equal(200, (await PostAsync("/workflow/dispatch", $$"""{"workflow":{{workflow}},"inputs":{"n":1} }""")).Status);
    }

    [Theory]
    [InlineData("/workflows/{0}/run-nowait", """{"start_event":{"n":"1"}}""", 400)]
    [InlineData("/api/workflows/workflows/{0}/instances", """{"params":{"n":"1"}}""", 400)]
    [InlineData("/api/workflows/workflows/{0}/instances/batch", """{"instances":[{"id":"ok","params":{"n":1}},{"id":"no","params":{"m":1}}]}""", 400)]
    public async Task Every_dialect_checks_declared_inputs(string route, string body, int status)
    {
        var name = Label;
        await RegisterAsync(name, """ "inputs":{"n":{"type":"number","required":true}},""", "1");

        var refused = await PostAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, route, name), body);

        Assert.Equal(status, refused.Status);
        Assert.Contains("n", refused.Body, StringComparison.Ordinal);
        Assert.Equal(404, (await GetAsync($"/api/workflows/{name}/status?wait=0")).Status);
    }

    [Fact]
    public async Task A_run_whose_result_does_not_fit_the_stop_schema_fails()
    {
        var name = Label;
        await RegisterAsync(
            name, $$""" "stop_event":"Done","events":{"Done":{"schema":{"type":"object","properties":{"version":{"type":"string","minLength":2} },"required":["version"]} } },"outputs":["a"],"more":"{{Label}}",""", "1");

        var ends = new List<int>();
        foreach (var outputs in (string[])["{}", """{"version":"7"}""", """{"version":"7.1","size":"9"}"""])
        {
            await StartAsync(name, "{}");
            await CompleteAsync((await MustClaimAsync()).Lease, outputs);
            ends.Add((await GetAsync($"/api/workflows/{name}/status?wait=60")).Status);
        }

        Assert.Equal([424, 424, 200], ends);
        Assert.Equal(
            "the result does not fit the schema of the stop event Done: version: field required",
            (string)(await CallAsync(HttpMethod.Get, $"/api/workflows/{name}/status?run=0", null, "Accept: application/json")).Json!["error"]!);
    }

    // A definition as workers of the broker dialect register it, with one shell command.
    private async Task RegisterAsync(string name, string members, string version) => Assert.Equal(200, (await PostAsync(
        "/worker/register",
        $$"""[{"workflow_id":"{{name}}","version":"{{version}}",{{members}}"steps":{"a":{"command":"make","required_labels":["{{Label}}"]} } }]""")).Status);

    private async Task<string> DefineWithAsync(string inputs)
    {
        var answer = await PostAsync("/api/workflows", $$"""{"name":"Release","trigger":"on: push","jobs":[{{Job("a")}}],"inputs":{{inputs}} }""");
        Assert.Equal(201, answer.Status);
        return (string)answer.Json!["id"]!;
    }

    private Task<Answer> StartAsync(string id, string? body, params string[] headers) =>
        CallAsync(HttpMethod.Post, $"/api/workflows/{id}/run", body, [.. headers, "Accept: application/json"]);
}
