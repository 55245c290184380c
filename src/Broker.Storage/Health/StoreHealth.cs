using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;

namespace Broker.Storage.Health;

/// <summary>
/// Whether the database takes writes and confirms commits at present, as transactions find it. A full disk still answers every question that a
/// probe could put. A failed write is forgotten after a while, so that a broker which gets no more requests because of it is tried again; a commit
/// that was not confirmed is kept until another one is. Not sealed: tests plant a broker that ignores warnings.
/// </summary>
internal class StoreHealth(TimeProvider clock)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(5);

    private long failed;
    private volatile bool isCommitInDoubt;

    public bool CannotWrite => Interlocked.Read(ref failed) is var at and not 0 && clock.GetElapsedTime(at) < Remembered;

    /// <summary>Whether the last commit was not confirmed.</summary>
    public bool IsCommitInDoubt => isCommitInDoubt;

    /// <summary>A transaction that has written something is committed.</summary>
    public void Wrote()
    {
        if (Interlocked.Read(ref failed) != 0) Interlocked.Exchange(ref failed, 0);
        CommitConfirmed();
    }

    /// <summary>A transaction failed because the database was not to be had.</summary>
    public void Failed() => Interlocked.Exchange(ref failed, clock.GetTimestamp());

    public void CommitConfirmed()
    {
        if (isCommitInDoubt) isCommitInDoubt = false;
    }

    /// <summary>Throws if a commit returned a warning.</summary>
    public virtual void RequireConfirmed(string? warning)
    {
        if (warning is not null) throw CommitInDoubt(warning, null);
    }

    /// <summary>A commit was not confirmed. Returns the exception for its callers.</summary>
    public OutcomeUnknownException CommitInDoubt(string reason, Exception? fault)
    {
        isCommitInDoubt = true;
        StorageMetrics.CommitsInDoubt.Add(1);
        return new OutcomeUnknownException(reason, fault);
    }
}
