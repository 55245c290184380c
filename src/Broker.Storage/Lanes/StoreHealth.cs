namespace Broker.Storage.Lanes;

/// <summary>
/// Whether the database takes writes at present, as the lanes find it: a full disk still answers every question that a probe could
/// put. A fault is forgotten after a while, so that a broker which gets no more requests because of it is tried again.
/// </summary>
internal sealed class StoreHealth(TimeProvider clock)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(5);

    private long failed;

    public bool CannotWrite => Interlocked.Read(ref failed) is var at and not 0 && clock.GetElapsedTime(at) < Remembered;

    /// <summary>A transaction that has written something is committed.</summary>
    public void Wrote()
    {
        if (Interlocked.Read(ref failed) != 0) Interlocked.Exchange(ref failed, 0);
    }

    /// <summary>A transaction failed because the database was not to be had.</summary>
    public void Failed() => Interlocked.Exchange(ref failed, clock.GetTimestamp());
}
