using Broker.Core.Steps;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Steps;

public sealed class RetryPolicyTests
{
    [Theory]
    [InlineData(Backoff.None, 500, 9, 0)]
    [InlineData(Backoff.Fixed, 500, 1, 500)]
    [InlineData(Backoff.Fixed, 500, int.MaxValue, 500)]
    [InlineData(Backoff.Linear, 500, 1, 500)]
    [InlineData(Backoff.Linear, 500, 3, 1500)]
    [InlineData(Backoff.Doubling, 500, 1, 500)]
    [InlineData(Backoff.Doubling, 500, 4, 4000)]
    [InlineData(Backoff.Exponential, 2000, 1, 4000)]
    [InlineData(Backoff.Exponential, 2000, 2, 8000)]
    [InlineData(Backoff.Exponential, 2000, 3, 16_000)]
    public void Each_backoff_grows_as_its_contract_says(Backoff backoff, long unit, int retry, long delay) =>
        Assert.Equal(delay, new RetryPolicy(99, backoff, unit).DelayBefore(retry).TotalMilliseconds);

    [Fact]
    public void The_cap_of_the_policy_holds() =>
        Assert.Equal([4, 5, 5], Enumerable.Range(1, 3).Select(n => (int)new RetryPolicy(9, Backoff.Exponential, 2000, 5000).DelayBefore(n).TotalSeconds));

    [Theory]
    [InlineData(Backoff.Fixed)]
    [InlineData(Backoff.Linear)]
    [InlineData(Backoff.Exponential)]
    [InlineData(Backoff.Doubling)]
    public void No_numbers_overflow(Backoff backoff)
    {
        Assert.Equal(RetryPolicy.LongestMs, new RetryPolicy(9, backoff, long.MaxValue, long.MaxValue).DelayBefore(int.MaxValue).TotalMilliseconds);
        Assert.Equal(0, new RetryPolicy(9, backoff, long.MinValue).DelayBefore(int.MaxValue).TotalMilliseconds);
        Assert.Equal(0, new RetryPolicy(9, backoff, 5, long.MinValue).DelayBefore(1).TotalMilliseconds);
        Assert.Equal(0, new RetryPolicy(9, backoff, 0).DelayBefore(int.MaxValue).TotalMilliseconds);
    }

    [Fact]
    public void Delays_are_within_bounds_and_never_shrink() =>
        Prop.ForAll<Backoff, long, int>((backoff, unit, retry) =>
        {
            var policy = new RetryPolicy(9, backoff, unit);
            var (delay, next) = (policy.DelayBefore(retry), policy.DelayBefore(retry == int.MaxValue ? retry : retry + 1));
            return delay >= TimeSpan.Zero && next >= delay && next.TotalMilliseconds <= RetryPolicy.LongestMs;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(2, 0, true)]
    [InlineData(2, 1, true)]
    [InlineData(2, 2, false)]
    public void Two_retries_are_the_attempts_0_1_2(int most, int attempt, bool allowed) => Assert.Equal(allowed, new RetryPolicy(most).Allows(attempt));
}
