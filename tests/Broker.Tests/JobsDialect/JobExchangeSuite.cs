using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Jobs contract 2 and 4: requests and answers of workers, to the byte.</summary>
public abstract class JobExchangeSuite(IJobsBroker broker) : JobsSuite(broker)
{
    private const string NoLease = "11111111-2222-4333-8444-555555555555";

    [Fact]
    public async Task A_claim_holds_every_field_and_integers_without_a_point()
    {
        var id = await RunningAsync(Job("compile"), Job("check"), Job("pack", "compile check", 1));
        Assert.Equal(200, await CompleteAsync((await MustClaimAsync()).Lease, """{"version":"7.1"}"""));
        Assert.Equal(200, (await PostAsync($"/api/jobs/{(await MustClaimAsync()).Lease}/complete", "{}")).Status);

        var answer = await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w-1","labels":["{{Label}}","more"]}""");

        var (job, lease) = (answer.Json!["job"]!, answer.Json["lease"]!);
        var queued = (long)job["enqueued_at_ms"]!;
        Assert.InRange((long)lease["granted_at_ms"]!, queued, queued + 60_000);
        Assert.Equal("application/json", answer.ContentType);
        Assert.Equal(
            $$$"""
            {"job":{"job_id":"pack","workflow_id":"{{{id}}}","command":"make pack","required_labels":["{{{Label}}}"],
            "retry_policy":{"max_retries":1,"backoff":"None"},"attempt":0,"upstream_outputs":{"compile":{"version":"7.1"},"check":{}},
            "enqueued_at_ms":{{{queued}}},"delayed_until_ms":0,"inputs":{},"run":0,"instance_id":"{{{id}}}"},
            "lease":{"lease_id":"{{{(string)lease["lease_id"]!}}}","job_id":"pack","workflow_id":"{{{id}}}","worker_id":"w-1","ttl_secs":30,"granted_at_ms":{{{(long)lease["granted_at_ms"]!}}}}}
            """.ReplaceLineEndings(""),
            answer.Body);
    }

    [Fact]
    public async Task Nothing_to_claim_is_the_word_null() =>
        Assert.Equal(new Answer(200, "null", "application/json"), await PostAsync("/api/jobs/claim", ClaimText()));

    [Theory]
    [InlineData("""{"labels":[]}""", "worker_id")]
    [InlineData("""{"worker_id":"w"}""", "labels")]
    [InlineData("""{"worker_id":7,"labels":[]}""", "worker_id")]
    [InlineData("""{"worker_id":"w","labels":"x"}""", "labels")]
    [InlineData("""{"worker_id":"w","labels":[null]}""", "labels")]
    [InlineData("""{"worker_id":"w","labels":["\u0000"]}""", "labels")]
    [InlineData("""{"worker_id":"w","labels":[],"lease_ttl_secs":-1}""", "lease_ttl_secs")]
    [InlineData("""{"worker_id":"w","labels":[],"lease_ttl_secs":"30"}""", "lease_ttl_secs")]
    [InlineData("""{"worker_id":"w","labels":[],"count":0}""", "count")]
    [InlineData("""{"worker_id":"w","labels":[],"count":1001}""", "count")]
    [InlineData("""{"worker_id":"w","labels":[],"wait":61}""", "wait")]
    [InlineData("""{"worker_id":"w","labels":[],"claim_id":""}""", "claim_id")]
    [InlineData("""{"\ud800":1}""", "worker_id")]
    public async Task A_faulty_claim_is_refused_with_the_field_named(string body, string field)
    {
        var answer = await PostAsync("/api/jobs/claim", body);
        Assert.Equal((422, field), (answer.Status, (string?)answer.Json!["field"]));
    }

    [Theory]
    [InlineData("complete", """{"outputs":{"a":1}}""", "outputs.a")]
    [InlineData("complete", """{"outputs":[]}""", "outputs")]
    [InlineData("complete", """{"outputs":{"a":"\ud800"}}""", "outputs")]
    [InlineData("fail", "{}", "error")]
    [InlineData("fail", """{"error":1}""", "error")]
    [InlineData("fail", """{"\ud800":1}""", "")]
    [InlineData("fail", """{"error":"x","retryable":"yes"}""", "retryable")]
    public async Task A_faulty_report_is_refused_and_the_lease_stays(string report, string body, string field)
    {
        await RunningAsync(Job("a"));
        var (_, lease) = await MustClaimAsync();

        var answer = await PostAsync($"/api/jobs/{lease}/{report}", body);

        Assert.Equal((422, field), (answer.Status, (string?)answer.Json!["field"]));
        Assert.Equal(200, await CompleteAsync(lease));
    }

    [Theory]
    [InlineData("heartbeat", null, null)]
    [InlineData("complete", "{}", "unknown_lease")]
    [InlineData("fail", """{"error":"x"}""", "unknown_lease")]
    [InlineData("release", null, "unknown_lease")]
    public async Task An_unknown_lease_is_409_and_a_heartbeat_says_no_more(string call, string? body, string? code)
    {
        foreach (var lease in (string[])[NoLease, "not-a-lease"])
        {
            var answer = await PostAsync($"/api/jobs/{lease}/{call}", body);
            Assert.Equal(409, answer.Status);
            if (code is null) Assert.Equal(new Answer(409, "", null), answer);
            else Assert.Equal(code, (string?)answer.Json!["code"]);
        }
    }

    [Fact]
    public async Task Heartbeats_come_in_three_ways_and_are_answered_empty()
    {
        await RunningAsync(Job("a"));
        var (_, lease) = await MustClaimAsync();

        Assert.Equal(new Answer(200, "", null), await PostAsync($"/api/jobs/{lease}/heartbeat"));
        Assert.Equal(new Answer(200, "", null), await PostAsync($"/api/jobs/{lease}/heartbeat", "", null));
        Assert.Equal(new Answer(200, "", null), await PostAsync($"/api/jobs/{lease}/heartbeat", "", "application/json"));
    }

    [Fact]
    public async Task A_count_makes_the_answer_an_array_and_a_claim_id_gives_the_same_again()
    {
        await RunningAsync(Job("a"), Job("b"), Job("c"));

        var first = await PostAsync("/api/jobs/claim", ClaimText(more: ""","count":2,"claim_id":"c-1" """.TrimEnd()));
        var again = await PostAsync("/api/jobs/claim", ClaimText(more: ""","count":2,"claim_id":"c-1" """.TrimEnd()));

        Assert.Equal(["a", "b"], first.Json!.AsArray().Select(c => (string)c!["job"]!["job_id"]!));
        Assert.Equal(
            first.Json!.AsArray().Select(c => (string)c!["lease"]!["lease_id"]!), again.Json!.AsArray().Select(c => (string)c!["lease"]!["lease_id"]!));
        Assert.Equal("c", (await MustClaimAsync()).Job);
        Assert.Equal("[]", (await PostAsync("/api/jobs/claim", ClaimText(more: ",\"count\":2"))).Body);
    }

    [Fact]
    public async Task A_claim_that_waits_is_answered_when_a_job_becomes_ready()
    {
        var id = await DefineAsync(Job("a"));
        var waiting = PostAsync("/api/jobs/claim", ClaimText(more: ",\"wait\":60"));
        await RunAsync(id);

        Assert.Equal("a", (string)(await waiting.WaitAsync(TimeSpan.FromSeconds(20), Ct)).Json!["job"]!["job_id"]!);
    }

    [Fact]
    public async Task A_released_job_is_claimable_again_and_charged_nothing()
    {
        await RunningAsync(Job("a"));
        var (_, lease) = await MustClaimAsync();

        Assert.Equal(new Answer(200, "", null), await PostAsync($"/api/jobs/{lease}/release"));
        Assert.Equal(409, (await PostAsync($"/api/jobs/{lease}/release")).Status);
        Assert.Equal(0, (int)(await ClaimAsync())!["job"]!["attempt"]!);
    }

    [Fact]
    public async Task The_cancelled_flag_is_a_bare_boolean()
    {
        var id = await RunningAsync(Job("a"));
        Assert.Equal(new Answer(200, "false", "application/json"), await GetAsync($"/api/jobs/{id}/a/cancelled"));
        Assert.Equal("false", (await GetAsync("/api/jobs/no/no/cancelled")).Body);
        Assert.Equal("false", (await GetAsync($"/api/jobs/{id}/no/cancelled")).Body);

        await CancelAsync(id);

        Assert.Equal(new Answer(200, "true", "application/json"), await GetAsync($"/api/jobs/{id}/a/cancelled"));
    }

    [Theory]
    [InlineData("\"None\"", "\"None\"", false)]
    [InlineData("""{"Fixed":{"delay_secs":5}}""", """{"Fixed":{"delay_secs":5}}""", true)]
    [InlineData("""{"Exponential":{"base_secs":2,"max_secs":60}}""", """{"Exponential":{"base_secs":2,"max_secs":60}}""", true)]
    public async Task A_backoff_may_be_posted_and_keeps_its_spelling(string posted, string shown, bool delays)
    {
        var id = await RunningAsync(Job("a", more: $$""","retry_policy":{"max_retries":1,"backoff":{{posted}}}"""));
        var claimed = await ClaimAsync();

        Assert.Equal($$"""{"max_retries":1,"backoff":{{shown}}}""", claimed!["job"]!["retry_policy"]!.ToJsonString());
        Assert.Equal(200, await FailAsync((string)claimed["lease"]!["lease_id"]!));
        Assert.Equal(delays, await ClaimAsync() is null);
        Assert.Equal(delays ? "a=queued" : "a=running", await StatusesAsync(id));
    }

    [Fact]
    public async Task Workers_are_listed_idle_and_busy_with_their_job()
    {
        var (b, a) = ($"b-{Label}", $"a-{Label}");
        Assert.Equal(new Answer(200, "", null), await PostAsync("/api/workers/register", $$"""{"worker_id":"{{b}}","labels":["x"]}"""));
        await PostAsync("/api/workers/register", $$"""{"worker_id":"{{a}}","labels":[]}""");
        Assert.Equal(new Answer(200, "", null), await PostAsync($"/api/workers/{b}/heartbeat"));
        await RunningAsync(Job("job"));
        var (_, lease) = await MustClaimAsync(worker: a);

        var list = (await GetAsync("/api/workers")).Json!.AsArray().Where(w => ((string)w!["worker_id"]!).EndsWith(Label, StringComparison.Ordinal)).ToList();

        Assert.Equal([b, a], list.Select(w => (string)w!["worker_id"]!));
        Assert.Equal(["worker_id", "labels", "registered_at_ms", "last_heartbeat_ms", "current_job", "status"], list[0]!.AsObject().Select(m => m.Key));
        Assert.Equal(["idle", "busy"], list.Select(w => (string)w!["status"]!));
        Assert.Equal([null, "job"], list.Select(w => (string?)w!["current_job"]));

        await CompleteAsync(lease);
        var after = (await GetAsync("/api/workers")).Json!.AsArray().Single(w => (string)w!["worker_id"]! == a)!;
        Assert.Equal(("idle", null), ((string)after["status"]!, (string?)after["current_job"]));
    }

    [Theory]
    [InlineData("""{"labels":[]}""", "worker_id")]
    [InlineData("""{"worker_id":"w"}""", "labels")]
    [InlineData("""{"worker_id":"","labels":[]}""", "worker_id")]
    [InlineData("[]", "")]
    public async Task A_faulty_registration_is_422(string body, string field)
    {
        var answer = await PostAsync("/api/workers/register", body);
        Assert.Equal((422, field), (answer.Status, (string?)answer.Json!["field"]));
    }
}
