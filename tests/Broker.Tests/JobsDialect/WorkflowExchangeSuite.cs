using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Jobs contract 1 to 3: exact bodies, statuses and defaults.</summary>
public abstract class WorkflowExchangeSuite(IJobsBroker broker) : JobsSuite(broker)
{
    [Fact]
    public async Task A_posted_workflow_comes_back_whole_with_defaults_filled_in()
    {
        var answer = await PostAsync("/api/workflows", """
            {"id":"ignored","name":"Né","trigger":"on: push","jobs":[
             {"id":"a b/é","name":"A","status":"queued","command":"echo 'x' && y","depends_on":[],"unknown":1},
             {"id":"b","name":"B","status":"failure","command":"","depends_on":["a b/é"],"duration_secs":7,"started_at":1.5,"output":"no","required_labels":["z","a","z"],
              "max_retries":2,"attempt":3,"metadata":{"n":1.0,"big":12345678901234567890,"k":[true,null]},
              "ports":[{"id":"p","label":"P","direction":"input"}],"children":[{"id":"c","name":"C","status":"queued","command":"c","depends_on":[]}],"collapsed":true}]}
            """);

        var id = (string)answer.Json!["id"]!;
        Assert.True(Guid.TryParseExact(id, "D", out _));
        var expected = $$"""
            {"id":"{{id}}","name":"Né","trigger":"on: push","jobs":[
            {"id":"a b/é","name":"A","status":"queued","command":"echo 'x' && y","depends_on":[],"duration_secs":null,"started_at":null,"output":null,
            "required_labels":[],"max_retries":0,"attempt":0,"metadata":{},"ports":[],"children":null,"collapsed":false},
            {"id":"b","name":"B","status":"failure","command":"","depends_on":["a b/é"],"duration_secs":7,"started_at":1.5,"output":"no",
            "required_labels":["z","a","z"],"max_retries":2,"attempt":3,"metadata":{"n":1.0,"big":12345678901234567890,"k":[true,null]},
            "ports":[{"id":"p","label":"P","direction":"input","port_type":"","color":null}],
            "children":[{"id":"c","command":"c","depends_on":[],"required_labels":[],"max_retries":0,"name":"C","status":"queued","duration_secs":null,"started_at":null,
            "output":null,"attempt":0,"metadata":{},"ports":[],"children":null,"collapsed":false}],"collapsed":true}]}
            """.ReplaceLineEndings("");
        Assert.Equal((201, expected, "application/json"), (answer.Status, answer.Body, answer.ContentType));
        Assert.Equal(new Answer(200, expected, "application/json"), await GetAsync($"/api/workflows/{id}/status"));
    }

    [Theory]
    [InlineData("""{"trigger":"t","jobs":[]}""", 422, "name")]
    [InlineData("""{"name":"n","jobs":[]}""", 422, "trigger")]
    [InlineData("""{"name":"n","trigger":"t"}""", 422, "jobs")]
    [InlineData("""{"name":5,"trigger":"t","jobs":[]}""", 422, "name")]
    [InlineData("""{"name":"n","trigger":"t","jobs":{}}""", 422, "jobs")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[5]}""", 422, "jobs[0]")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"done","command":"","depends_on":[]}]}""", 422, "jobs[0].status")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"","depends_on":["x"]}]}""", 422, "jobs.a.depends_on")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"","depends_on":["a"]}]}""", 422, "jobs.a.depends_on")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"","depends_on":[],"max_retries":-1}]}""", 422, "jobs[0].max_retries")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"","depends_on":[],"max_retries":1.0}]}""", 422, "jobs[0].max_retries")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[{"id":"","name":"a","status":"queued","command":"","depends_on":[]}]}""", 422, "jobs[0].id")]
    [InlineData("""{"name":"n\u0000","trigger":"t","jobs":[]}""", 422, "name")]
    [InlineData("""{"name":"n\ud800","trigger":"t","jobs":[]}""", 422, "name")]
    [InlineData("""{"\ud800":1}""", 422, "")]
    [InlineData("""{"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"","depends_on":[],"\ud800":1}]}""", 422, "jobs[0]")]
    [InlineData("[]", 422, "")]
    [InlineData("{", 400, null)]
    [InlineData("", 400, null)]
    public async Task A_faulty_workflow_is_refused_with_the_field_named(string body, int status, string? field)
    {
        var answer = await PostAsync("/api/workflows", body);

        Assert.Equal(status, answer.Status);
        Assert.Equal(field, (string?)answer.Json!["field"]);
        Assert.NotEmpty((string)answer.Json["error"]!);
    }

    [Fact]
    public async Task Every_problem_is_listed()
    {
        var answer = await PostAsync("/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[{{Job("a")}},{{Job("a")}},{"id":"b"}]}""");

        Assert.Equal(422, answer.Status);
        Assert.Equal(
            ["jobs[1].id", "jobs[2].name", "jobs[2].command"],
            answer.Json!["problems"]!.AsArray().Select(p => (string)p!["field"]!));
    }

    [Fact]
    public async Task Metadata_as_deep_as_a_body_may_be_is_refused_not_broken()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 59)) + string.Concat(Enumerable.Repeat("]", 59));
        Assert.Equal(201, (await PostAsync("/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[{{Job("a", more: $",\"metadata\":{{\"m\":{deep[1..^1]}}}")}}]}""")).Status);
        Assert.Equal(422, (await PostAsync("/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[{{Job("a", more: $",\"metadata\":{{\"m\":[{deep}]}}")}}]}""")).Status);
    }

    [Fact]
    public async Task An_empty_workflow_completes_at_once()
    {
        var id = await RunningAsync();

        Assert.Equal($$"""{"id":"{{id}}","name":"Release","trigger":"on: push","jobs":[]}""", (await GetAsync($"/api/workflows/{id}/status")).Body);
        await RunAsync(id);
    }

    [Fact]
    public async Task Run_and_cancel_answer_202_without_body_and_without_content_type()
    {
        var id = await DefineAsync(Job("a"));

        Assert.Equal(new Answer(202, "", null), await PostAsync($"/api/workflows/{id}/run"));
        Assert.Equal(new Answer(202, "", null), await PostAsync($"/api/workflows/{id}/run", ""));
        Assert.Equal(new Answer(202, "", null), await PostAsync($"/api/workflows/{id}/cancel", "", "application/json"));
    }

    [Theory]
    [InlineData("GET", "/api/workflows/nothing/status")]
    [InlineData("POST", "/api/workflows/nothing/run")]
    [InlineData("POST", "/api/workflows/nothing/cancel")]
    [InlineData("POST", "/api/workers/nothing/heartbeat")]
    public async Task Unknown_ids_are_404(string method, string path) => Assert.Equal(404, (await SendAsync(new HttpMethod(method), path)).Status);

    [Theory]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("limit=1.5", "limit")]
    [InlineData("limit=", "limit")]
    [InlineData("offset=-3", "offset")]
    public async Task A_bad_number_in_the_query_is_400(string query, string field)
    {
        var answer = await GetAsync($"/api/workflows?{query}");
        Assert.Equal((400, field), (answer.Status, (string?)answer.Json!["field"]));
    }

    [Fact]
    public async Task The_list_is_in_order_of_creation_filtered_then_paged()
    {
        var first = await RunningAsync(Job("a"));
        await DefineAsync(Job("a"));
        var third = await RunningAsync(Job("a"));
        await MustClaimAsync();
        await MustClaimAsync();

        var running = await IdsAsync("?status=running&limit=1000");
        Assert.Equal(2, running.Count(id => id == first || id == third));
        Assert.True(running.IndexOf(first) < running.IndexOf(third));
        Assert.Equal([third], await IdsAsync($"?status=running&limit=1&offset={running.IndexOf(third)}"));
        Assert.Empty(await IdsAsync("?limit=0"));
        Assert.Empty(await IdsAsync("?status=whatever"));
        Assert.Empty(await IdsAsync("?offset=18446744073709551615"));
    }

    [Fact]
    public async Task The_sample_is_made_anew_unless_it_runs()
    {
        var answer = await PostAsync("/api/workflows/sample");
        Assert.Equal(201, answer.Status);
        Assert.Equal(("ci-1", "ci.yml", "on: push"), ((string)answer.Json!["id"]!, (string)answer.Json["name"]!, (string)answer.Json["trigger"]!));
        Assert.Equal(
            ["unit-tests", "lint", "typecheck", "build", "deploy-db", "e2e-tests", "deploy-preview", "deploy-web"],
            answer.Json["jobs"]!.AsArray().Select(j => (string)j!["id"]!));

        await RunAsync("ci-1");
        Assert.Contains("unit-tests=queued", await StatusesAsync("ci-1"), StringComparison.Ordinal);
        await PostAsync("/api/workflows/sample");
        await CancelAsync("ci-1");
        Assert.DoesNotContain("queued", await StatusesAsync("ci-1"), StringComparison.Ordinal);

        await PostAsync("/api/workflows/sample");
        await PostAsync("/api/workflows/sample");
        Assert.All((await GetAsync("/api/workflows/ci-1/status")).Json!["jobs"]!.AsArray(), j => Assert.Equal("queued", (string)j!["status"]!));
    }

    [Fact]
    public async Task Bodies_are_read_whatever_their_content_type_says()
    {
        const string body = """{"name":"n","trigger":"t","jobs":[]}""";
        Assert.Equal(201, (await PostAsync("/api/workflows", body, null)).Status);
        Assert.Equal(201, (await PostAsync("/api/workflows", body, "text/plain")).Status);
        Assert.Equal(201, (await PostAsync("/api/workflows", body, "application/json; charset=utf-8")).Status);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_413() =>
        Assert.Equal(413, (await PostAsync("/api/workflows", $$"""{"name":"{{new string('x', 9 << 20)}}"}""")).Status);

    private async Task<List<string>> IdsAsync(string query)
    {
        var answer = await GetAsync($"/api/workflows{query}");
        Assert.Equal(200, answer.Status);
        return [.. ((JsonArray)answer.Json!).Select(w => (string)w!["id"]!)];
    }
}
