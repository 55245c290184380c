using System.Threading.Channels;
using Broker.Storage.Dispatch;
using Broker.Storage.Dispatch.Commands;
using Xunit;

namespace Broker.Storage.Tests;

/// <summary>Which batch loop of a group runs, and when it is woken.</summary>
public sealed class BatchSlotsTests
{
    private const int PiecesOfEach = 5_000;
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private readonly Channel<StoreCommand> waiting = Channel.CreateUnbounded<StoreCommand>();

    [Fact]
    public async Task A_sleeping_lane_is_woken_by_work()
    {
        var turns = new BatchSlots(1, waiting.Reader);
        var lane = Asleep(turns.Take);
        Come(turns);
        Assert.True(await lane.WaitAsync(WaitLimit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_turn_that_is_given_up_goes_to_a_lane_that_sleeps_if_work_is_waiting()
    {
        var turns = new BatchSlots(1, waiting.Reader);
        Come(turns);
        Assert.True(turns.Take());
        Come(turns);
        var other = Asleep(turns.Take);
        Assert.False(other.IsCompleted);
        turns.GiveUp();
        Assert.True(await other.WaitAsync(WaitLimit, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_loop_ends_after_Close_once_the_queue_is_empty(bool sleepsBefore)
    {
        var turns = new BatchSlots(1, waiting.Reader);
        Come(turns);
        Assert.True(turns.Take());
        if (!sleepsBefore) turns.Close();
        var others = new[] { Asleep(turns.Take), Asleep(turns.Take) };
        if (sleepsBefore) turns.Close();
        Assert.True(waiting.Reader.TryRead(out _));
        turns.GiveUp();
        Assert.All(await Task.WhenAll(others).WaitAsync(WaitLimit, TestContext.Current.CancellationToken), Assert.False);
        Assert.False(turns.Take());
    }

    /// <summary>A lost wake-up would leave commands in the queue: no other loop takes them.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 2, 1)]
    [InlineData(1, 2, 4)]
    [InlineData(2, 4, 3)]
    public async Task Every_command_runs_and_never_in_more_loops_than_there_are_slots(int most, int batcher, int callers)
    {
        var turns = new BatchSlots(most, waiting.Reader);
        var (working, together) = (0, 0);
        var loops = Enumerable.Range(0, batcher).Select(_ => OnItsThread(() =>
        {
            while (turns.Take())
            {
                InterlockedMax(ref together, Interlocked.Increment(ref working));
                while (waiting.Reader.TryRead(out var work)) work.Complete();
                Interlocked.Decrement(ref working);
                turns.GiveUp();
            }

            return true;
        })).ToArray();

        // Each caller waits for its command before it sends the next, so the loops sleep again and again.
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => CallAsync(turns))).WaitAsync(WaitLimit, TestContext.Current.CancellationToken);
        turns.Close();
        await Task.WhenAll(loops).WaitAsync(WaitLimit, TestContext.Current.CancellationToken);
        Assert.InRange(together, 1, most);
    }

    private async Task CallAsync(BatchSlots turns)
    {
        for (var i = 0; i < PiecesOfEach; i++) await Come(turns).Done;
    }

    private static Task<bool> OnItsThread(Func<bool> lane) => Begin(lane).Done;

    // Without this, a test could pass because no loop had to be woken.
    private static Task<bool> Asleep(Func<bool> lane)
    {
        var (thread, done) = Begin(lane);
        Assert.True(SpinWait.SpinUntil(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), WaitLimit));
        return done;
    }

    private static (Thread Thread, Task<bool> Done) Begin(Func<bool> lane)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => done.SetResult(lane())) { IsBackground = true };
        thread.Start();
        return (thread, done.Task);
    }

    private static void InterlockedMax(ref int most, int seen)
    {
        for (var known = Volatile.Read(ref most); seen > known; known = Volatile.Read(ref most)) Interlocked.CompareExchange(ref most, seen, known);
    }

    private Piece Come(BatchSlots turns)
    {
        var work = new Piece();
        Assert.True(waiting.Writer.TryWrite(work));
        turns.CommandAdded();
        return work;
    }

    private sealed class Piece : StoreCommand<bool>;
}
