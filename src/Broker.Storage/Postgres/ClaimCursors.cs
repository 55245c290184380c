using System.Collections.Concurrent;

namespace Broker.Storage.Postgres;

/// <summary>
/// The rank in each queue at which a claim starts. Granted steps leave dead entries at the front of the claim index until the next vacuum, or for as long
/// as a snapshot is held. Without a cursor every claim walked over these dead entries; 12,000 of them took 33 % of the server's work.
/// A cursor only saves work: a claim that finds too little scans again from the front, and the next renewal finds steps before the cursor.
/// </summary>
internal sealed class ClaimCursors(TimeProvider clock)
{
    /// <summary>So often a claim begins at the very front.</summary>
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, Cursor> cursors = new();
    private int taking;

    /// <summary>The rank at which to begin, and which <see cref="Lower"/> was the last before.</summary>
    public (long From, long Version) Of(int queueId) => cursors.GetOrAdd(queueId, static (_, clock) => new Cursor(clock), clock).Read(clock);

    /// <summary>
    /// All steps before this rank have been handed out, but for those that have become ready since <paramref name="version"/>. Before the commit:
    /// until then those steps are locked, and other claims of this broker do better not to look at them. A transaction that fails makes up for
    /// it by <see cref="Forget"/>.
    /// </summary>
    public void Advance(int queueId, long rank, long version)
    {
        if (cursors.TryGetValue(queueId, out var cursor)) cursor.Advance(rank, version);
    }

    /// <summary>A step of this rank has become ready.</summary>
    public void Lower(int queueId, long rank)
    {
        if (cursors.TryGetValue(queueId, out var cursor)) cursor.Lower(rank);
    }

    /// <summary>
    /// A transaction is about to take so many steps. Answers how many others of this broker are taking: they have them locked, in front of what is left.
    /// </summary>
    public int Take(int steps) => Interlocked.Add(ref taking, steps) - steps;

    /// <summary>It is over.</summary>
    public void Taken(int steps) => Interlocked.Add(ref taking, -steps);

    /// <summary>A transaction has failed: what others skipped because it had it locked is in front of their marks.</summary>
    public void Forget() => cursors.Clear();

    private sealed class Cursor(TimeProvider clock)
    {
        private const int MostLowered = 16;

        // The last ranks that became ready, while claims that did not see them were looking.
        private readonly long[] lowered = new long[MostLowered];
        private readonly Lock turn = new();

        // Far from those of a mark that has been forgotten.
        private long version = clock.GetTimestamp();
        private long from;
        private long renewed = clock.GetTimestamp();

        public (long From, long Version) Read(TimeProvider clock)
        {
            lock (turn)
            {
                if (clock.GetElapsedTime(renewed) >= Renewal) (from, renewed) = (0, clock.GetTimestamp());
                return (from, version);
            }
        }

        public void Advance(long rank, long seen)
        {
            lock (turn)
            {
                if (version - seen is < 0 or > MostLowered) return;
                for (var i = seen; i != version; i++) rank = Math.Min(rank, lowered[i % MostLowered]);
                from = Math.Max(from, rank);
            }
        }

        public void Lower(long rank)
        {
            lock (turn)
            {
                lowered[version++ % MostLowered] = rank;
                from = Math.Min(from, rank);
            }
        }
    }
}
