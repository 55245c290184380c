using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>The batch extensions: many reports or heartbeats in one request, each judged for itself.</summary>
public abstract class JobBatchSuite(IJobsBroker broker) : JobsSuite(broker)
{
    private const string NoLease = "11111111-2222-4333-8444-555555555555";

    [Fact]
    public async Task Each_report_of_a_batch_has_its_own_verdict_and_the_next_jobs_come_along()
    {
        var id = await RunningAsync(Job("a"), Job("b", retries: 1), Job("c"), Job("d", "a"));
        var (a, b, c) = ((await MustClaimAsync()).Lease, (await MustClaimAsync()).Lease, (await MustClaimAsync()).Lease);

        var answer = await PostAsync("/api/jobs/complete", $$$"""
            {"results":[{"lease_id":"{{{a}}}","outputs":{"v":"1"}},{"lease_id":"{{{b}}}","error":"exit code 1","retryable":true},
             {"lease_id":"{{{NoLease}}}"},{"lease_id":"no lease"},{"lease_id":"{{{c}}}","outputs":{"v":1}},{"lease_id":"{{{c}}}","outputs":{},"error":"x"},5,{"outputs":{}},
             {"lease_id":"{{{a}}}"}],
             "claim":{{{ClaimText(more: ",\"count\":10")}}}}
            """);

        Assert.Equal(200, answer.Status);
        Assert.Equal(
            $$$"""
            [{"lease_id":"{{{a}}}","accepted":true,"verdict":"accepted"},{"lease_id":"{{{b}}}","accepted":true,"verdict":"accepted"},
            {"lease_id":"{{{NoLease}}}","accepted":false,"verdict":"stale","code":"unknown_lease"},{"lease_id":"no lease","accepted":false,"verdict":"stale","code":"unknown_lease"},
            {"lease_id":"{{{c}}}","accepted":false,"verdict":"invalid","error":"results[4].outputs.v: expected a string, got a number"},
            {"lease_id":"{{{c}}}","accepted":false,"verdict":"invalid","error":"results[5]: has outputs and an error: a job ends with one of them"},
            {"lease_id":"","accepted":false,"verdict":"invalid","error":"results[6]: expected an object, got a number"},
            {"lease_id":"","accepted":false,"verdict":"invalid","error":"results[7].lease_id: is required"},
            {"lease_id":"{{{a}}}","accepted":false,"verdict":"stale","code":"step_ended"}]
            """.ReplaceLineEndings(""),
            answer.Json!["results"]!.ToJsonString());
        Assert.Equal(["b", "d"], answer.Json["claimed"]!.AsArray().Select(j => (string)j!["job"]!["job_id"]!).Order());
        Assert.Equal("a=success b=running c=running d=running", await StatusesAsync(id));
    }

    [Fact]
    public async Task A_limited_claim_sent_again_gets_the_same_leases()
    {
        await RunningAsync(Job("a"), Job("b"), Job("c"), Job("d"));
        var (_, lease) = await MustClaimAsync();
        var body = $$$"""
            {"results":[{"lease_id":"{{{lease}}}","outputs":{}}],"claim":{{{ClaimText(more: ",\"count\":2,\"claim_id\":\"next\"")}}}}
            """;

        var first = (await PostAsync("/api/jobs/complete", body)).Json!;
        var again = (await PostAsync("/api/jobs/complete", body)).Json!;

        Assert.Equal(("accepted", "stale"), ((string)first["results"]![0]!["verdict"]!, (string)again["results"]![0]!["verdict"]!));
        Assert.Equal(first["claimed"]!.ToJsonString(), again["claimed"]!.ToJsonString());
        Assert.Equal(2, first["claimed"]!.AsArray().Count);
        Assert.Equal("d", (await MustClaimAsync()).Job);
    }

    [Fact]
    public async Task Without_a_claim_nothing_is_claimed()
    {
        await RunningAsync(Job("a"), Job("b"));
        var (_, lease) = await MustClaimAsync();

        var answer = await PostAsync("/api/jobs/complete", $$"""{"results":[{"lease_id":"{{lease}}"}]}""");

        Assert.Equal($$"""{"results":[{"lease_id":"{{lease}}","accepted":true,"verdict":"accepted"}],"claimed":[]}""", answer.Body);
        Assert.Equal("""{"results":[],"claimed":[]}""", (await PostAsync("/api/jobs/complete", """{"results":[]}""")).Body);
    }

    [Fact]
    public async Task A_report_on_a_cancelled_job_says_so_in_a_batch()
    {
        var id = await RunningAsync(Job("a"));
        var (_, lease) = await MustClaimAsync();
        await CancelAsync(id);

        var heartbeat = await PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":["{{lease}}","{{NoLease}}","no lease",7]}""");
        Assert.Equal(
            $$$"""
            {"results":[{"lease_id":"{{{lease}}}","alive":true,"cancelled":true,"paused":false,"lost":false},
            {"lease_id":"{{{NoLease}}}","alive":false,"cancelled":false,"paused":false,"lost":true,"code":"unknown_lease"},
            {"lease_id":"no lease","alive":false,"cancelled":false,"paused":false,"lost":true,"code":"unknown_lease"},{"lease_id":"","alive":false,"cancelled":false,"paused":false,"lost":true,"code":"unknown_lease"}]}
            """.ReplaceLineEndings(""),
            heartbeat.Body);
        Assert.Equal(
            $$"""{"results":[{"lease_id":"{{lease}}","accepted":false,"verdict":"cancelled"}],"claimed":[]}""",
            (await PostAsync("/api/jobs/complete", $$"""{"results":[{"lease_id":"{{lease}}"}]}""")).Body);
    }

    [Theory]
    [InlineData("complete", "{}", "results")]
    [InlineData("complete", """{"results":{}}""", "results")]
    [InlineData("complete", """{"results":[],"claim":{"labels":[]}}""", "claim.worker_id")]
    [InlineData("complete", """{"results":[],"claim":[]}""", "claim")]
    [InlineData("complete", """{"results":[],"claim":{"\ud800":1}}""", "claim.worker_id")]
    [InlineData("heartbeat", "{}", "lease_ids")]
    [InlineData("heartbeat", "[]", "")]
    public async Task A_batch_of_the_wrong_shape_is_refused_whole(string call, string body, string field)
    {
        var answer = await PostAsync($"/api/jobs/{call}", body);
        Assert.Equal((422, field), (answer.Status, (string?)answer.Json!["field"]));
    }

    [Fact]
    public async Task A_batch_beyond_a_thousand_is_refused_with_the_limit()
    {
        var answer = await PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":[{{string.Join(',', Enumerable.Repeat("\"x\"", 1001))}}]}""");
        Assert.Equal((422, "lease_ids: has more than 1000 entries"), (answer.Status, (string?)answer.Json!["error"]));
    }
}
