using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>One command for CI: an answer that is held until the run has ended. Its status is the outcome.</summary>
public abstract class JobWaitSuite(IJobsBroker broker) : JobsSuite(broker)
{
    [Theory]
    [InlineData("success", 200)]
    [InlineData("failure", 424)]
    [InlineData("cancelled", 410)]
    public async Task A_start_is_answered_when_its_run_has_ended(string outcome, int status)
    {
        var id = await DefineAsync(Job("a"));
        var waiting = StartAsync(id, "k");
        var lease = await ClaimWhenReadyAsync();
        Assert.False(waiting.IsCompleted);

        if (outcome == "success") await CompleteAsync(lease);
        else if (outcome == "failure") await FailAsync(lease, retryable: false, error: "exit code 3: no");
        else await CancelAsync(id);

        var answer = await waiting;
        Assert.Equal((status, outcome, 0), (answer.Status, (string)answer.Json!["status"]!, (int)answer.Json["run"]!));
        Assert.Equal(outcome == "failure" ? "exit code 3: no" : null, (string?)answer.Json["error"]);
        Assert.Equal((outcome, $"/api/workflows/{id}/jobs/a/logs?run=0"), ((string)answer.Json["jobs"]![0]!["status"]!, (string)answer.Json["jobs"]![0]!["logs"]!));
        Assert.Null(answer.Header("Retry-After"));

        var again = await StartAsync(id, "k");
        Assert.Equal((answer.Status, answer.Body, "true"), (again.Status, again.Body, again.Header("Idempotency-Replayed")));
        Assert.Equal((answer.Status, answer.Body), await StatusAsync(id, "?wait=60"));
        Assert.Equal((answer.Status, answer.Body), await StatusAsync(id, "?wait=0&run=0"));
    }

    [Fact]
    public async Task Time_that_is_up_is_504_and_says_when_to_ask_again()
    {
        var id = await DefineAsync(Job("a"));

        var answer = await CallAsync(HttpMethod.Post, $"/api/workflows/{id}/run?wait=0", null, "Idempotency-Key: k");
        Assert.Equal((504, "1", "queued"), (answer.Status, answer.Header("Retry-After"), (string)answer.Json!["status"]!));

        await MustClaimAsync();
        answer = await CallAsync(HttpMethod.Get, $"/api/workflows/{id}/status?wait=1", null);
        Assert.Equal((504, "1", "running"), (answer.Status, answer.Header("Retry-After"), (string)answer.Json!["status"]!));
    }

    [Fact]
    public async Task The_same_key_waits_for_the_same_run_when_another_has_begun()
    {
        var id = await DefineAsync(Job("a"));
        var first = StartAsync(id, "first");
        await FailAsync(await ClaimWhenReadyAsync(), retryable: false);
        await first;

        var second = StartAsync(id, "second");
        var lease = await ClaimWhenReadyAsync();
        Assert.Equal((424, 0), ((await StartAsync(id, "first")).Status, (int)(await StartAsync(id, "first")).Json!["run"]!));
        await CompleteAsync(lease);
        Assert.Equal((200, 1), ((await second).Status, (int)(await second).Json!["run"]!));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("601")]
    [InlineData("1.5")]
    [InlineData("")]
    public async Task A_bad_wait_is_400_and_starts_nothing(string wait)
    {
        var id = await DefineAsync(Job("a"));

        var start = await CallAsync(HttpMethod.Post, $"/api/workflows/{id}/run?wait={wait}", null, "Idempotency-Key: k");
        Assert.Equal((400, "wait: expected an integer from 0 to 600"), (start.Status, (string?)start.Json!["error"]));
        Assert.Equal(400, (await GetAsync($"/api/workflows/{id}/status?wait={wait}")).Status);
        Assert.Null(await ClaimAsync());
    }

    [Fact]
    public async Task A_start_that_waits_needs_a_key()
    {
        var id = await DefineAsync(Job("a"));

        var answer = await PostAsync($"/api/workflows/{id}/run?wait=10");
        Assert.Equal((400, "wait"), (answer.Status, (string?)answer.Json!["field"]));
        Assert.Contains("Idempotency-Key", (string)answer.Json["error"]!);
        Assert.Null(await ClaimAsync());
    }

    [Fact]
    public async Task A_workflow_without_a_run_has_nothing_to_wait_for() => Assert.Equal(404, (await GetAsync($"/api/workflows/{await DefineAsync(Job("a"))}/status?wait=1")).Status);

    [Fact]
    public async Task A_run_that_is_removed_ends_the_wait()
    {
        var id = await DefineAsync(Job("a"));
        var waiting = StartAsync(id, "k");
        await ClaimWhenReadyAsync();
        Assert.Equal(200, (await PostAsync($"/handlers/{id}/cancel?purge=true")).Status);

        Assert.Equal(404, (await waiting).Status);
    }

    private Task<Answer> StartAsync(string id, string key) => CallAsync(HttpMethod.Post, $"/api/workflows/{id}/run?wait=60", null, $"Idempotency-Key: {key}");

    private async Task<(int Status, string Body)> StatusAsync(string id, string query)
    {
        var answer = await GetAsync($"/api/workflows/{id}/status{query}");
        return (answer.Status, answer.Body);
    }

    // The claim waits until the start that is under way has made the job ready.
    private async Task<string> ClaimWhenReadyAsync()
    {
        var claimed = await PostAsync("/api/jobs/claim", ClaimText(more: ",\"wait\":60"));
        return (string)claimed.Json!["lease"]!["lease_id"]!;
    }
}
