using Broker.Core.Runs;
using Broker.Core.Steps;
using Xunit;

namespace Broker.Core.Tests.Runs;

public sealed class RunStatusesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static StepState Step(StepStatus status, DateTimeOffset? granted = null, DateTimeOffset? begun = null, DateTimeOffset? due = null) => new()
    {
        Index = 0,
        Status = status,
        GrantedAt = granted,
        BegunAt = begun ?? granted,
        Due = due ?? Noon,
    };

    private static RunStatus Active(DateTimeOffset? resumed, params StepState[] steps) => RunStatuses.Of(RunPhase.Active, resumed, steps, Noon);

    [Theory]
    [InlineData(RunPhase.Pausing, RunStatus.Pausing)]
    [InlineData(RunPhase.Paused, RunStatus.Paused)]
    [InlineData(RunPhase.Succeeded, RunStatus.Succeeded)]
    [InlineData(RunPhase.Failed, RunStatus.Failed)]
    [InlineData(RunPhase.Cancelled, RunStatus.Cancelled)]
    public void The_phase_decides_the_status_of_any_other_run(RunPhase phase, RunStatus status)
    {
        for (var facts = 0; facts < 16; facts++)
            Assert.Equal(status, RunStatuses.Of(phase, (facts & 1) != 0, (facts & 2) != 0, (facts & 4) != 0, (facts & 8) != 0));
    }

    [Theory]
    [InlineData(true, false, false, false, RunStatus.Running)]
    [InlineData(true, true, true, true, RunStatus.Running)]
    [InlineData(false, true, false, false, RunStatus.Queued)]
    [InlineData(false, true, true, true, RunStatus.Running)]
    [InlineData(false, false, true, false, RunStatus.Waiting)]
    [InlineData(false, false, true, true, RunStatus.Waiting)]
    [InlineData(false, false, false, false, RunStatus.Queued)]
    public void The_steps_decide_the_status_of_an_active_run(bool leased, bool claimable, bool pending, bool begun, RunStatus status) =>
        Assert.Equal(status, RunStatuses.Of(RunPhase.Active, leased, claimable, pending, begun));

    [Fact]
    public void A_run_is_queued_until_its_first_grant() => Assert.Equal(RunStatus.Queued, Active(null, Step(StepStatus.Ready)));

    [Fact]
    public void A_run_between_two_steps_is_running() =>
        Assert.Equal(RunStatus.Running, Active(null, Step(StepStatus.Succeeded, granted: Noon.AddHours(-1)), Step(StepStatus.Ready)));

    [Fact]
    public void A_run_whose_retry_is_not_due_is_waiting() =>
        Assert.Equal(RunStatus.Waiting, Active(null, Step(StepStatus.Ready, granted: Noon.AddHours(-1), due: Noon.AddSeconds(1))));

    [Fact]
    public void A_resumed_run_is_queued_until_a_later_grant()
    {
        var resumed = Noon.AddMinutes(-1);

        Assert.Equal(RunStatus.Queued, Active(resumed, Step(StepStatus.Succeeded, granted: Noon.AddHours(-1)), Step(StepStatus.Ready)));
        Assert.Equal(RunStatus.Running, Active(resumed, Step(StepStatus.Succeeded, granted: Noon), Step(StepStatus.Ready)));
    }

    [Fact]
    public void A_wait_that_began_before_the_resume_does_not_count_as_begun_after_it() =>
        Assert.Equal(RunStatus.Queued, Active(Noon.AddMinutes(-1), Step(StepStatus.Succeeded, begun: Noon.AddHours(-1)), Step(StepStatus.Ready)));
}
