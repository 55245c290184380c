using System.Text;
using System.Threading.Channels;

namespace Broker.Worker;

/// <summary>
/// Numbers the output of one job and pushes it in batches. Holds about 1 MiB at most: while the broker takes nothing,
/// <see cref="Write"/> blocks, the pipe fills and the command waits.
/// </summary>
internal sealed class LogBatcher : IDisposable
{
    public const int BatchBytes = 64 * 1024;
    public const int MaxHeldBytes = 1024 * 1024;

    // What a chunk costs beside its text; keeps a flood of empty lines within the bound.
    private const int ChunkOverhead = 128;

    private readonly ClaimedJob _job;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _clock;
    private readonly Func<IReadOnlyList<LogChunk>, CancellationToken, Task> _push;
    private readonly Channel<LogChunk> _chunks = Channel.CreateUnbounded<LogChunk>(new() { SingleReader = true });
    private readonly CancellationTokenSource _giveUp = new();
    private readonly object _gate = new();
    private readonly Task _pump;
    private long _sequence;
    private long _held;
    private bool _closed;

    public LogBatcher(
        ClaimedJob job, TimeSpan interval, TimeProvider clock, Func<IReadOnlyList<LogChunk>, CancellationToken, Task> push)
    {
        _job = job;
        _interval = interval;
        _clock = clock;
        _push = push;
        _pump = Task.Run(PumpAsync);
    }

    /// <summary>Blocks while too much is held; false once the batcher is closed.</summary>
    public bool Write(string stream, string data)
    {
        lock (_gate)
        {
            while (_held >= MaxHeldBytes && !_closed)
                Monitor.Wait(_gate);
            if (_closed)
                return false;

            var chunk = new LogChunk(
                _job.WorkflowId, _job.JobId, _sequence++, data, _clock.GetUtcNow().ToUnixTimeMilliseconds(), stream);
            _held += Size(chunk);
            return _chunks.Writer.TryWrite(chunk);
        }
    }

    /// <summary>Pushes what is left; true when all of it arrived before the token ended the attempt.</summary>
    public async Task<bool> CloseAsync(CancellationToken ct)
    {
        TakeNoMore();
        try
        {
            using (ct.Register(_giveUp.Cancel))
                await _pump;
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => _giveUp.Dispose();

    private async Task PumpAsync()
    {
        try
        {
            while (await _chunks.Reader.WaitToReadAsync(_giveUp.Token))
            {
                var batch = new List<LogChunk>();
                long size = await FillAsync(batch);
                await _push(batch, _giveUp.Token);
                lock (_gate)
                {
                    _held -= size;
                    Monitor.PulseAll(_gate);
                }
            }
        }
        finally
        {
            // Nobody would ever make room for a writer that waits now.
            TakeNoMore();
        }
    }

    private void TakeNoMore()
    {
        lock (_gate)
        {
            _closed = true;
            _chunks.Writer.TryComplete();
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Fills until the batch is full, its time is over, or nothing more can come.</summary>
    private async Task<long> FillAsync(List<LogChunk> batch)
    {
        long size = 0;
        using var time = new CancellationTokenSource(_interval, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, _giveUp.Token);
        try
        {
            do
            {
                while (_chunks.Reader.TryPeek(out var next))
                {
                    if (batch.Count > 0 && size + Size(next) > BatchBytes)
                        return size;
                    _chunks.Reader.TryRead(out _);
                    batch.Add(next);
                    size += Size(next);
                }
            }
            while (await _chunks.Reader.WaitToReadAsync(either.Token));
        }
        catch (OperationCanceledException) when (!_giveUp.IsCancellationRequested)
        {
            // The interval is over: push what there is.
        }

        return size;
    }

    private static int Size(LogChunk chunk) => Encoding.UTF8.GetByteCount(chunk.Data) + ChunkOverhead;
}
