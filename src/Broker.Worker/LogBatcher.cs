using System.Text;
using System.Threading.Channels;

namespace Broker.Worker;

/// <summary>
/// Numbers the output of one job and pushes it in batches. A chunk is one line; in a flood lines share chunks. It holds about 1 MiB: while the
/// broker accepts no chunk, <see cref="Write"/> blocks, the pipe fills and the command waits.
/// </summary>
internal sealed class LogBatcher : IDisposable
{
    public const int BatchBytes = 64 * 1024;
    public const int MaxHeldBytes = 1024 * 1024;

    /// <summary>Beyond this many held bytes lines of one stream share chunks.</summary>
    public const int FloodBytes = MaxHeldBytes / 4;

    /// <summary>Most bytes of a shared chunk, unless a single line is longer.</summary>
    public const int SharedChunkBytes = 8 * 1024;

    // Cost of a chunk beside its text; it keeps a flood of empty lines within the bound.
    private const int ChunkOverhead = 128;

    private readonly ClaimedJob job;
    private readonly TimeSpan interval;
    private readonly TimeProvider clock;
    private readonly Func<IReadOnlyList<LogChunk>, CancellationToken, Task> push;
    private readonly Channel<LogChunk> chunks = Channel.CreateUnbounded<LogChunk>(new() { SingleReader = true });
    private readonly CancellationTokenSource giveUp = new();
    private readonly StringBuilder shared = new();
    private readonly object gate = new();
    private readonly Task pump;
    private long sequence;
    private long held;
    private bool closed;

    public LogBatcher(
        ClaimedJob job, TimeSpan interval, TimeProvider clock, Func<IReadOnlyList<LogChunk>, CancellationToken, Task> push)
    {
        this.job = job;
        this.interval = interval;
        this.clock = clock;
        this.push = push;
        pump = Task.Run(PumpAsync);
    }

    /// <summary>Blocks while too much is held; false once the batcher is closed.</summary>
    public bool Write(string stream, string data)
    {
        lock (gate)
        {
            while (held >= MaxHeldBytes && !closed) Monitor.Wait(gate);
            if (closed) return false;

            // Its number is set as it enters a batch.
            var chunk = new LogChunk(job.WorkflowId, job.JobId, 0, data, clock.GetUtcNow().ToUnixTimeMilliseconds(), stream);
            held += Size(chunk);
            return chunks.Writer.TryWrite(chunk);
        }
    }

    /// <summary>Pushes what is left; true when all of it arrived before the token ended the attempt.</summary>
    public async Task<bool> CloseAsync(CancellationToken ct)
    {
        TakeNoMore();
        try
        {
            using (ct.Register(giveUp.Cancel)) await pump;
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => giveUp.Dispose();

    private async Task PumpAsync()
    {
        try
        {
            while (await chunks.Reader.WaitToReadAsync(giveUp.Token))
            {
                var batch = new List<LogChunk>();
                var size = await FillAsync(batch);
                await push(batch, giveUp.Token);
                lock (gate)
                {
                    held -= size;
                    Monitor.PulseAll(gate);
                }
            }
        }
        finally
        {
            // The batcher is closed and will make no more room: a writer that waits must return.
            TakeNoMore();
        }
    }

    private void TakeNoMore()
    {
        lock (gate)
        {
            closed = true;
            chunks.Writer.TryComplete();
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Fills until the batch is full, its time is over, or nothing more can come. Returns how much less is held once it is pushed.</summary>
    private async Task<long> FillAsync(List<LogChunk> batch)
    {
        long held = 0, size = 0;
        using var time = new CancellationTokenSource(interval, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, giveUp.Token);
        try
        {
            do
            {
                while (chunks.Reader.TryPeek(out var next))
                {
                    var shares = MayShare(next, batch);
                    var more = shares ? Encoding.UTF8.GetByteCount(next.Data) : Size(next);
                    if (batch.Count > 0 && size + more > BatchBytes) return held;
                    chunks.Reader.TryRead(out _);
                    held += Size(next);
                    size += more;
                    Add(next, batch, shares);
                }
            }
            while (await chunks.Reader.WaitToReadAsync(either.Token));
        }
        catch (OperationCanceledException) when (!giveUp.IsCancellationRequested)
        {
            // The interval is over: push the batch.
        }
        finally
        {
            EndChunk(batch);
        }

        return held;
    }

    // A flood of two-byte lines, a chunk each, kept its job running for 12 s after its command had ended: 500 lines filled a batch.
    private bool MayShare(LogChunk next, List<LogChunk> batch) =>
        Volatile.Read(ref held) > FloodBytes && batch.Count > 0 && batch[^1].Stream == next.Stream
        && batch[^1].Data.Length + shared.Length + next.Data.Length <= SharedChunkBytes;

    private void Add(LogChunk next, List<LogChunk> batch, bool shares)
    {
        if (shares)
        {
            shared.Append(next.Data);
            return;
        }

        EndChunk(batch);
        batch.Add(next with { Sequence = sequence++ });
    }

    private void EndChunk(List<LogChunk> batch)
    {
        if (shared.Length == 0) return;
        batch[^1] = batch[^1] with { Data = batch[^1].Data + shared };
        shared.Clear();
    }

    private static int Size(LogChunk chunk) => Encoding.UTF8.GetByteCount(chunk.Data) + ChunkOverhead;
}
