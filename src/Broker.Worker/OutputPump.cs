namespace Broker.Worker;

/// <summary>
/// Reads one pipe of a command line by line on a thread of its own: reads of process pipes block, and two for each slot would use up
/// the thread pool that heartbeats need.
/// </summary>
internal sealed class OutputPump
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private readonly Stream _pipe;
    private readonly Func<string, bool> _line;
    private readonly Task _done;
    private long _reads;
    private volatile bool _writing;

    public OutputPump(Stream pipe, Func<string, bool> line)
    {
        _pipe = pipe;
        _line = line;
        _done = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>
    /// Call when the command has ended: returns when all its output was taken. A process that left the group may hold the pipe open
    /// for ever; one that writes nothing for a while is not waited for.
    /// </summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        while (!_done.IsCompleted && !ct.IsCancellationRequested)
        {
            long before = Interlocked.Read(ref _reads);
            try
            {
                await _done.WaitAsync(Quiet, ct);
            }
            catch (TimeoutException)
            {
                if (!_writing && Interlocked.Read(ref _reads) == before)
                    return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Run()
    {
        var cutter = new LineCutter();
        var buffer = new byte[LineCutter.MaxBytes];
        try
        {
            while (true)
            {
                int count = _pipe.Read(buffer);
                Interlocked.Increment(ref _reads);
                _writing = true;
                if (count == 0)
                    break;
                foreach (string line in cutter.Add(buffer.AsMemory(0, count)))
                {
                    if (!_line(line))
                        return;
                }

                _writing = false;
            }
        }
        catch (IOException)
        {
            // A broken pipe is an end like any other.
        }
        finally
        {
            if (cutter.End() is { } rest)
                _line(rest);
            _pipe.Dispose();
        }
    }
}
