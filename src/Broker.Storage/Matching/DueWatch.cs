using Broker.Core.Steps;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Matching;

/// <summary>
/// Instants at which steps fall due in queues that claims wait for: retries, and other work that was put off. Writes of this broker and of its
/// peers are noted as they come. Steps that were put off before a claim began to wait are looked for, once a second at most. Without that look the poll
/// found them up to 1 s late.
/// </summary>
internal sealed partial class DueWatch(IDatabase database, TimeProvider clock, ILogger<DueWatch> log) : IDisposable
{
    /// <summary>How far a look sees. Claims that go on waiting have it repeated every second, by the poll.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(900);

    // Between two looks, however many claims ask: a bound on what they cost the database.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    // Timers fire to the millisecond, and a claim that looks too early finds nothing.
    private const long Tolerance = 1000;

    private const int MostFound = 256;
    private const int MostNoted = 10_000;

    private readonly Lock turn = new();
    private readonly Dictionary<int, Look> looks = [];
    private readonly SortedDictionary<(long Due, int QueueId), int> dues = [];
    private readonly HashSet<int> wanted = [];
    private ITimer? timer;
    private TimeSpan ahead;
    private bool isLooking;
    private bool isDisposed;

    /// <summary>A step of that queue falls due.</summary>
    public event Action<int>? StepDue;

    /// <summary>Whether a step that is claimable from that instant on is so now; if not, it is noted where its queue is watched.</summary>
    public bool IsDue(int queueId, long due)
    {
        lock (turn)
        {
            var now = Now();
            if (due <= now + Tolerance) return true;
            if (due <= now + Micros(Horizon) && looks.TryGetValue(queueId, out var look) && clock.GetElapsedTime(look.At) < Horizon) Note(queueId, due, 1 + dues.GetValueOrDefault((due, queueId)));
            return false;
        }
    }

    /// <summary>A claim has looked into these queues: looks ahead in those of which it is not known what falls due next.</summary>
    public void Watch(IReadOnlyCollection<int> queueIds)
    {
        lock (turn)
        {
            foreach (var queueId in queueIds)
            {
                if (!looks.TryGetValue(queueId, out var look) || look.IsOutdated || clock.GetElapsedTime(look.At) >= Fresh) wanted.Add(queueId);
            }

            if (isLooking || isDisposed || wanted.Count == 0) return;
            isLooking = true;
        }

        // Not as a part of the request that asks: its trace ends before.
        ThreadPool.UnsafeQueueUserWorkItem(static watch => _ = watch.LookWhileWantedAsync(), this, preferLocal: false);
    }

    private async Task LookWhileWantedAsync()
    {
        while (TakeWanted() is { } queueIds)
        {
            try
            {
                await LookAsync(queueIds);
            }
            catch (Exception fault)
            {
                // The poll's next look has this one repeated.
                lock (turn)
                {
                    foreach (var queueId in queueIds) looks.Remove(queueId);
                    if (isDisposed) return;
                }

                LogFailed(log, fault.Message);
            }

            await Task.Delay(Pace, TimeProvider.System);
        }
    }

    // From here on what is put off in these queues is noted: the look below need not see it.
    private int[]? TakeWanted()
    {
        lock (turn)
        {
            if (wanted.Count == 0 || isDisposed)
            {
                isLooking = false;
                return null;
            }

            int[] queueIds = [.. wanted];
            wanted.Clear();
            foreach (var queueId in queueIds) looks[queueId] = new(clock.GetTimestamp(), IsOutdated: false);
            return queueIds;
        }
    }

    private async Task LookAsync(int[] queueIds)
    {
        var now = await database.NowOrBeforeAsync(CancellationToken.None);
        var until = now.ToMicros() + Micros(Horizon);
        await using var db = database.CreateContext();

        // A step is handed out once both its rank and its due time have come: reads the claim index.
        var found = await db.Steps
            .Where(s => queueIds.Contains(s.QueueId) && s.Status == (short)StepStatus.Ready && s.Rank <= until && s.Due <= until)
            .Select(s => new { s.QueueId, Due = s.Due > s.Rank ? s.Due : s.Rank })
            .OrderBy(s => s.Due).Take(MostFound)
            .ToListAsync();
        lock (turn)
        {
            ahead = now - clock.GetUtcNow();

            // The same step may have been noted: one claim too many looks, which costs less than one too few.
            foreach (var same in found.CountBy(s => (s.Due, s.QueueId))) Note(same.Key.QueueId, same.Key.Due, Math.Max(same.Value, dues.GetValueOrDefault(same.Key)));
            Arm();
        }
    }

    private void Note(int queueId, long due, int steps)
    {
        if (dues.Count < MostNoted || dues.ContainsKey((due, queueId)))
        {
            dues[(due, queueId)] = steps;
            if (dues.Keys.First() == (due, queueId)) Arm();
        }
        else
        {
            Outdate(queueId);
        }
    }

    private void Arm()
    {
        if (dues.Count == 0 || isDisposed) return;
        var wait = TimeSpan.FromMicroseconds(Math.Max(0, dues.Keys.First().Due - Now() + Tolerance));
        if (timer is null) timer = clock.CreateTimer(static watch => ((DueWatch)watch!).Fire(), this, wait, Timeout.InfiniteTimeSpan);
        else timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Fire()
    {
        List<int> due = [];
        lock (turn)
        {
            var now = Now() + Tolerance;
            while (dues.Count > 0 && dues.First() is var next && next.Key.Due <= now)
            {
                dues.Remove(next.Key);
                due.AddRange(Enumerable.Repeat(next.Key.QueueId, next.Value));

                // The claim that is woken has what comes after it looked for, also when it looks a moment too early.
                Outdate(next.Key.QueueId);
            }

            Arm();
        }

        foreach (var queueId in due) StepDue?.Invoke(queueId);
    }

    private void Outdate(int queueId)
    {
        if (looks.TryGetValue(queueId, out var look)) looks[queueId] = look with { IsOutdated = true };
    }

    // The database's clock, as the last look read it.
    private long Now() => (clock.GetUtcNow() + ahead).ToMicros();

    private static long Micros(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    public void Dispose()
    {
        lock (turn)
        {
            isDisposed = true;
            timer?.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What falls due next could not be looked up ({Reason}); the poll finds it")]
    private static partial void LogFailed(ILogger logger, string reason);

    /// <summary>When a queue was last looked into, and whether something of it has fallen due since.</summary>
    private readonly record struct Look(long At, bool IsOutdated);
}
