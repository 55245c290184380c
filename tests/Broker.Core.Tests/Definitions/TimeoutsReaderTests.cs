using Broker.Core.Steps;
using Xunit;

namespace Broker.Core.Tests.Definitions;

public sealed class TimeoutsReaderTests
{
    [Fact]
    public void Limits_stand_on_steps_and_on_the_workflow()
    {
        var definition = Doc.Of("""
            {"workflow_id": "w", "timeouts": {"run_ms": 5}, "steps": {"a": {"timeouts": {"queue_ms": 1, "attempt_ms": 2, "total_ms": 3}}, "b": {"timeout_ms": 4}, "c": {}}}
            """);
        Assert.Equal(5, definition.RunMs);
        Assert.Equal([new(1, 2, 3), new(AttemptMs: 4), StepTimeouts.None], definition.Steps.Select(s => s.Timeouts));
        Assert.Equal([2, 4, null], definition.Steps.Select(s => s.TimeoutMs));
    }

    [Fact]
    public void A_policy_of_the_worker_and_the_time_of_a_wait_are_no_limits_of_an_attempt()
    {
        var definition = Doc.Steps(""" "a": {"policies": [{"name": "timeout", "config": {"seconds": 5}}]}, "b": {"kind": "waitForEvent", "event": "E", "timeout_ms": 2000} """);
        Assert.All(definition.Steps, step => Assert.Equal(StepTimeouts.None, step.Timeouts));
        Assert.Equal([5000, 2000], definition.Steps.Select(s => s.TimeoutMs));
    }

    [Theory]
    [InlineData("""{"timeouts": {"attempt_ms": 0}}""", "steps.a.timeouts.attempt_ms: expected an integer from 1 to 31536000000")]
    [InlineData("""{"timeouts": {"attempt": 1}}""", "steps.a.timeouts.attempt: is not known; expected queue_ms, attempt_ms, total_ms")]
    [InlineData("""{"timeouts": {"attempt_ms": 5}, "timeout_ms": 5}""", "steps.a.timeouts.attempt_ms: is the same as timeout_ms: give one of them")]
    [InlineData("""{"timeouts": {"queue_ms": 5}, "kind": "sleep", "duration_ms": 1}""", "steps.a.timeouts: is for tasks; a wait has timeout_ms, a sleep duration_ms")]
    [InlineData("""{"timeouts": 5}""", "steps.a.timeouts: expected an object, got a number")]
    [InlineData("""{"retries": {"limit": 1, "jitter": 1.5}}""", "steps.a.retries.jitter: expected a number from 0 to 1")]
    [InlineData("""{"retries": {"limit": 1, "retry_on": "E"}}""", "steps.a.retries.retry_on: expected an array of at most 100 names of errors and exit codes")]
    [InlineData("""{"retry_policy": {"max_retries": 1, "no_retry_on": [1.5]}}""", "steps.a.retry_policy.no_retry_on: expected names of errors and exit codes, got 1.5")]
    public void Faults_are_named_with_their_place(string step, string problem) =>
        Assert.Contains(problem, Doc.Read(Doc.Around($"\"a\": {step}")).Problems.Select(p => p.ToString()));

    [Fact]
    public void A_run_limit_is_refused_with_its_place() =>
        Assert.Equal(["timeouts.ms: is not known; expected run_ms"], Doc.Read("""{"workflow_id": "w", "timeouts": {"ms": 1}, "steps": {}}""").Problems.Select(p => p.ToString()));

    [Theory]
    [InlineData("""{"retries": {"limit": 3, "jitter": 0.5, "retry_on": ["Busy", 75], "no_retry_on": [2]}}""")]
    [InlineData("""{"retry_policy": {"max_retries": 3, "jitter": 0.5, "retry_on": ["Busy", 75], "no_retry_on": [2]}}""")]
    public void Both_spellings_of_a_policy_have_jitter_and_rules(string step)
    {
        var retry = Doc.Steps($"\"a\": {step}").Steps[0].Retry;
        Assert.Equal((3, 0.5), (retry.MaxRetries, retry.Jitter));
        Assert.Equal(["Busy"], retry.On.Names);
        Assert.Equal([75], retry.On.ExitCodes);
        Assert.Equal([2], retry.NotOn.ExitCodes);
    }
}
