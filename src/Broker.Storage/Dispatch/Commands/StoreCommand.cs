using System.Diagnostics;
using Broker.Storage.Diagnostics;

namespace Broker.Storage.Dispatch.Commands;

/// <summary>One caller's change or claim, queued for a batch.</summary>
internal abstract class StoreCommand : ITraced
{
    /// <summary>The caller has disconnected: the command does nothing.</summary>
    public CancellationToken Cancelled { get; init; }

    /// <summary>The request that it comes from, where traces are recorded.</summary>
    public Activity? Caller { get; } = StorageTracing.Caller;

    /// <summary>Joins the same transaction, after this one; null: the last of its request.</summary>
    public StoreCommand? Next { get; set; }

    /// <summary>Instants after its own that it gives to what it adds.</summary>
    public virtual int FurtherInstants => 0;

    /// <summary>Lets the rules decide on it. Claims and heartbeats decide nothing: they are part of the write.</summary>
    public virtual void Decide(BatchContext batch, DateTimeOffset now)
    {
    }

    /// <summary>Answers the caller with an exception.</summary>
    public abstract void Fail(Exception fault);

    /// <summary>Answers the caller with the outcome.</summary>
    public abstract void Complete();

    /// <summary>Drops the decisions of a transaction that did not commit.</summary>
    public virtual void Reset()
    {
    }
}

/// <summary>A command with an answer.</summary>
internal abstract class StoreCommand<T> : StoreCommand
{
    // Continuations run inline in Complete and Fail; CompletionDispatcher moves them to the thread pool.
    private readonly TaskCompletionSource<T> done = new();

    public Task<T> Done => done.Task;

    /// <summary>Set by the batch; becomes the caller's answer when the transaction has committed.</summary>
    public T? Outcome { get; set; }

    public override void Fail(Exception fault) => done.TrySetException(fault);

    public override void Complete() => done.TrySetResult(Outcome!);

    public override void Reset() => Outcome = default;
}
