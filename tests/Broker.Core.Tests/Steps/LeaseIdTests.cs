using Broker.Core.Steps;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Steps;

public sealed class LeaseIdTests
{
    private const long RunLimit = 1L << 47;
    private const int StepLimit = 1 << 24;

    [Fact]
    public void A_lease_id_returns_its_run_step_and_fence() =>
        Prop.ForAll<ulong, ulong, uint>((run, fence, step) => RoundTrips((long)(run % RunLimit), (int)(step % StepLimit), (long)(fence % LeaseId.FenceLimit)))
            .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(RunLimit - 1, StepLimit - 1, LeaseId.FenceLimit - 1)]
    [InlineData(1, 0, 1L << 38)]
    [InlineData(1, 0, (1L << 38) - 1)]
    public void The_largest_run_step_and_fence_survive_a_lease_id(long run, int step, long fence) => Assert.True(RoundTrips(run, step, fence));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("lease")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("6f9619ff-8b86-4011-b42d-00c04fc964ff")]
    [InlineData("6f9619ff-8b86-8011-742d-00c04fc964ff")]
    [InlineData("6f9619ff8b868011b42d00c04fc964ff")]
    public void A_text_that_cannot_be_a_lease_of_the_broker_is_refused(string? text) => Assert.False(LeaseId.TryParse(text, out _));

    private static bool RoundTrips(long run, int step, long fence)
    {
        var lease = LeaseId.Create(run, step, fence);
        return (lease.RunId, lease.Step, lease.Fence) == (run, step, fence)
            && lease.Value.Version == 8
            && LeaseId.TryParse(lease.ToString(), out var read)
            && read == lease
            && LeaseId.TryParse(lease.ToString().ToUpperInvariant(), out read)
            && read == lease;
    }
}
