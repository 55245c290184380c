using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Attempts that did not succeed, and the decisions of workers about the next one.</summary>
public abstract class AttemptConformance : StoreTests
{
    private protected AttemptConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static WorkflowDefinition Retrying(string policy) => ADefinition.Of($$"""
        {"workflow_id": "r", "jobs": {"name": "r", "trigger": ""}, "steps": {"a": {"command": "x", "depends_on": [], "retry_policy": {{policy}} } } }
        """);

    private async Task<ReportVerdict> ReportAsync(Assignment step, StepReport report) => (await Store.Steps.ReportAsync([new LeaseReport(step.Lease, report)], Ct))[0];

    [Fact]
    public async Task Each_attempt_that_fails_is_kept_with_its_worker_times_and_error()
    {
        var run = await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 2}""")), "i");
        foreach (var worker in (string[])["w1", "w2"])
        {
            var step = (await ClaimAsync(worker))!;
            await ReportAsync(step, new(ReportOutcome.Failed) { Error = new("Boom", $"of {worker}"), Retryable = true });
        }

        await SucceedAsync((await ClaimAsync("w3"))!);
        var attempts = await Store.History.AttemptsAsync(run.Id, 0, Ct);
        Assert.Equal(
            [(1, 0, AttemptOutcome.Failed, "w1", new StepError("Boom", "of w1")), (2, 1, AttemptOutcome.Failed, "w2", new StepError("Boom", "of w2"))],
            attempts.Select(a => (a.Number, a.Attempt, a.Outcome, a.Worker!, a.Error!)));
        Assert.All(attempts, a => Assert.True(a.GrantedAt <= a.EndedAt));
        Assert.Empty(await Store.History.AttemptsAsync(run.Id, 1, Ct));
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task A_purge_removes_the_attempts()
    {
        await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 2}""")), "i");
        await FailAsync((await ClaimAsync())!);
        await Store.Runs.ControlAsync("r", "i", ControlCommand.Purge, Ct);
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM step_attempt"));
    }

    [Fact]
    public async Task Only_the_last_attempts_of_a_step_are_kept()
    {
        var run = await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 0}""")), "i");
        for (var i = 0; i < StepAttemptRow.MostKept + 5; i++) Assert.Equal(ReportVerdict.Accepted, await PostponeAsync((await ClaimAsync())!));
        var kept = await Store.History.AttemptsAsync(run.Id, null, Ct);
        Assert.Equal((StepAttemptRow.MostKept, 6, StepAttemptRow.MostKept + 5), (kept.Count, kept[0].Number, kept[^1].Number));
    }

    [Fact]
    public async Task A_step_that_is_put_off_comes_back_after_its_delay_charged_nothing_with_its_progress()
    {
        var run = await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 0}""")), "i");
        var step = (await ClaimAsync())!;
        Assert.Null(step.ProgressJson);
        Assert.Equal([HeartbeatVerdict.Renewed], await Store.Steps.HeartbeatAsync([step.Lease], Ct, ["""{"page":1.0}"""]));
        Assert.Equal([HeartbeatVerdict.Renewed], await Store.Steps.HeartbeatAsync([step.Lease], Ct));
        Assert.Equal("""{"page":1.0}""", await Store.History.ProgressAsync(run.Id, 0, Ct));

        Assert.Equal(ReportVerdict.Accepted, await PostponeAsync(step, 60_000));
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(step));
        Assert.Equal(RunStatus.Waiting, (await ViewAsync(run)).Status);
        await Engine.PassAsync(TimeSpan.FromSeconds(58));
        Assert.Null(await ClaimAsync());
        await Engine.PassAsync(TimeSpan.FromSeconds(3));
        var next = (await ClaimAsync())!;
        Assert.Equal((0, """{"page":1.0}"""), (next.Attempt, next.ProgressJson));
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync(next));
        Assert.Equal((0, AttemptOutcome.Postponed), Assert.Single((await Store.History.AttemptsAsync(run.Id, null, Ct)).Select(a => (a.Attempt, a.Outcome))));
    }

    [Fact]
    public async Task A_claim_that_is_sent_again_is_given_progress_and_deadline_again()
    {
        var step = ADefinition.Of("""
            {"workflow_id": "r", "jobs": {"name": "r", "trigger": ""}, "steps": {"a": {"command": "x", "depends_on": [], "timeouts": {"attempt_ms": 5000}}}}
            """);
        await StartAsync(await RegisterAsync(step), "i");
        var first = (await ClaimAsync())!;
        await Store.Steps.HeartbeatAsync([first.Lease], Ct, ["7"]);
        await PostponeAsync(first);
        var claim = new ClaimRequest("w2", ClaimScope.ByLabels, []) { ClaimId = "c" };
        var granted = Assert.Single(await Store.Steps.ClaimAsync(claim, Ct));
        var again = Assert.Single(await Store.Steps.ClaimAsync(claim, Ct));
        Assert.Equal(("7", granted.GrantedAt.AddSeconds(5)), (granted.ProgressJson, granted.Deadline));
        Assert.Equal((granted.Lease, granted.ProgressJson, granted.Deadline), (again.Lease, again.ProgressJson, again.Deadline));
    }

    [Fact]
    public async Task Progress_of_a_lost_lease_is_not_taken()
    {
        var run = await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 1}""")), "i");
        var lost = (await ClaimAsync())!;
        Assert.Equal(ReportVerdict.Accepted, await FailAsync(lost));
        Assert.Equal([HeartbeatVerdict.Gone], await Store.Steps.HeartbeatAsync([lost.Lease], Ct, ["1"]));
        Assert.Null(await Store.History.ProgressAsync(run.Id, 0, Ct));
    }

    [Fact]
    public async Task Of_heartbeats_in_one_transaction_the_progress_that_came_last_is_kept()
    {
        var run = await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 1}""")), "i");
        var step = (await ClaimAsync())!;
        await Store.Steps.HeartbeatAsync([step.Lease, step.Lease, step.Lease], Ct, ["1", "2", null]);
        Assert.Equal("2", await Store.History.ProgressAsync(run.Id, 0, Ct));
    }

    [Fact]
    public async Task A_heartbeat_says_that_the_run_is_paused()
    {
        await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 1}""")), "i");
        var step = (await ClaimAsync())!;
        await Store.Runs.ControlAsync("r", "i", ControlCommand.Pause, Ct);
        Assert.Equal([HeartbeatVerdict.Paused], await Store.Steps.HeartbeatAsync([step.Lease], Ct));
        await Store.Runs.ControlAsync("r", "i", ControlCommand.Cancel, Ct);
        Assert.Equal([HeartbeatVerdict.Cancelled], await Store.Steps.HeartbeatAsync([step.Lease], Ct));
    }

    [Fact]
    public async Task A_worker_says_how_long_the_next_attempt_has_to_wait()
    {
        await StartAsync(await RegisterAsync(Retrying("""{"max_retries": 1, "backoff": {"Fixed": {"delay_secs": 1}}}""")), "i");
        await ReportAsync((await ClaimAsync())!, new(ReportOutcome.Failed) { Retryable = true, DelayMs = 60_000 });
        await Engine.PassAsync(TimeSpan.FromSeconds(58));
        Assert.Null(await ClaimAsync());
        await Engine.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(1, (await ClaimAsync())!.Attempt);
    }

    [Theory]
    [InlineData("""{"max_retries": 3, "retry_on": [75]}""", "exit code 75: try later", true)]
    [InlineData("""{"max_retries": 3, "retry_on": [75]}""", "exit code 7: no", false)]
    [InlineData("""{"max_retries": 3, "no_retry_on": [2, 3]}""", "exit code 3", false)]
    [InlineData("""{"max_retries": 3, "no_retry_on": [2, 3]}""", "exit code 1", true)]
    public async Task A_policy_names_the_failures_that_are_retried(string policy, string message, bool isRetried)
    {
        var run = await StartAsync(await RegisterAsync(Retrying(policy)), "i");
        await ReportAsync((await ClaimAsync())!, new(ReportOutcome.Failed) { Retryable = true, Error = new(StepError.DefaultName, message) });
        Assert.Equal(isRetried ? RunStatus.Running : RunStatus.Failed, (await ViewAsync(run)).Status);
    }
}

public sealed class PostgresAttemptTests(PostgresCluster cluster) : AttemptConformance(new OnPostgres(cluster));

public sealed class SqliteAttemptTests() : AttemptConformance(new OnSqlite());
