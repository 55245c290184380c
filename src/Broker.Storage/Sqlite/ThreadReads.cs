using System.Collections.Concurrent;
using Broker.Storage.Tables;

namespace Broker.Storage.Sqlite;

/// <summary>
/// For SQLite, whose reads block their thread: threads of their own. On the pool, 100 readers of a 60 MB log took its few threads, and
/// every other request waited behind them: <c>/livez</c> for 5.5 s.
/// </summary>
internal sealed class ThreadReads(IDatabase database) : IPageReads, IDisposable
{
    private readonly BlockingCollection<Action> queue = [];
    private readonly Lock gate = new();
    private bool started;

    public Task<T> RunAsync<T>(Func<BrokerDb, Task<T>> read, CancellationToken ct)
    {
        Start();
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var context = ExecutionContext.Capture();
        queue.Add(() =>
        {
            if (context is null) Run(read, done, ct);
            else ExecutionContext.Run(context, _ => Run(read, done, ct), null);
        }, CancellationToken.None);
        return done.Task;
    }

    /// <summary>Ends the threads when they have run what is queued.</summary>
    public void Dispose() => queue.CompleteAdding();

    private void Run<T>(Func<BrokerDb, Task<T>> read, TaskCompletionSource<T> done, CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
        {
            done.SetCanceled(ct);
            return;
        }

        try
        {
            using var db = database.CreateContext();
            done.SetResult(read(db).GetAwaiter().GetResult());
        }
        catch (OperationCanceledException cancelled)
        {
            done.SetCanceled(cancelled.CancellationToken);
        }
        catch (Exception fault)
        {
            done.SetException(fault);
        }
    }

    private void Start()
    {
        if (Volatile.Read(ref started)) return;
        lock (gate)
        {
            if (started) return;
            for (var i = 0; i < PageReadLimit.AtOnce; i++) new Thread(Work) { IsBackground = true, Name = $"page reads {i}" }.Start();
            Volatile.Write(ref started, true);
        }
    }

    private void Work()
    {
        foreach (var read in queue.GetConsumingEnumerable()) read();
    }
}
