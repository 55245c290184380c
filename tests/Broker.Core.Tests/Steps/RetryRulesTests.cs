using Broker.Core.Steps;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Steps;

public sealed class RetryRulesTests
{
    [Theory]
    [InlineData("exit code 3: boom", 3)]
    [InlineData("exit code -9", -9)]
    [InlineData("exit code 3", 3)]
    [InlineData("exit code : x", null)]
    [InlineData("exit code 99999999999: x", null)]
    [InlineData("the exit code 3", null)]
    [InlineData("", null)]
    public void The_error_text_of_a_job_begins_with_its_exit_code(string message, int? code) =>
        Assert.Equal(code, RetryRules.ExitCodeOf(new(StepError.DefaultName, message)));

    [Fact]
    public void An_exit_code_that_is_reported_counts_more_than_the_text() =>
        Assert.Equal(4, RetryRules.ExitCodeOf(new(StepError.DefaultName, "exit code 3") { ExitCode = 4 }));

    [Theory]
    [InlineData("Busy", true)]
    [InlineData("busy", false)]
    [InlineData("Other", false)]
    public void Names_are_compared_to_the_letter(string name, bool isCovered) =>
        Assert.Equal(isCovered, new RetryPolicy(1) { On = new(["Busy"], []) }.Covers(new(name, "")));

    [Fact]
    public void A_failure_that_is_ruled_out_is_final_also_where_it_is_asked_for()
    {
        var policy = new RetryPolicy(1) { On = new(["Busy"], []), NotOn = new(["Busy"], []) };
        Assert.False(policy.Covers(new("Busy", "")));
        Assert.True(new RetryPolicy(1).Covers(new("Busy", "")));
    }

    [Fact]
    public void Chance_shortens_a_pause_by_its_share_at_most() =>
        Prop.ForAll<int, int, byte>((retry, share, chance) =>
        {
            var policy = new RetryPolicy(9, Backoff.Exponential, 700) { Jitter = Math.Abs(share % 101) / 100.0 };
            var (whole, taken) = (policy.DelayBefore(retry), policy.DelayBefore(retry, chance / 256.0));
            return taken <= whole && taken >= (whole * (1 - policy.Jitter)) - TimeSpan.FromTicks(1);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Without_jitter_a_pause_is_exact() => Assert.Equal(TimeSpan.FromSeconds(2), new RetryPolicy(1, Backoff.Fixed, 2000).DelayBefore(1, 0.9));
}
