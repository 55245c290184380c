using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Steps;

public sealed class StepMachineTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly WorkflowDefinition Once = Doc.Steps("\"a\":{}");
    private static readonly WorkflowDefinition Job = Doc.Steps("""  "a":{"depends_on":[],"retry_policy":{"max_retries":1,"backoff":{"Fixed":{"delay_secs":5}}}}""");

    private static StepState Ready => new() { Index = 0, Status = StepStatus.Ready, QueuedAt = Noon, Due = Noon };
    private static StepState Leased => StepMachine.Claim(Ready, "w", 7, 30, Noon);

    [Fact]
    public void A_step_is_claimable_from_its_due_time_on_unless_held()
    {
        Assert.True(StepMachine.IsClaimable(Ready, Noon));
        Assert.False(StepMachine.IsClaimable(Ready, Noon.AddTicks(-1)));
        Assert.False(StepMachine.IsClaimable(Ready with { Paused = true }, Noon));
        Assert.False(StepMachine.IsClaimable(Leased, Noon));
    }

    [Fact]
    public void A_claim_grants_a_lease_and_keeps_the_first_begin()
    {
        Assert.Equal((StepStatus.Leased, Noon.AddSeconds(30), Noon), (Leased.Status, Leased.ExpiresAt, Leased.BegunAt));
        Assert.Equal(Noon, StepMachine.Claim(Leased, "v", 8, 30, Noon.AddHours(1)).BegunAt);
    }

    [Fact]
    public void A_report_under_another_fence_is_stale() =>
        Assert.Equal(Refusal.StaleLease, StepMachine.Report(Leased, 8, new(ReportOutcome.Succeeded), Once.Steps[0], Noon).Refusal);

    [Fact]
    public void A_report_counts_after_its_lease_has_expired_until_the_lease_is_collected() =>
        Assert.Equal(StepStatus.Succeeded, StepMachine.Report(Leased, 7, new(ReportOutcome.Succeeded), Once.Steps[0], Noon.AddDays(1)).Next.Status);

    [Fact]
    public void The_late_report_of_a_cancelled_step_changes_nothing_but_its_lease()
    {
        var cancelled = StepMachine.Cancel(Leased, Noon.AddSeconds(1));

        var verdict = StepMachine.Report(cancelled, 7, new(ReportOutcome.Failed) { Retryable = true }, Job.Steps[0], Noon.AddSeconds(2));

        Assert.Equal(Refusal.Cancelled, verdict.Refusal);
        Assert.Equal(cancelled with { Fence = null, ExpiresAt = null, Worker = null }, verdict.Next);
    }

    [Fact]
    public void A_failure_without_a_policy_is_final() =>
        Assert.Equal(StepStatus.Failed, StepMachine.Report(Leased, 7, new(ReportOutcome.Failed) { Retryable = true }, Once.Steps[0], Noon).Next.Status);

    [Fact]
    public void A_failure_is_retried_when_it_may_be_and_only_then()
    {
        var retried = StepMachine.Report(Leased, 7, new(ReportOutcome.Failed) { Retryable = true, Error = new("E", "m") }, Job.Steps[0], Noon.AddSeconds(1)).Next;

        Assert.Equal((StepStatus.Ready, 1, Noon.AddSeconds(6)), (retried.Status, retried.Attempt, retried.Due));
        Assert.Equal(new("E", "m"), retried.Error);
        Assert.Null(retried.Fence);
        Assert.Equal(StepStatus.Failed, StepMachine.Report(Leased, 7, new(ReportOutcome.Failed), Job.Steps[0], Noon).Next.Status);
        Assert.Equal(StepStatus.Failed, StepMachine.Report(Leased with { Attempt = 1 }, 7, new(ReportOutcome.Failed) { Retryable = true }, Job.Steps[0], Noon).Next.Status);
        Assert.Equal(StepStatus.Failed, StepMachine.Report(Leased, 7, new(ReportOutcome.Cancelled) { Retryable = true }, Job.Steps[0], Noon).Next.Status);
    }

    [Fact]
    public void Success_forgets_the_failure_of_the_attempt_before()
    {
        var second = Leased with { Attempt = 1, Error = new("E", "m") };

        Assert.Null(StepMachine.Report(second, 7, new(ReportOutcome.Succeeded), Job.Steps[0], Noon).Next.Error);
    }

    [Fact]
    public void A_lease_is_over_at_its_end_and_not_before()
    {
        Assert.Equal(Refusal.StaleLease, StepMachine.Expire(Leased, 7, Once, Noon.AddSeconds(30).AddTicks(-1)).Refusal);
        Assert.Equal(Refusal.StaleLease, StepMachine.Expire(Leased, 8, Once, Noon.AddSeconds(30)).Refusal);
        Assert.True(StepMachine.Expire(Leased, 7, Once, Noon.AddSeconds(30)).Accepted);
    }

    [Fact]
    public void A_step_that_keeps_losing_its_lease_is_given_up_as_poison()
    {
        var step = Ready;
        for (var loss = 1; loss <= 4; loss++)
        {
            step = StepMachine.Expire(StepMachine.Claim(step, "w", loss, 1, Noon), loss, Once, Noon.AddSeconds(1)).Next;
            Assert.Equal((loss, 0, Noon), (step.Losses, step.Attempt, step.Due));
            Assert.Equal(loss <= 3 ? StepStatus.Ready : StepStatus.Failed, step.Status);
        }

        Assert.Equal(StepMachine.LeaseExpiredName, step.Error!.Name);
        Assert.Contains("poison", step.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lease_granted_ahead_costs_nothing_until_its_hand_over_is_recorded()
    {
        var ahead = StepMachine.Claim(Ready, "w", 7, 30, Noon, ahead: true);
        foreach (var definition in new[] { Once, Job })
            Assert.Equal(Ready with { BegunAt = Noon, GrantedAt = Noon, LeaseSecs = 30 }, StepMachine.Expire(ahead, 7, definition, Noon.AddSeconds(30)).Next);

        var recorded = StepMachine.Renew(ahead, Noon.AddSeconds(10));
        Assert.Equal(Noon.AddSeconds(40), recorded.ExpiresAt);
        Assert.Equal(1, StepMachine.Expire(recorded, 7, Once, Noon.AddSeconds(40)).Next.Losses);
        Assert.False(StepMachine.Report(ahead, 7, StepReport.Returned, Once.Steps[0], Noon).Next.Ahead);
    }

    [Fact]
    public void A_job_pays_for_a_lost_lease_with_a_retry()
    {
        var retried = StepMachine.Expire(Leased, 7, Job, Noon.AddSeconds(40)).Next;
        var failed = StepMachine.Expire(Leased with { Attempt = 1 }, 7, Job, Noon.AddSeconds(40)).Next;

        Assert.Equal((StepStatus.Ready, 1, Noon.AddSeconds(45)), (retried.Status, retried.Attempt, retried.Due));
        Assert.Equal((StepStatus.Failed, "lease expired"), (failed.Status, failed.Error!.Message));
    }
}
