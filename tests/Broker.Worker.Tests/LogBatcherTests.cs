using System.Threading.Channels;

namespace Broker.Worker.Tests;

public sealed class LogBatcherTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly ManualClock clock = new();
    private readonly Channel<IReadOnlyList<LogChunk>> pushed = Channel.CreateUnbounded<IReadOnlyList<LogChunk>>();
    private readonly LogBatcher batcher;
    private TaskCompletionSource broker = new();

    public LogBatcherTests()
    {
        broker.SetResult();
        batcher = new LogBatcher(new ClaimedJob("wf", "job", "true"), Interval, clock, async (chunks, ct) =>
        {
            await broker.Task.WaitAsync(ct);
            pushed.Writer.TryWrite(chunks);
        });
    }

    public void Dispose() => batcher.Dispose();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ValueTask<IReadOnlyList<LogChunk>> NextBatch() => pushed.Reader.ReadAsync(Ct);

    [Fact]
    public async Task Lines_of_half_a_second_share_a_batch()
    {
        batcher.Write("stdout", "one\n");
        batcher.Write("stderr", "two\n");
        await Eventually.True(() => clock.Timers == 1, "the batch to begin");
        Assert.False(pushed.Reader.TryPeek(out _));

        clock.Advance(Interval);
        var batch = await NextBatch();

        Assert.Equal([("one\n", "stdout", 0L), ("two\n", "stderr", 1L)], batch.Select(c => (c.Data, c.Stream, c.Sequence)));
        Assert.All(batch, c => Assert.Equal(("wf", "job"), (c.WorkflowId, c.JobId)));
        Assert.All(batch, c => Assert.Equal((clock.GetUtcNow() - Interval).ToUnixTimeMilliseconds(), c.TimestampMs));
    }

    [Fact]
    public async Task A_full_batch_does_not_wait_for_the_clock()
    {
        string line = new('x', 10_000);
        for (var i = 0; i < 7; i++) batcher.Write("stdout", line);

        Assert.Equal(6, (await NextBatch()).Count);
        Assert.True(await batcher.CloseAsync(Ct));
        Assert.Equal(6L, Assert.Single(await NextBatch()).Sequence);
    }

    [Fact]
    public async Task Lines_of_a_flood_share_chunks_and_stay_in_order()
    {
        broker = new TaskCompletionSource();
        const int lines = 6_000;
        for (var i = 0; i < lines; i++) batcher.Write(i % 1000 == 999 ? "stderr" : "stdout", $"{i}\n");
        broker.SetResult();
        Assert.True(await batcher.CloseAsync(Ct));

        var chunks = new List<LogChunk>();
        while (pushed.Reader.TryRead(out var batch)) chunks.AddRange(batch);
        Assert.Equal(string.Concat(Enumerable.Range(0, lines).Select(i => $"{i}\n")), string.Concat(chunks.Select(c => c.Data)));
        Assert.Equal(Enumerable.Range(0, chunks.Count).Select(i => (long)i), chunks.Select(c => c.Sequence));
        Assert.InRange(chunks.Count, 12, lines / 2);
        Assert.All(chunks.Where(c => c.Stream == "stderr"), c => Assert.EndsWith("999\n", c.Data, StringComparison.Ordinal));
        Assert.All(chunks, c => Assert.True(c.Data.Length <= LogBatcher.SharedChunkBytes));
    }

    [Fact]
    public async Task Closing_pushes_what_is_left_and_takes_no_more()
    {
        batcher.Write("stdout", "last");

        Assert.True(await batcher.CloseAsync(Ct));

        Assert.Single(await NextBatch());
        Assert.False(batcher.Write("stdout", "too late"));
    }

    [Fact]
    public async Task Both_streams_share_one_sequence_without_gaps()
    {
        await Task.WhenAll(new[] { "stdout", "stderr" }.Select(stream => Task.Run(() =>
        {
            for (var i = 0; i < 1000; i++) batcher.Write(stream, "line\n");
        }, Ct)));
        await batcher.CloseAsync(Ct);
        pushed.Writer.Complete();

        var all = new List<LogChunk>();
        await foreach (var batch in pushed.Reader.ReadAllAsync(Ct))
            all.AddRange(batch);
        // The writers are a flood when the pump is late: then lines of one stream share a chunk.
        Assert.Equal(Enumerable.Range(0, all.Count).Select(i => (long)i), all.Select(c => c.Sequence));
        var expected = string.Concat(Enumerable.Repeat("line\n", 1000));
        Assert.All(["stdout", "stderr"], stream =>
            Assert.Equal(expected, string.Concat(all.Where(c => c.Stream == stream).Select(c => c.Data))));
    }

    [Fact]
    public async Task A_broker_that_takes_nothing_makes_the_writer_wait_at_one_MiB()
    {
        broker = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long written = 0;
        const int lines = 200;
        var writer = Task.Run(() =>
        {
            for (var i = 0; i < lines; i++, Interlocked.Increment(ref written)) batcher.Write("stdout", new string('x', LineCutter.MaxBytes));
        }, Ct);

        await Eventually.True(() => Interlocked.Read(ref written) * LineCutter.MaxBytes > LogBatcher.MaxHeldBytes * 0.9, "the buffer to fill");
        await Assert.ThrowsAsync<TimeoutException>(() => writer.WaitAsync(TimeSpan.FromMilliseconds(100), Ct));
        Assert.InRange(Interlocked.Read(ref written) * LineCutter.MaxBytes, 0, LogBatcher.MaxHeldBytes);

        broker.SetResult();
        await writer;
        await batcher.CloseAsync(Ct);
        pushed.Writer.Complete();
        var count = 0;
        await foreach (var batch in pushed.Reader.ReadAllAsync(Ct))
            count += batch.Count;
        Assert.Equal(lines, count);
    }

    [Fact]
    public async Task Closing_ends_when_its_token_is_cancelled()
    {
        broker = new TaskCompletionSource();
        batcher.Write("stdout", "never taken");
        using var limit = new CancellationTokenSource();
        var closing = batcher.CloseAsync(limit.Token);

        await limit.CancelAsync();

        Assert.False(await closing);
    }
}
