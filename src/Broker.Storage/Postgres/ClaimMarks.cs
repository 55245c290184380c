using System.Collections.Concurrent;

namespace Broker.Storage.Postgres;

/// <summary>
/// Where in a queue a claim begins to look. Steps that were handed out leave dead entries at the front of the claim index until the
/// next vacuum, and for as long as anybody holds a snapshot; without a mark every claim walked over all of them. Measured: at 12,000 dead
/// entries that walk was a third of the server's work. A mark only saves work: a claim that finds too little looks again from the front,
/// and what a mark hides from claims that find enough is found at the next renewal.
/// </summary>
internal sealed class ClaimMarks(TimeProvider clock)
{
    /// <summary>So often a claim begins at the very front.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, Mark> marks = new();

    /// <summary>The rank at which to begin.</summary>
    public long Of(int queueId) => marks.GetOrAdd(queueId, static (_, clock) => new Mark(clock), clock).Read(clock);

    /// <summary>
    /// What comes before this rank has been handed out. Before the commit: until then those steps are locked, and other claims of this
    /// broker do better not to look at them. A transaction that fails makes up for it by <see cref="Forget"/>.
    /// </summary>
    public void Advance(int queueId, long rank)
    {
        if (marks.TryGetValue(queueId, out var mark)) mark.Advance(rank);
    }

    /// <summary>A step of this rank has become ready.</summary>
    public void Lower(int queueId, long rank)
    {
        if (marks.TryGetValue(queueId, out var mark)) mark.Lower(rank);
    }

    /// <summary>A transaction has failed: what others skipped because it had it locked is in front of their marks.</summary>
    public void Forget() => marks.Clear();

    private sealed class Mark(TimeProvider clock)
    {
        private readonly Lock turn = new();
        private long from;
        private long renewed = clock.GetTimestamp();

        public long Read(TimeProvider clock)
        {
            lock (turn)
            {
                if (clock.GetElapsedTime(renewed) >= Renewal) (from, renewed) = (0, clock.GetTimestamp());
                return from;
            }
        }

        public void Advance(long rank)
        {
            lock (turn) from = Math.Max(from, rank);
        }

        public void Lower(long rank)
        {
            lock (turn) from = Math.Min(from, rank);
        }
    }
}
