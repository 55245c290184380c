namespace Broker.Storage.Dispatch;

/// <summary>
/// The place in a label queue at which a claim that is limited to workflows starts, for each queue and limit. Only steps of other workflows stand before
/// it, and without a cursor each such claim walked over them. A cursor only saves work. A step that becomes ready in front of it lowers it, and
/// walks from the front find steps whose signals of other brokers were lost.
/// </summary>
internal sealed class LimitedClaimCursors(TimeProvider clock)
{
    /// <summary>
    /// So long after a walk from the front, for each row that has been read since, the next one begins there. Measured: a row costs 2.5 us, so
    /// these walks take 5 % of one processor at most, however many rows stand in front. A queue of 100 rows is walked from the front each 5 ms.
    /// </summary>
    private static readonly TimeSpan RestForRow = TimeSpan.FromMicroseconds(50);

    // Keys are made by operators and few; the bound is against forged labels.
    private const int MostQueues = 10_000;

    private readonly Lock turn = new();
    private readonly Dictionary<int, Dictionary<string, Cursor>> queues = [];
    private volatile bool isEmpty = true;

    /// <summary>Begins to walk along a queue.</summary>
    public Walk Begin(int queueId, string limit)
    {
        lock (turn)
        {
            isEmpty = false;
            if (!queues.TryGetValue(queueId, out var limits))
            {
                if (queues.Count >= MostQueues) queues.Clear();
                queues[queueId] = limits = new(StringComparer.Ordinal);
            }

            if (!limits.TryGetValue(limit, out var cursor)) limits[limit] = cursor = new Cursor();
            if (!cursor.IsCut && clock.GetElapsedTime(cursor.FrontAt) >= RestForRow * cursor.Rows) (cursor.Place, cursor.FrontAt, cursor.Rows) = (default, clock.GetTimestamp(), 0);
            var walk = new Walk(cursor);
            cursor.Walks.Add(walk);
            return walk;
        }
    }

    /// <summary>Ends a walk.</summary>
    /// <param name="walk">Which one.</param>
    /// <param name="reached">Before this place there was nothing for the limit.</param>
    /// <param name="rows">Rows that have been read.</param>
    /// <param name="isCut">It has neither found a step nor reached the end: the next walk goes on here, and none begins at the front before.</param>
    public void End(Walk walk, QueuePlace reached, int rows, bool isCut)
    {
        lock (turn)
        {
            var cursor = walk.Cursor;
            cursor.Walks.Remove(walk);
            var lowered = new QueuePlace(walk.Lowered, 0, 0);
            (cursor.Place, cursor.IsCut) = (reached.CompareTo(lowered) < 0 ? reached : lowered, isCut);
            cursor.Rows += rows;
        }
    }

    /// <summary>A step of this rank has become ready, or is about to.</summary>
    public void Lower(int queueId, long rank)
    {
        if (isEmpty) return;
        lock (turn)
        {
            if (!queues.TryGetValue(queueId, out var limits)) return;
            foreach (var cursor in limits.Values)
            {
                if (rank <= cursor.Place.Rank) cursor.Place = new(rank, 0, 0);
                foreach (var walk in cursor.Walks) walk.Lowered = Math.Min(walk.Lowered, rank);
            }
        }
    }

    /// <summary>A transaction has failed, or the database has another history.</summary>
    public void Forget()
    {
        if (isEmpty) return;
        lock (turn)
        {
            queues.Clear();
            isEmpty = true;
        }
    }

    /// <summary>A claim on its way along a queue.</summary>
    internal sealed class Walk(Cursor cursor)
    {
        public Cursor Cursor => cursor;

        public QueuePlace From { get; } = cursor.Place;

        /// <summary>The least rank that has become ready meanwhile.</summary>
        public long Lowered { get; set; } = long.MaxValue;
    }

    internal sealed class Cursor
    {
        public QueuePlace Place { get; set; }

        public bool IsCut { get; set; }

        /// <summary>When a walk began at the front.</summary>
        public long FrontAt { get; set; }

        /// <summary>Rows read since.</summary>
        public int Rows { get; set; }

        public List<Walk> Walks { get; } = [];
    }
}
