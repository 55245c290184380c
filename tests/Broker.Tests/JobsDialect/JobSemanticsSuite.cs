using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Jobs contract 6.1 to 6.9.</summary>
public abstract class JobSemanticsSuite(IJobsBroker broker) : JobsSuite(broker)
{
    [Fact] // 6.1
    public async Task Two_run_requests_before_the_first_claim_queue_each_root_once()
    {
        var id = await RunningAsync(Job("a"), Job("b", "a"));
        await RunAsync(id);
        var (_, lease) = await MustClaimAsync();
        Assert.Null(await ClaimAsync());

        // Between two jobs nothing runs, and the run is active all the same.
        await CompleteAsync(lease);
        await RunAsync(id);
        Assert.Equal("a=success b=queued", await StatusesAsync(id));
    }

    [Fact] // 6.1
    public async Task A_new_run_resets_every_job_and_kills_the_leases_of_the_old_one()
    {
        var id = await RunningAsync(Job("a", retries: 1), Job("b", "a"));
        await FailAsync((await MustClaimAsync()).Lease);
        var (_, old) = await MustClaimAsync();
        await CancelAsync(id);
        await RunAsync(id);

        var job = await JobAsync(id, "a");
        Assert.Equal(("queued", 0, null, null, null), ((string)job["status"]!, (int)job["attempt"]!, (string?)job["output"], job["started_at"], job["duration_secs"]));
        Assert.Equal("false", (await GetAsync($"/api/jobs/{id}/a/cancelled")).Body);
        Assert.Equal(409, await CompleteAsync(old));
        Assert.Equal(409, await FailAsync(old));
        Assert.Equal(409, (await PostAsync($"/api/jobs/{old}/heartbeat")).Status);
        Assert.Equal("a=queued b=queued", await StatusesAsync(id));
    }

    [Fact] // 6.1: outputs of the run before are forgotten
    public async Task A_new_run_starts_without_the_outputs_of_the_last()
    {
        var id = await RunningAsync(Job("a"), Job("b", "a"));
        await CompleteAsync((await MustClaimAsync()).Lease, """{"v":"1"}""");
        await CompleteAsync((await MustClaimAsync()).Lease);
        await RunAsync(id);
        await CompleteAsync((await MustClaimAsync()).Lease);

        Assert.Equal("""{"a":{}}""", (await ClaimAsync())!["job"]!["upstream_outputs"]!.ToJsonString());
    }

    [Fact] // 6.2, 6.4
    public async Task Jobs_are_claimed_in_order_of_queueing_and_dependents_when_all_they_need_succeeded()
    {
        var id = await RunningAsync(Job("a"), Job("b"), Job("c", "a b"), Job("d", "a"));
        var (first, a) = await MustClaimAsync();
        var (second, b) = await MustClaimAsync();
        Assert.Equal("ab", first + second);
        Assert.Null(await ClaimAsync());

        Assert.Equal(200, await CompleteAsync(a));
        Assert.Equal("a=success b=running c=queued d=queued", await StatusesAsync(id));
        Assert.Equal("d", (await MustClaimAsync()).Job);
        Assert.Null(await ClaimAsync());

        Assert.Equal(200, await CompleteAsync(b));
        Assert.Equal("c", (await MustClaimAsync()).Job);
    }

    [Fact] // 6.2
    public async Task A_claim_shows_in_the_status_at_once()
    {
        var id = await RunningAsync(Job("a"));
        var claimed = await ClaimAsync();
        var job = await JobAsync(id, "a");
        Assert.Equal(("running", (long)claimed!["lease"]!["granted_at_ms"]!), ((string)job["status"]!, (long)job["started_at"]!));

        await CompleteAsync((string)claimed["lease"]!["lease_id"]!);
        job = await JobAsync(id, "a");
        Assert.Equal(("success", null, 0), ((string)job["status"]!, (string?)job["output"], (int)job["duration_secs"]!));
    }

    [Fact] // 6.2, 6.3
    public async Task Labels_count_for_jobs_that_become_ready_later_too()
    {
        await RunningAsync(Job("a"), $$"""{"id":"b","name":"b","status":"queued","command":"b","depends_on":["a"],"required_labels":["{{Label}}","Gpu"]}""");
        await CompleteAsync((await MustClaimAsync()).Lease);

        Assert.Null(await ClaimAsync());
        Assert.Equal("null", (await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{Label}}","gpu"]}""")).Body);
        var answer = await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["x","Gpu","{{Label}}"]}""");
        Assert.Equal("b", (string)answer.Json!["job"]!["job_id"]!);
    }

    [Fact] // 6.2
    public async Task Parallel_claims_never_share_a_job()
    {
        await RunningAsync([.. Enumerable.Range(0, 12).Select(i => Job($"j{i}"))]);

        var claimed = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => ClaimAsync(worker: $"w{i}")));

        var jobs = claimed.Where(c => c is not null).Select(c => (string)c!["job"]!["job_id"]!).ToList();
        Assert.Equal(12, jobs.Count);
        Assert.Equal(12, jobs.Distinct().Count());
    }

    [Fact] // 6.3, 6.5
    public async Task Two_retries_make_three_attempts_and_then_a_failure_with_its_text()
    {
        var id = await RunningAsync(Job("root"), Job("a", "root", 2), Job("b", "a"), Job("c", "b"), Job("other", "root"));
        await CompleteAsync((await MustClaimAsync()).Lease, """{"v":"1"}""");
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var claimed = await ClaimAsync();
            if ((string)claimed!["job"]!["job_id"]! == "other")
            {
                await CompleteAsync((string)claimed["lease"]!["lease_id"]!);
                claimed = await ClaimAsync();
            }

            Assert.Equal(("a", attempt, """{"root":{"v":"1"}}"""), (
                (string)claimed!["job"]!["job_id"]!, (int)claimed["job"]!["attempt"]!, claimed["job"]!["upstream_outputs"]!.ToJsonString()));
            Assert.Equal(attempt, (int)(await JobAsync(id, "a"))["attempt"]!);
            Assert.Equal(200, await FailAsync((string)claimed["lease"]!["lease_id"]!, error: $"exit code {attempt}\0"));
            if (attempt < 2)
            {
                var waiting = await JobAsync(id, "a");
                Assert.Equal(("queued", null, null, attempt + 1), (
                    (string)waiting["status"]!, waiting["started_at"], (string?)waiting["output"], (int)waiting["attempt"]!));
            }
        }

        var failed = await JobAsync(id, "a");
        Assert.Equal(("failure", "exit code 2\uFFFD", 0), ((string)failed["status"]!, (string)failed["output"]!, (int)failed["duration_secs"]!));
        Assert.Equal("root=success a=failure b=skipped c=skipped other=success", await StatusesAsync(id));
    }

    [Fact] // 6.5
    public async Task A_failure_that_is_not_retryable_is_final_whatever_is_left()
    {
        var id = await RunningAsync(Job("a", retries: 5), Job("b", "a"));
        await FailAsync((await MustClaimAsync()).Lease, retryable: false);
        Assert.Equal("a=failure b=skipped", await StatusesAsync(id));
        Assert.Null(await ClaimAsync());
    }

    [Fact] // 6.5: other paths go on
    public async Task A_failing_root_skips_everything_below_and_nothing_else()
    {
        var id = await RunningAsync(Job("a"), Job("b"), Job("c", "a"), Job("d", "b"), Job("e", "c d"));
        await FailAsync((await MustClaimAsync()).Lease);
        await CompleteAsync((await MustClaimAsync()).Lease);
        var (job, lease) = await MustClaimAsync();
        Assert.Equal("d", job);
        await CompleteAsync(lease);
        Assert.Equal("a=failure b=success c=skipped d=success e=skipped", await StatusesAsync(id));
    }

    [Fact] // 6.5
    public async Task Exponential_backoff_doubles_from_the_first_retry()
    {
        await RunningAsync(Job("a", more: ""","retry_policy":{"max_retries":3,"backoff":{"Exponential":{"base_secs":0,"max_secs":60}}}"""));
        await FailAsync((await MustClaimAsync()).Lease);
        var claimed = await ClaimAsync();
        Assert.Equal((1, 0L), ((int)claimed!["job"]!["attempt"]!, (long)claimed["job"]!["delayed_until_ms"]!));
    }

    [Fact] // 6.6
    public async Task Cancelling_keeps_what_has_finished_and_takes_the_rest()
    {
        var id = await RunningAsync(Job("a"), Job("b"), Job("c", "a"), Job("d", "b"), Job("e"), Job("f", "e"));
        await CompleteAsync((await MustClaimAsync()).Lease);
        var (_, b) = await MustClaimAsync();
        await FailAsync((await MustClaimAsync()).Lease);
        await CancelAsync(id);

        const string cancelled = "a=success b=cancelled c=cancelled d=cancelled e=failure f=skipped";
        Assert.Equal(cancelled, await StatusesAsync(id));
        Assert.Null(await ClaimAsync());
        foreach (var (job, flag) in new[] { ("a", "false"), ("b", "true"), ("c", "true"), ("d", "true"), ("f", "false") })
            Assert.Equal(flag, (await GetAsync($"/api/jobs/{id}/{job}/cancelled")).Body);

        Assert.Equal(200, (await PostAsync($"/api/jobs/{b}/heartbeat")).Status);
        Assert.Equal(cancelled, await StatusesAsync(id));
    }

    private async Task<string> InstanceAsync(string workflow, string id) =>
        (string)(await GetAsync($"/api/workflows/{workflow}/instances/{id}")).Json!["details"]!["status"]!;

    private async Task StartInstanceAsync(string workflow, string id) =>
        Assert.Equal(200, (await PostAsync($"/api/workflows/{workflow}/instances", $$"""{"id":"{{id}}"}""")).Status);

    [Theory] // 6.6: the id of a workflow addresses its own run, whichever was started last
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancelling_a_workflow_leaves_runs_that_other_dialects_started(bool ownIsNewest)
    {
        var id = await DefineAsync(Job("a"));
        if (ownIsNewest) await StartInstanceAsync(id, "other");
        await RunAsync(id);
        if (!ownIsNewest) await StartInstanceAsync(id, "other");

        await CancelAsync(id);

        Assert.Equal(("terminated", "queued"), (await InstanceAsync(id, id), await InstanceAsync(id, "other")));
        Assert.Equal(ownIsNewest ? "a=cancelled" : "a=queued", await StatusesAsync(id));
        await CancelAsync(id);
        Assert.Equal("queued", await InstanceAsync(id, "other"));

        await CancelAsync($"{id}~other");
        Assert.Equal("terminated", await InstanceAsync(id, "other"));
    }

    [Fact] // 6.6: other runs are addressed by their instance
    public async Task Cancelling_by_an_instance_id_ends_every_active_run_with_that_id()
    {
        string[] workflows = [await DefineAsync(Job("a")), await DefineAsync(Job("a"))];
        var shared = $"shared-{Label}";
        foreach (var workflow in workflows) await StartInstanceAsync(workflow, shared);
        await StartInstanceAsync(workflows[0], "other");

        await CancelAsync(shared);

        foreach (var workflow in workflows) Assert.Equal("terminated", await InstanceAsync(workflow, shared));
        Assert.Equal("queued", await InstanceAsync(workflows[0], "other"));
        Assert.Equal(404, (await PostAsync($"/api/workflows/none-{Label}/cancel")).Status);
    }

    [Theory] // 6.6: the stock worker reports a cancelled job as a retryable failure
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_late_report_on_a_cancelled_job_is_200_and_changes_nothing(bool fails)
    {
        var worker = $"w-{Label}";
        await PostAsync("/api/workers/register", $$"""{"worker_id":"{{worker}}","labels":[]}""");
        var id = await RunningAsync(Job("a", retries: 3), Job("b", "a"));
        var (_, lease) = await MustClaimAsync(worker: worker);
        await CancelAsync(id);

        Assert.Equal(200, fails ? await FailAsync(lease, error: "cancelled") : await CompleteAsync(lease));

        Assert.Equal("a=cancelled b=cancelled", await StatusesAsync(id));
        Assert.Null(await ClaimAsync());
        Assert.Equal("true", (await GetAsync($"/api/jobs/{id}/a/cancelled")).Body);
        var shown = (await GetAsync("/api/workers")).Json!.AsArray().Single(w => (string)w!["worker_id"]! == worker)!;
        Assert.Equal("idle", (string)shown["status"]!);
    }

    [Fact] // 6.7
    public async Task An_expired_lease_uses_up_a_retry_and_then_fails_the_job()
    {
        var id = await RunningAsync(Job("a", retries: 1), Job("b", "a"));
        var (_, lost) = await MustClaimAsync(ttl: 0);
        await Broker.ReapAsync();

        Assert.Equal(("queued", 1), ((string)(await JobAsync(id, "a"))["status"]!, (int)(await JobAsync(id, "a"))["attempt"]!));
        Assert.Equal(409, await CompleteAsync(lost));
        Assert.Equal(409, (await PostAsync($"/api/jobs/{lost}/heartbeat")).Status);

        await MustClaimAsync(ttl: 0);
        await Broker.ReapAsync();
        Assert.Equal("a=failure b=skipped", await StatusesAsync(id));
        Assert.Equal("lease expired", (string)(await JobAsync(id, "a"))["output"]!);
    }

    [Fact] // 6.7
    public async Task A_report_after_the_time_but_before_collection_is_good()
    {
        var id = await RunningAsync(Job("a"));
        var (_, lease) = await MustClaimAsync(ttl: 0);
        Assert.Equal(200, await CompleteAsync(lease));
        await Broker.ReapAsync();
        Assert.Equal("a=success", await StatusesAsync(id));
    }

    [Fact] // 6.7
    public async Task The_time_asked_for_is_the_time_granted()
    {
        await RunningAsync(Job("a"), Job("b"));
        Assert.Equal(7, (int)(await ClaimAsync(ttl: 7))!["lease"]!["ttl_secs"]!);
        var endless = await PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{Label}}"],"lease_ttl_secs":9223372036854775807}""");
        Assert.Equal(200, endless.Status);
    }

    [Theory] // 12
    [InlineData(10)]
    [InlineData(100)]
    public async Task A_diamond_completes(int width)
    {
        var middle = Enumerable.Range(0, width).Select(i => $"m{i}").ToList();
        var id = await RunningAsync([Job("top"), .. middle.Select(m => Job(m, "top")), Job("bottom", string.Join(' ', middle))]);
        for (var i = 0; i < width + 2; i++) Assert.Equal(200, await CompleteAsync((await MustClaimAsync()).Lease));
        Assert.DoesNotContain("queued", await StatusesAsync(id), StringComparison.Ordinal);
        Assert.Null(await ClaimAsync());
    }
}
