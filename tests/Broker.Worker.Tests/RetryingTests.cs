namespace Broker.Worker.Tests;

public sealed class RetryingTests
{
    private static readonly WorkerTimings Timings = new() { RetryFirst = TimeSpan.FromSeconds(1), RetryMost = TimeSpan.FromSeconds(10) };

    [Theory]
    [InlineData(0, 0.5, 1)]
    [InlineData(1, 1, 2)]
    [InlineData(3, 4, 8)]
    [InlineData(4, 5, 10)]
    [InlineData(int.MaxValue, 5, 10)]
    public void Pauses_grow_to_the_most_and_keep_their_jitter_there(int attempt, double least, double most)
    {
        Assert.Equal(least, Retrying.Pause(Timings, attempt, 0)!.Value.TotalSeconds);
        Assert.Equal(most, Retrying.Pause(Timings, attempt, 1)!.Value.TotalSeconds);
    }
}
