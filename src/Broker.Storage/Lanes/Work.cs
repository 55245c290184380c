using System.Diagnostics;
using Broker.Core.Definitions;
using Broker.Core.Runs;

namespace Broker.Storage.Lanes;

/// <summary>What of a run must be loaded before a piece of work may look at it.</summary>
[Flags]
internal enum Needs
{
    Nothing = 0,

    /// <summary>All active steps, and those that hold a lease, locked.</summary>
    ActiveSteps = 1,

    /// <summary>Undelivered events.</summary>
    Mail = 2,

    /// <summary>The named step locked: heartbeats renew its lease without the run's lock.</summary>
    Lease = 4,
}

/// <summary>One caller's wish, waiting to share a transaction with others.</summary>
internal abstract class Work
{
    /// <summary>The caller has gone: nothing is done for it any more.</summary>
    public CancellationToken Cancelled { get; init; }

    /// <summary>The request that it comes from, if somebody listens to traces.</summary>
    public Activity? Caller { get; } = StorageTracing.Caller;

    /// <summary>Goes into the same transaction, after this one; null: the last of its request.</summary>
    public Work? Next { get; set; }

    public abstract void Fail(Exception fault);

    public abstract void Complete();

    /// <summary>Forgets what a transaction that did not commit has decided.</summary>
    public virtual void Reset()
    {
    }
}

internal abstract class Work<T> : Work
{
    // What waits for it goes on within Complete and Fail: see Answers.
    private readonly TaskCompletionSource<T> done = new();

    public Task<T> Done => done.Task;

    /// <summary>Set by the batch; becomes the caller's answer when the transaction has committed.</summary>
    public T? Outcome { get; set; }

    public override void Fail(Exception fault) => done.TrySetException(fault);

    public override void Complete() => done.TrySetResult(Outcome!);

    public override void Reset() => Outcome = default;
}

/// <summary>Work on a run that the caller may know by name only.</summary>
internal interface INamedWork
{
    /// <summary>The run, if its id is known.</summary>
    long RunId { get; set; }

    /// <summary>Its name, if only that is known.</summary>
    RunName? Name { get; }

    /// <summary>The definition is known now: work that names its step by name finds the index.</summary>
    void Locate(WorkflowDefinition definition)
    {
    }
}

/// <summary>Work on one run that exists: for it the run is loaded, and locked.</summary>
internal interface IRunWork : INamedWork
{
    /// <summary>The step that must be loaded.</summary>
    int? StepIndex { get; }

    Needs Needs { get; }

    /// <summary>Applies itself; null session: there is no such run.</summary>
    void Apply(LoadedRun? run, RunSession? session, ChangeSet changes, DateTimeOffset now);
}
