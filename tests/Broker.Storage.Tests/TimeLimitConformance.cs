using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Contracts;
using Broker.Testing;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Limits of attempts, of steps and of runs, by the database's clock.</summary>
public abstract class TimeLimitConformance : StoreTests
{
    private protected TimeLimitConformance(ITestEngine engine)
        : base(engine)
    {
    }

    private static WorkflowDefinition Limited(string step, string workflow = "") => ADefinition.Of($$"""
        {"workflow_id": "r", {{workflow}} "jobs": {"name": "r", "trigger": ""}, "steps": {"a": {"command": "x", "depends_on": [], {{step}} } } }
        """);

    private Task<int> ExpireAsync() => Store.Runs.ExpireLeasesAsync(100, Ct);

    private Task<int> FinishDueAsync() => Store.Runs.FinishDueAsync(100, Ct);

    private async Task<IReadOnlyList<AttemptEnd>> AttemptsAsync(RunRef run) => await Store.History.AttemptsAsync(run.Id, null, Ct);

    [Fact]
    public async Task An_attempt_ends_at_its_limit_whatever_its_worker_says_and_uses_a_retry()
    {
        var definition = await RegisterAsync(Limited("""  "timeouts": {"attempt_ms": 60000}, "retry_policy": {"max_retries": 1} """));
        var run = await StartAsync(definition, "i");
        var first = (await ClaimAsync(lease: 40))!;
        Assert.Equal(first.GrantedAt.AddSeconds(60), first.Deadline);
        await Engine.PassAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([HeartbeatVerdict.Renewed], await Store.Steps.HeartbeatAsync([first.Lease], Ct));
        await Engine.PassAsync(TimeSpan.FromSeconds(31));

        // A heartbeat does not carry the lease over the limit.
        Assert.Equal([HeartbeatVerdict.Gone], await Store.Steps.HeartbeatAsync([first.Lease], Ct));
        Assert.Equal(1, await ExpireAsync());
        Assert.Equal(ReportVerdict.Stale, await SucceedAsync(first));
        var second = (await ClaimAsync(lease: 600))!;
        Assert.Equal((1, second.GrantedAt.AddSeconds(60)), (second.Attempt, second.ExpiresAt));

        await Engine.PassAsync(TimeSpan.FromSeconds(61));
        Assert.Equal(1, await ExpireAsync());
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, StepTimeouts.AttemptName), (view.Status, view.Error!.Name));
        Assert.Equal(
            [(1, 0, AttemptOutcome.TimedOut, "w1"), (2, 1, AttemptOutcome.TimedOut, "w1")],
            (await AttemptsAsync(run)).Select(a => (a.Number, a.Attempt, a.Outcome, a.Worker!)));
    }

    [Fact]
    public async Task A_failure_that_is_reported_after_the_limit_is_a_time_out()
    {
        var run = await StartAsync(await RegisterAsync(Limited("""  "timeouts": {"attempt_ms": 60000}, "retry_policy": {"max_retries": 1, "retry_on": ["1"]} """)), "i");
        var first = (await ClaimAsync(lease: 40))!;
        await Engine.PassAsync(TimeSpan.FromSeconds(61));
        var stopped = new StepReport(ReportOutcome.Failed) { Error = new("Error", "stopped at the limit"), Retryable = false };
        Assert.Equal([ReportVerdict.Accepted], await Store.Steps.ReportAsync([new LeaseReport(first.Lease, stopped)], Ct));
        Assert.Equal(1, (await ClaimAsync())!.Attempt);
        var noted = Assert.Single(await AttemptsAsync(run));
        Assert.Equal((AttemptOutcome.TimedOut, StepTimeouts.AttemptName), (noted.Outcome, noted.Error!.Name));
    }

    [Fact]
    public async Task A_lease_that_is_lost_before_the_limit_is_a_lost_lease()
    {
        var run = await StartAsync(await RegisterAsync(Limited("""  "timeouts": {"attempt_ms": 60000} """)), "i");
        Assert.NotNull(await ClaimAsync(lease: 10));
        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        Assert.Equal(1, await ExpireAsync());
        Assert.Equal(StepMachine.LeaseExpiredName, (await ViewAsync(run)).Error!.Name);
        Assert.Equal(AttemptOutcome.LeaseLost, Assert.Single(await AttemptsAsync(run)).Outcome);
    }

    [Fact]
    public async Task An_attempt_limit_uses_a_retry_where_a_lost_lease_would_not()
    {
        var (worker, _) = await Store.Workers.RegisterAsync(
            [ADefinition.Of("""{"workflow_id": "g", "steps": {"a": {"timeout_ms": 5000, "retries": {"limit": 1}}}}""")], Ct);
        var run = await StartAsync((await Store.Definitions.LatestAsync("g", Ct))!, "i");
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var held = (await Store.Steps.ClaimAsync(new ClaimRequest(worker!, ClaimScope.ByRegistration, []), Ct)).Single();
            Assert.Equal((attempt, held.GrantedAt.AddSeconds(5)), (held.Attempt, held.ExpiresAt));
            await Engine.PassAsync(TimeSpan.FromSeconds(6));
            Assert.Equal(1, await ExpireAsync());
        }

        Assert.Equal(StepTimeouts.AttemptName, (await ViewAsync(run)).Error!.Name);
    }

    [Fact]
    public async Task A_policy_of_the_worker_is_no_limit_of_the_broker()
    {
        var policies = """ "policies": [{"name": "timeout", "config": {"seconds": 5}}, {"name": "retry", "config": {"max_retries": 3, "wait": 1}}] """;
        var definition = await RegisterAsync(ADefinition.Of($$"""{"workflow_id": "g", "steps": {"a": { {{policies}} } } }"""));
        Assert.Equal((5000L, StepTimeouts.None), (definition.Steps[0].TimeoutMs, definition.Steps[0].Timeouts));
    }

    [Fact]
    public async Task A_step_that_no_worker_takes_in_time_fails_and_says_why()
    {
        var run = await StartAsync(await RegisterAsync(Limited("""  "required_labels": ["gpu"], "timeouts": {"queue_ms": 60000} """)), "i");
        await Engine.PassAsync(TimeSpan.FromSeconds(59));
        Assert.Equal(0, await FinishDueAsync());
        await Engine.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await FinishDueAsync());
        var view = await ViewAsync(run);
        Assert.Equal(
            (RunStatus.Failed, StepTimeouts.QueueName, "no worker took it within 60000 ms: No worker with the label gpu has ever been seen."),
            (view.Status, view.Error!.Name, view.Error.Message));
        Assert.Empty(await AttemptsAsync(run));
        Assert.Null(await ClaimAsync(labels: "gpu"));
    }

    [Fact]
    public async Task A_step_that_is_taken_has_no_queue_limit_any_more_and_gets_it_anew_when_it_comes_back()
    {
        var run = await StartAsync(await RegisterAsync(Limited("""  "timeouts": {"queue_ms": 10000} """)), "i");
        var held = (await ClaimAsync(lease: 3600))!;
        Assert.Null(held.Deadline);
        await Engine.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(0, await FinishDueAsync());
        Assert.Equal(ReportVerdict.Accepted, await PostponeAsync(held, 30_000));
        await Engine.PassAsync(TimeSpan.FromSeconds(35));

        // The time that a step was put off is none in which a worker could have taken it.
        Assert.Equal(0, await FinishDueAsync());
        await Engine.PassAsync(TimeSpan.FromSeconds(6));
        Assert.Equal(1, await FinishDueAsync());
        Assert.Equal(StepTimeouts.QueueName, (await ViewAsync(run)).Error!.Name);
    }

    [Fact]
    public async Task A_pause_stops_the_queue_limit_and_a_resume_begins_it_anew()
    {
        var run = await StartAsync(await RegisterAsync(Limited("""  "timeouts": {"queue_ms": 10000} """)), "i");
        await Store.Runs.ControlAsync("r", "i", ControlCommand.Pause, Ct);
        await Engine.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(0, await FinishDueAsync());
        await Store.Runs.ControlAsync("r", "i", ControlCommand.Resume, Ct);
        Assert.Equal(0, await FinishDueAsync());
        await Engine.PassAsync(TimeSpan.FromSeconds(11));
        Assert.Equal(1, await FinishDueAsync());
        Assert.Equal(RunStatus.Failed, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task The_total_limit_ends_a_running_attempt_and_leaves_no_retry()
    {
        var definition = await RegisterAsync(Limited("""  "timeouts": {"total_ms": 100000}, "retry_policy": {"max_retries": 9} """));
        var run = await StartAsync(definition, "i");
        await Engine.PassAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(ReportVerdict.Accepted, await FailAsync((await ClaimAsync())!));
        var second = (await ClaimAsync(lease: 600))!;
        Assert.True(second.ExpiresAt - second.GrantedAt <= TimeSpan.FromSeconds(40));
        await Engine.PassAsync(TimeSpan.FromSeconds(41));
        Assert.Equal(1, await ExpireAsync());
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, StepTimeouts.TotalName), (view.Status, view.Error!.Name));
        Assert.Equal([AttemptOutcome.Failed, AttemptOutcome.TimedOut], (await AttemptsAsync(run)).Select(a => a.Outcome));
    }

    [Fact]
    public async Task The_total_limit_ends_a_step_that_waits_for_its_next_attempt()
    {
        var definition = await RegisterAsync(Limited("""  "timeouts": {"total_ms": 100000}, "retry_policy": {"max_retries": 9} """));
        var run = await StartAsync(definition, "i");
        Assert.Equal(ReportVerdict.Accepted, await PostponeAsync((await ClaimAsync())!, 90_000));
        await Engine.PassAsync(TimeSpan.FromSeconds(101));
        Assert.Equal(1, await FinishDueAsync());
        Assert.Equal(StepTimeouts.TotalName, (await ViewAsync(run)).Error!.Name);
    }

    [Fact]
    public async Task A_retry_that_could_only_begin_after_the_total_limit_is_none()
    {
        var definition = await RegisterAsync(Limited(
            """  "timeouts": {"total_ms": 100000}, "retry_policy": {"max_retries": 9, "backoff": {"Fixed": {"delay_secs": 200}}} """));
        var run = await StartAsync(definition, "i");
        Assert.Equal(ReportVerdict.Accepted, await FailAsync((await ClaimAsync())!));
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, "Error"), (view.Status, view.Error!.Name));
    }

    [Fact]
    public async Task A_run_that_reaches_its_limit_fails_and_its_open_steps_are_cancelled()
    {
        var definition = await RegisterAsync(ADefinition.Of("""
            {"workflow_id": "r", "timeouts": {"run_ms": 60000}, "jobs": {"name": "r", "trigger": ""},
             "steps": {"a": {"command": "x", "depends_on": []}, "b": {"command": "x", "depends_on": []}, "c": {"command": "x", "depends_on": ["a"]}}}
            """));
        var run = await StartAsync(definition, "i");
        var held = (await ClaimAsync(lease: 600))!;
        await Engine.PassAsync(TimeSpan.FromSeconds(59));
        Assert.Equal(0, await FinishDueAsync());
        await Engine.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await FinishDueAsync());
        var view = await ViewAsync(run);
        Assert.Equal((RunStatus.Failed, StepTimeouts.RunName, "the run had not ended 60000 ms after its start"), (view.Status, view.Error!.Name, view.Error.Message));
        Assert.Equal([StepStatus.Cancelled, StepStatus.Cancelled], view.Steps.Select(s => s.Status));
        Assert.Equal([HeartbeatVerdict.Cancelled], await Store.Steps.HeartbeatAsync([held.Lease], Ct));
        Assert.Equal(ReportVerdict.StepCancelled, await SucceedAsync(held));
        Assert.Null(await ClaimAsync());
        Assert.Equal(0, await FinishDueAsync());
    }

    [Fact]
    public async Task A_run_that_ends_in_time_has_no_limit_left()
    {
        var definition = await RegisterAsync(Limited(""" "priority": 0 """, """ "timeouts": {"run_ms": 60000}, """));
        var run = (await Store.Runs.StartAsync([new StartRequest(definition, "i") { LimitMs = 5_000 }], Ct))[0].Run!;
        Assert.Equal((await ViewAsync(run)).QueuedAt.AddSeconds(5), (await ViewAsync(run)).Deadline);
        await SucceedAsync((await ClaimAsync())!);
        Assert.Null((await ViewAsync(run)).Deadline);
        await Engine.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(0, await FinishDueAsync());
        Assert.Equal(RunStatus.Succeeded, (await ViewAsync(run)).Status);
    }

    [Fact]
    public async Task A_paused_run_meets_its_limit_when_it_is_resumed()
    {
        var run = await StartAsync(await RegisterAsync(Limited(""" "priority": 0 """, """ "timeouts": {"run_ms": 60000}, """)), "i");
        await Store.Runs.ControlAsync("r", "i", ControlCommand.Pause, Ct);
        await Engine.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(0, await FinishDueAsync());
        await Store.Runs.ControlAsync("r", "i", ControlCommand.Resume, Ct);
        Assert.Equal(1, await FinishDueAsync());
        Assert.Equal(StepTimeouts.RunName, (await ViewAsync(run)).Error!.Name);
    }

    [Fact]
    public async Task Steps_without_limits_keep_no_deadline_and_runs_without_failures_no_attempts()
    {
        await StartAsync(await RegisterAsync(ADefinition.Jobs("d", "a")), "i");
        Assert.Equal(ReportVerdict.Accepted, await SucceedAsync((await ClaimAsync())!));
        Assert.Equal(["1,0"], await Engine.QueryAsync("SELECT count(*), count(deadline) + count(total_deadline) + count(attempt_ms) + count(progress) FROM step"));
        Assert.Equal(["1,0"], await Engine.QueryAsync("SELECT count(*), count(deadline) + count(priority) + count(start_at) + count(tags) FROM run"));
        Assert.Equal(["0"], await Engine.QueryAsync("SELECT count(*) FROM step_attempt"));
    }
}

public sealed class PostgresTimeLimitTests(PostgresCluster cluster) : TimeLimitConformance(new OnPostgres(cluster));

public sealed class SqliteTimeLimitTests() : TimeLimitConformance(new OnSqlite());
