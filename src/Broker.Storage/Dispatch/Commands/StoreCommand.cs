using System.Diagnostics;
using Broker.Storage.Diagnostics;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>One caller's wish, waiting to share a transaction with others.</summary>
internal abstract class StoreCommand
{
    /// <summary>The caller has gone: nothing is done for it any more.</summary>
    public CancellationToken Cancelled { get; init; }

    /// <summary>The request that it comes from, if somebody listens to traces.</summary>
    public Activity? Caller { get; } = StorageTracing.Caller;

    /// <summary>Goes into the same transaction, after this one; null: the last of its request.</summary>
    public StoreCommand? Next { get; set; }

    public abstract void Fail(Exception fault);

    public abstract void Complete();

    /// <summary>Forgets what a transaction that did not commit has decided.</summary>
    public virtual void Reset()
    {
    }
}

internal abstract class StoreCommand<T> : StoreCommand
{
    // What waits for it goes on within Complete and Fail: see CompletionDispatcher.
    private readonly TaskCompletionSource<T> done = new();

    public Task<T> Done => done.Task;

    /// <summary>Set by the batch; becomes the caller's answer when the transaction has committed.</summary>
    public T? Outcome { get; set; }

    public override void Fail(Exception fault) => done.TrySetException(fault);

    public override void Complete() => done.TrySetResult(Outcome!);

    public override void Reset() => Outcome = default;
}
