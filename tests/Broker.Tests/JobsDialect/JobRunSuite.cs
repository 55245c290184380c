using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Runs have identities: which run a start got, and status, cancel and logs of one run.</summary>
public abstract class JobRunSuite(IJobsBroker broker) : JobsSuite(broker)
{
    private const string Json = "Accept: application/json";

    [Theory]
    [InlineData("{}", null)]
    [InlineData(null, Json)]
    [InlineData(null, "Accept: text/plain, application/json;q=0.5")]
    public async Task A_start_with_a_body_or_for_JSON_is_answered_with_the_run(string? body, string? accept)
    {
        var id = await DefineAsync(Job("a"));

        var answer = await StartAsync(id, body, accept is null ? [] : [accept]);

        var status = $"/api/workflows/{id}/status?run=0";
        Assert.Equal($$"""{"run":0,"instance_id":"{{id}}","joined":false,"status_url":"{{status}}"}""", answer.Body);
        Assert.Equal((202, "application/json", status), (answer.Status, answer.ContentType, answer.Header("Location")));
        Assert.Equal(200, (await GetAsync(status)).Status);
        Assert.Equal("""{"run":0,"joined":true}""", Members((await StartAsync(id, body, accept is null ? [] : [accept])).Json!, "run", "joined"));
    }

    [Theory]
    [InlineData(null, "Accept: */*")]
    [InlineData("", "Accept: application/xml")]
    [InlineData("  ", "Accept: application/json;q=0")]
    [InlineData(null, "Accept: application/problem+json")]
    public async Task Any_other_start_is_answered_as_ever(string? body, string accept)
    {
        var answer = await StartAsync(await DefineAsync(Job("a")), body, accept);
        Assert.Equal((202, "", null, null), (answer.Status, answer.Body, answer.ContentType, answer.Header("Location")));
    }

    [Theory]
    [InlineData("[]", "")]
    [InlineData("null", "")]
    [InlineData("""{"input":{}}""", "input")]
    [InlineData("""{"inputs":[]}""", "inputs")]
    [InlineData("""{"inputs":{"a":1},"inputs":{}}""", "inputs")]
    [InlineData("""{"inputs":{"a":{"b":1,"b":2}}}""", "inputs.a.b")]
    [InlineData("""{"inputs":{"a":"\ud800"}}""", "inputs.a")]
    [InlineData("""{"inputs":{"a":"\u0000"}}""", "inputs.a")]
    [InlineData("""{"inputs":{"a b":1,"a-b":1}}""", "inputs.a-b")]
    [InlineData("""{"id":5}""", "id")]
    [InlineData("""{"id":""}""", "id")]
    [InlineData("""{"id":"a~b"}""", "id")]
    [InlineData("""{"id":"a/b"}""", "id")]
    [InlineData("""{"id":".."}""", "id")]
    [InlineData("""{"id":"nightly.1"}""", "id")]
    [InlineData("""{"if_active":"restart"}""", "if_active")]
    [InlineData("""{"if_active":1}""", "if_active")]
    [InlineData("""{"id":"x","if_active":"start"}""", "if_active")]
    [InlineData("""{"tags":[]}""", "tags")]
    [InlineData("""{"tags":{"a":true}}""", "tags.a")]
    [InlineData("""{"tags":{"a":""}}""", "tags.a")]
    [InlineData("""{"tags":{"a":"\u0000"}}""", "tags.a")]
    [InlineData("""{"tags":{"":1}}""", "tags")]
    [InlineData("""{"tags":{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}}""", "tags")]
    [InlineData("""{"priority":1001}""", "priority")]
    [InlineData("""{"priority":1.0}""", "priority")]
    [InlineData("""{"delay_ms":-1}""", "delay_ms")]
    [InlineData("""{"delay_ms":"1"}""", "delay_ms")]
    [InlineData("""{"delay_ms":1,"start_at":1}""", "delay_ms")]
    [InlineData("""{"start_at":"2026-01-31T06:00:00"}""", "start_at")]
    [InlineData("""{"start_at":"tomorrow at six o'clock"}""", "start_at")]
    [InlineData("""{"start_at":1e300}""", "start_at")]
    [InlineData("""{"start_at":253402300799999,"run_ms":31536000000}""", "start_at")]
    [InlineData("""{"start_at":{}}""", "start_at")]
    [InlineData("""{"run_ms":0}""", "run_ms")]
    public async Task A_faulty_start_is_refused_with_the_field_named_and_starts_nothing(string body, string field)
    {
        var id = await DefineAsync(Job("a"));

        var answer = await StartAsync(id, body);

        Assert.Equal((422, field), (answer.Status, (string?)answer.Json!["field"]));
        Assert.Null(await ClaimAsync());
        Assert.Equal(404, (await GetAsync($"/api/workflows/{id}/status?run=0")).Status);
    }

    [Fact]
    public async Task A_body_that_is_no_JSON_is_400() => Assert.Equal(400, (await StartAsync(await DefineAsync(Job("a")), "{")).Status);

    [Fact]
    public async Task All_problems_of_a_start_are_listed()
    {
        var answer = await StartAsync(await DefineAsync(Job("a")), """{"inputs":1,"id":2,"more":3,"if_active":"x"}""");
        Assert.Equal(["more", "inputs", "id", "if_active"], answer.Json!["problems"]!.AsArray().Select(p => (string)p!["field"]!));
    }

    [Fact]
    public async Task A_start_with_other_inputs_than_the_active_run_is_a_conflict_that_names_them()
    {
        var id = await DefineAsync(Job("a"));
        await StartAsync(id, """{"inputs":{"tag":"v1","n":1,"same":[1]}}""");

        Assert.Equal("""{"run":0,"joined":true}""", Members((await StartAsync(id, """{"inputs":{"n":1.0,"same":[1],"tag":"v\u0031"}}""")).Json!, "run", "joined"));
        Assert.Equal("""{"run":0,"joined":true}""", Members((await StartAsync(id, "{}")).Json!, "run", "joined"));
        Assert.Equal(202, (await PostAsync($"/api/workflows/{id}/run")).Status);
        var other = await StartAsync(id, """{"inputs":{"tag":"v2","same":[1],"more":null}}""", "Idempotency-Key: k");
        Assert.Equal((409, "inputs"), (other.Status, (string?)other.Json!["field"]));
        Assert.Equal(["inputs.more", "inputs.n", "inputs.tag"], other.Json["problems"]!.AsArray().Select(p => (string)p!["field"]!));

        // The refusal is not kept under the key.
        await CompleteAsync((await MustClaimAsync()).Lease);
        Assert.Equal("""{"run":1,"joined":false}""", Members((await StartAsync(id, """{"inputs":{"tag":"v2","same":[1],"more":null}}""", "Idempotency-Key: k")).Json!, "run", "joined"));
    }

    [Fact]
    public async Task An_instance_of_its_own_runs_beside_the_one_named_like_the_workflow()
    {
        var id = await DefineAsync(Job("a"));
        await RunAsync(id);

        var nightly = await StartAsync(id, """{"id":"nightly 7"}""");

        var status = $"/api/workflows/{id}~nightly%207/status?run=0";
        Assert.Equal($$"""{"run":0,"instance_id":"nightly 7","joined":false,"status_url":"{{status}}"}""", nightly.Body.Replace("%7E", "~", StringComparison.Ordinal));
        Assert.Equal("queued", (string)(await CallAsync(HttpMethod.Get, status, null, Json)).Json!["status"]!);
        Assert.Equal([id, $"{id}~nightly 7"], new[] { await ClaimAsync(), await ClaimAsync() }.Select(claimed => (string)claimed!["job"]!["workflow_id"]!));
        Assert.Equal(422, (await StartAsync($"{id}~nightly%207", """{"id":"x"}""")).Status);
        Assert.True((bool)(await StartAsync($"{id}~nightly%207", "{}")).Json!["joined"]!);
    }

    [Theory]
    [InlineData("2999-01-31T06:00:00+01:00", "32474754000000")]
    [InlineData("2999-01-31T05:00:00.000Z", "32474754000000")]
    [InlineData(null, "32474754000000")]
    public async Task A_run_starts_at_its_instant(string? text, string ms)
    {
        var id = await DefineAsync(Job("a"));

        await StartAsync(id, $$"""{"start_at":{{(text is null ? ms : $"\"{text}\"")}},"tags":{"commit":"3c1f","n":1.0} }""");

        Assert.Null(await ClaimAsync());
        var run = (await CallAsync(HttpMethod.Get, $"/api/workflows/{id}/status?run=0", null, Json)).Json!;
        Assert.Equal($$$"""{"status":"queued","tags":{"commit":"3c1f","n":1.0},"start_at":{{{ms}}}}""", Members(run, "status", "tags", "start_at"));
        Assert.Equal(504, (await GetAsync($"/api/workflows/{id}/status?wait=0")).Status);
        await CancelAsync(id);
    }

    [Fact]
    public async Task A_delay_counts_from_the_start_and_an_instant_that_has_passed_is_now()
    {
        var id = await DefineAsync(Job("a"));
        await StartAsync(id, """{"delay_ms":3600000}""");
        Assert.Null(await ClaimAsync());
        await CancelAsync(id);

        await StartAsync(id, """{"start_at":0}""");
        Assert.NotNull(await ClaimAsync());
    }

    [Fact]
    public async Task The_priority_of_a_run_counts_at_the_claim()
    {
        var (low, high) = (await DefineAsync(Job("a")), await DefineAsync(Job("a")));
        await StartAsync(low, """{"priority":-5}""");
        await StartAsync(high, """{"priority":5}""");

        Assert.Equal([high, low], new[] { await ClaimAsync(), await ClaimAsync() }.Select(claimed => (string)claimed!["job"]!["workflow_id"]!));
    }

    [Fact]
    public async Task Reject_is_a_conflict_while_a_run_is_active()
    {
        var id = await DefineAsync(Job("a"));
        Assert.Equal(202, (await StartAsync(id, """{"if_active":"reject"}""", "Idempotency-Key: first")).Status);

        var refused = await StartAsync(id, """{"if_active":"reject"}""", "Idempotency-Key: second");
        Assert.Equal((409, "if_active"), (refused.Status, (string?)refused.Json!["field"]));
        Assert.Equal(202, (await StartAsync(id, """{"if_active":"reject"}""", "Idempotency-Key: first")).Status);

        await CompleteAsync((await MustClaimAsync()).Lease);
        Assert.Equal(1, (int)(await StartAsync(id, """{"if_active":"reject"}""", "Idempotency-Key: second")).Json!["run"]!);
    }

    [Fact]
    public async Task Start_makes_a_further_instance_while_a_run_is_active()
    {
        var id = await DefineAsync(Job("a"));
        Assert.Equal(id, (string)(await StartAsync(id, """{"if_active":"start"}""")).Json!["instance_id"]!);

        var further = await StartAsync(id, """{"if_active":"start","inputs":{"n":2}}""", "Idempotency-Key: k");
        Assert.Matches("^[A-Za-z0-9]{10}$", (string)further.Json!["instance_id"]!);
        Assert.Equal((0, false), ((int)further.Json["run"]!, (bool)further.Json["joined"]!));
        Assert.Equal(further.Body, (await StartAsync(id, """{"if_active":"start","inputs":{"n":2}}""", "Idempotency-Key: k")).Body);
        Assert.Equal("""{"n":2}""", (await CallAsync(HttpMethod.Get, (string)further.Json["status_url"]!, null, Json)).Json!["inputs"]!.ToJsonString());
    }

    [Fact]
    public async Task The_status_of_one_run_stays_when_another_has_begun()
    {
        var id = await RunningAsync(Job("a"));
        await FailAsync((await MustClaimAsync()).Lease, retryable: false, error: "exit code 2: no rule");
        await RunAsync(id);

        var first = (await CallAsync(HttpMethod.Get, $"/api/workflows/{id}/status?run=0", null, Json)).Json!;
        Assert.Equal(
            $$"""{"status":"failure","workflow_id":"{{id}}","instance_id":"{{id}}","run":0,"inputs":{},"error":"exit code 2: no rule"}""",
            Members(first, "status", "workflow_id", "instance_id", "run", "inputs", "error"));
        Assert.True((long)first["started_at"]! <= (long)first["ended_at"]!);
        Assert.Equal(
            $$"""[{"id":"a","status":"failure","attempt":0,"error":"exit code 2: no rule","logs":"/api/workflows/{{id}}/jobs/a/logs?run=0","summary":"/api/workflows/{{id}}/jobs/a/summary?run=0"}]""", $"[{Members(first["jobs"]![0]!, "id", "status", "attempt", "error", "logs", "summary")}]");
        var attempt = Assert.Single(first["jobs"]![0]!["attempts"]!.AsArray())!;
        Assert.Equal("""{"attempt":0,"outcome":"failed","error":{"name":"Error","message":"exit code 2: no rule","exit_code":null}}""", Members(attempt, "attempt", "outcome", "error"));
        Assert.True((long)attempt["started_at"]! <= (long)attempt["ended_at"]! && attempt["worker_id"] is not null);

        Assert.Equal("failure", (string)(await GetAsync($"/api/workflows/{id}/status?run=0")).Json!["jobs"]![0]!["status"]!);
        Assert.Equal("queued", (string)(await GetAsync($"/api/workflows/{id}/status")).Json!["jobs"]![0]!["status"]!);
        Assert.Equal("""{"status":"queued","run":1,"started_at":null,"ended_at":null,"error":null}""",
            Members((await CallAsync(HttpMethod.Get, $"/api/workflows/{id}/status?run=1", null, Json)).Json!, "status", "run", "started_at", "ended_at", "error"));
    }

    [Theory]
    [InlineData("GET", "status")]
    [InlineData("POST", "cancel")]
    [InlineData("GET", "jobs/a/logs")]
    [InlineData("GET", "jobs/a/logs/stream")]
    public async Task An_unknown_run_is_404_and_a_bad_number_400(string method, string path)
    {
        var id = await RunningAsync(Job("a"));
        foreach (var (number, expected) in (IEnumerable<(string, int)>)[("1", 404), ("2147483647", 404), ("2147483648", 400), ("-1", 400), ("x", 400), ("", 400), ("1.0", 400)])
        {
            var answer = await SendAsync(new(method), $"/api/workflows/{id}/{path}?run={number}");
            Assert.Equal((expected, "run"), (answer.Status, (string?)answer.Json!["field"]));
        }

        Assert.Equal(404, (await SendAsync(new(method), $"/api/workflows/nothing/{path}?run=0")).Status);
    }

    [Fact]
    public async Task Cancel_names_the_runs_that_it_ended_when_JSON_is_asked_for()
    {
        var id = await RunningAsync(Job("a"));

        var cancelled = await CallAsync(HttpMethod.Post, $"/api/workflows/{id}/cancel", null, Json);
        Assert.Equal((202, $$"""{"cancelled":[{"instance_id":"{{id}}","run":0}]}"""), (cancelled.Status, cancelled.Body));
        Assert.Equal("""{"cancelled":[]}""", (await CallAsync(HttpMethod.Post, $"/api/workflows/{id}/cancel", null, Json)).Body);
    }

    [Fact]
    public async Task Cancel_of_one_run_leaves_the_next_alone()
    {
        var id = await RunningAsync(Job("a"));
        await CompleteAsync((await MustClaimAsync()).Lease);
        await RunAsync(id);

        Assert.Equal("""{"cancelled":[]}""", (await CallAsync(HttpMethod.Post, $"/api/workflows/{id}/cancel?run=0", null, Json)).Body);
        Assert.Equal("a=queued", await StatusesAsync(id));
        Assert.Equal(new Answer(202, "", null), await PostAsync($"/api/workflows/{id}/cancel?run=1"));
        Assert.Equal("a=cancelled", await StatusesAsync(id));
    }

    [Fact]
    public async Task Logs_of_one_run_carry_its_number_and_the_attempt()
    {
        var id = await RunningAsync(Job("a", retries: 1));
        var first = (await MustClaimAsync()).Lease;
        await LogAsync(first, id, "one");
        await FailAsync(first);
        var second = (await MustClaimAsync()).Lease;
        await LogAsync(second, id, "two");
        await CompleteAsync(second);
        await LogAsync("00000000-0000-0000-0000-000000000000", id, "stray");
        await RunAsync(id);
        var third = (await MustClaimAsync()).Lease;
        await LogAsync(third, id, "three");

        Assert.Equal(["one", "two", "stray", "three"], Texts(await GetAsync($"/api/workflows/{id}/jobs/a/logs")));
        Assert.Equal(["0/0 one", "0/1 two"], Numbered(await GetAsync($"/api/workflows/{id}/jobs/a/logs?run=0")));
        Assert.Equal(["1/0 three"], Numbered(await GetAsync($"/api/workflows/{id}/jobs/a/logs?run=1")));
        Assert.Null((await GetAsync($"/api/workflows/{id}/jobs/a/logs")).Json![0]!["run"]);
        Assert.Equal("[]", (await GetAsync($"/api/workflows/{id}/jobs/none/logs?run=0")).Body);
    }

    [Fact]
    public async Task A_summary_is_kept_with_its_run_and_is_no_line_of_the_log()
    {
        var id = await RunningAsync(Job("a", retries: 1), Job("b"));
        Assert.Equal(new Answer(204, "", null), await GetAsync($"/api/workflows/{id}/jobs/a/summary"));

        Assert.Equal(200, (await PostAsync($"/api/jobs/{(await MustClaimAsync()).Lease}/fail", """{"error":"no","retryable":true,"summary":"first"}""")).Status);
        await CompleteAsync((await MustClaimAsync()).Lease);
        var result = $$"""{"lease_id":"{{(await MustClaimAsync()).Lease}}","outputs":{"v":"1"},"summary":"## \u00e9\n<b>"}""";
        Assert.Equal(200, (await PostAsync("/api/jobs/complete", $$"""{"results":[{{result}}]}""")).Status);
        await RunAsync(id);

        foreach (var query in (string[])["?run=0", "?run=00"])
            Assert.Equal(new Answer(200, "## é\n<b>", "text/markdown; charset=utf-8"), await GetAsync($"/api/workflows/{id}/jobs/a/summary{query}"));
        Assert.Equal(204, (await GetAsync($"/api/workflows/{id}/jobs/a/summary")).Status);
        Assert.Equal(204, (await GetAsync($"/api/workflows/{id}/jobs/b/summary?run=0")).Status);
        Assert.Equal(404, (await GetAsync($"/api/workflows/{id}/jobs/none/summary?run=0")).Status);
        Assert.Equal("[]", (await GetAsync($"/api/workflows/{id}/jobs/a/logs")).Body);
        Assert.Equal("[]", (await GetAsync($"/api/workflows/{id}/jobs/a/logs?run=0")).Body);
    }

    [Theory]
    [InlineData("complete", """{"outputs":{},"summary":1}""")]
    [InlineData("fail", """{"error":"no","summary":[]}""")]
    public async Task A_summary_that_is_no_text_is_refused(string verb, string body)
    {
        await RunningAsync(Job("a"));
        var answer = await PostAsync($"/api/jobs/{(await MustClaimAsync()).Lease}/{verb}", body);
        Assert.Equal((422, "summary"), (answer.Status, (string?)answer.Json!["field"]));
    }

    [Fact]
    public async Task A_summary_has_1_MiB_at_most()
    {
        await RunningAsync(Job("a"));
        var lease = (await MustClaimAsync()).Lease;
        Assert.Equal(422, (await PostAsync($"/api/jobs/{lease}/complete", $$"""{"summary":"{{new string('x', (1024 * 1024) + 1)}}"}""")).Status);
        Assert.Equal(200, (await PostAsync($"/api/jobs/{lease}/complete", $$"""{"summary":"{{new string('x', 1024 * 1024)}}"}""")).Status);
    }

    [Fact]
    public async Task A_badge_shows_the_last_run()
    {
        var id = await DefineAsync(Job("a"));
        async Task<string> WordAsync() => System.Xml.Linq.XDocument.Parse((await GetAsync($"/api/workflows/{id}/badge.svg")).Body).Root!.Attribute("aria-label")!.Value;

        Assert.Equal("Release: no run", await WordAsync());
        await RunAsync(id);
        Assert.Equal("Release: queued", await WordAsync());
        var lease = (await MustClaimAsync()).Lease;
        Assert.Equal("Release: running", await WordAsync());
        await CompleteAsync(lease);
        Assert.Equal("Release: success", await WordAsync());

        var badge = await CallAsync(HttpMethod.Get, $"/api/workflows/{id}/badge.svg", null);
        Assert.Equal(("image/svg+xml", "max-age=10"), (badge.ContentType, badge.Header("Cache-Control")));
        Assert.Equal(404, (await GetAsync("/api/workflows/nothing/badge.svg")).Status);
    }

    [Fact]
    public async Task A_stream_of_one_run_has_its_lines_alone()
    {
        var id = await RunningAsync(Job("a"));
        var lease = (await MustClaimAsync()).Lease;
        await LogAsync(lease, id, "one");
        await CompleteAsync(lease);
        await RunAsync(id);
        lease = (await MustClaimAsync()).Lease;
        await LogAsync(lease, id, "two");

        using var stream = new StreamReader(await Broker.Http.GetStreamAsync(new Uri(Broker.Address, $"api/workflows/{id}/jobs/a/logs/stream?run=1"), Ct));
        Assert.Equal("1/0 two", Numbered(await NextAsync(stream)));
        await LogAsync(lease, id, "three");
        Assert.Equal("1/0 three", Numbered(await NextAsync(stream)));
    }

    private static async Task<JsonNode> NextAsync(StreamReader stream)
    {
        while (await stream.ReadLineAsync(Ct) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal)) return JsonNode.Parse(line["data: ".Length..])!;
        }

        throw new EndOfStreamException();
    }

    private Task<Answer> StartAsync(string id, string? body, params string[] headers) => CallAsync(HttpMethod.Post, $"/api/workflows/{id}/run", body, headers);

    private async Task LogAsync(string lease, string workflow, string text) => Assert.Equal(200, (await PostAsync(
        $"/api/jobs/{lease}/logs",
        $$"""{"chunks":[{"workflow_id":"{{workflow}}","job_id":"a","sequence":0,"data":"{{text}}","timestamp_ms":1,"stream":"stdout"}]}""")).Status);

    private static IEnumerable<string> Texts(Answer logs) => logs.Json!.AsArray().Select(line => (string)line!["data"]!);

    private static IEnumerable<string> Numbered(Answer logs) => logs.Json!.AsArray().Select(line => Numbered(line!));

    private static string Numbered(JsonNode line) => $"{(int)line["run"]!}/{(int)line["attempt"]!} {(string)line["data"]!}";

    private static string Members(JsonNode owner, params string[] names) =>
        new JsonObject(names.Select(name => KeyValuePair.Create(name, owner[name]?.DeepClone()))).ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    [Fact] // 25
    public async Task A_cancel_with_a_grace_time_lets_a_cleaning_step_run()
    {
        var id = $"cleaning-{Guid.NewGuid():N}";
        var registered = await PostAsync("/worker/register", $$"""
            [{"workflow_id":"{{id}}","jobs":{"name":"c","trigger":""},"steps":{
              "build":{"command":"true","depends_on":[]},"ship":{"command":"true","depends_on":["build"]},
              "tidy":{"command":"true","depends_on":["ship"],"when":"always() && cancelled()","required_labels":["{{id}}"]} } }]
            """);
        Assert.Equal(200, registered.Status);
        Assert.Equal(202, (await PostAsync($"/api/workflows/{id}/run")).Status);
        Assert.Equal(422, (await PostAsync($"/api/workflows/{id}/cancel", """{"grace":1}""")).Status);
        Assert.Equal(422, (await PostAsync($"/api/workflows/{id}/cancel", """{"grace_ms":3600001}""")).Status);
        Assert.Equal(202, (await PostAsync($"/api/workflows/{id}/cancel", """{"grace_ms":60000}""")).Status);

        Assert.Equal("build=cancelled ship=skipped tidy=queued", await StatusesAsync(id));
        var claimed = await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{id}}"]}""");
        var lease = claimed.Json!["lease"]!["lease_id"];
        Assert.Equal(200, (await PostAsync($"/api/jobs/{lease}/complete", "{}")).Status);
        Assert.Equal("build=cancelled ship=skipped tidy=success", await StatusesAsync(id));
        Assert.Contains("\"status\":\"cancelled\"", (await CallAsync(HttpMethod.Get, $"/api/workflows/{id}/status?run=0", null, Json)).Body, StringComparison.Ordinal);
    }
}
