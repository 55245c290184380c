using Broker.Core.Runs;
using Broker.Storage.Caching;
using Broker.Storage.Catalog;
using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Matching;

/// <summary>
/// Claims that are made before they are asked for. A worker in a loop asks for its next step as soon as its report is answered; where callers
/// share transactions anyway, that claim goes with the report, and the worker's request is answered from here: a step costs one transaction, not
/// two. Measured: a quarter more steps a second with 32 workers, on three brokers too, an eighth more with 128. Jobs, whose lost leases are charged, do
/// without.
/// What is held here is leased to its worker like any other step, but for a mark: while that is there a lost lease is charged nothing. It goes back
/// when the worker does not come for it, when another claim finds nothing, and when its run is paused or ends. What is handed over from here is
/// recorded afterwards (see <see cref="HandOverRecorder"/>), so only steps that may run twice are claimed ahead.
/// </summary>
internal sealed class EagerDispatch(QueueCatalog queues, TimeProvider clock)
{
    /// <summary>So long after its report a worker is expected, and what was claimed for it is held.</summary>
    public static readonly TimeSpan HoldTime = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// A worker is expected once it has come so often in a row; four times as often after each time that it did not come. Behind a balancer that sends
    /// its requests to two brokers in turn, one in eight would be expected in vain, and its step late by the patience.
    /// </summary>
    public const int InitialStreak = 3;

    private const int MaxRequiredStreak = 1000;

    /// <summary>
    /// Callers in one transaction, from which on it takes claims along. Fewer are not at a pace at which a commit matters, and what they see of the
    /// broker should not depend on how fast they come back.
    /// </summary>
    public const int FewestTogether = 4;

    /// <summary>
    /// Claims go along where at least one in so many of the workers that came within a second share the transaction. While most are busy elsewhere, a
    /// claim is quicker beside the reports than behind them. Measured at half load with any four: p99 of a call 7.1 ms, not 6.0.
    /// </summary>
    private const double Share = 2.5;

    /// <summary>So many are enough, whatever their share.</summary>
    private const int MostNeeded = 16;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    // Worker ids are ours and few; the bound is against forged ones.
    private const int HalfKnown = 8192;

    private readonly Lock turns = new();
    private ConcurrentLru<string, Worker> workers = new(HalfKnown);
    private readonly List<PendingGrant> held = [];
    private volatile int holding;
    private long window = clock.GetTimestamp();
    private int cameBefore;
    private int cameNow;
    private bool isClosed;

    /// <summary>Called when steps will have to go back in that time.</summary>
    public Action<TimeSpan>? Wake { get; set; }

    /// <summary>Whether any step is held for any worker.</summary>
    public bool IsHolding => holding > 0;

    /// <summary>Whether any is held for this worker.</summary>
    public bool IsHoldingFor(string workerId)
    {
        if (!IsHolding) return false;
        lock (turns) return workers.TryGet(workerId, out var worker) && worker.Awaited.Any(expected => expected.Step is not null);
    }

    /// <summary>The step that is held for this claim; null: it has to look for itself.</summary>
    public Assignment? Take(ClaimRequest claim, string kind, IReadOnlyList<QueueRow> from)
    {
        if (claim.Count != 1 || claim.ClaimId is not null || claim.Workflows is not null) return null;
        lock (turns)
        {
            if (!workers.TryGet(claim.WorkerId, out var worker))
            {
                workers.Set(claim.WorkerId, new Worker(claim, kind, from));
                return null;
            }

            var expected = NextOf(worker);
            if (expected is not null && expected.IsFor(claim, from))
            {
                worker.Streak++;
                var step = TakeStep(expected, "taken");
                if (step is not null) worker.RequiredStreak = Math.Max(InitialStreak, worker.RequiredStreak / 2);
                return step;
            }

            worker.Begin(claim, kind, from);
            return null;
        }
    }

    /// <summary>The claims that the workers of these reports will make, once their transaction is committed.</summary>
    /// <param name="commands">All callers of the transaction, after it has decided about them.</param>
    /// <param name="ahead">Whether claims may be made now for those who are sure to come.</param>
    /// <param name="isWaitedFor">Whether claims of a kind are waiting: there is nothing to be had ahead then.</param>
    public List<PendingGrant> Expect(List<StoreCommand> commands, bool ahead, Func<string, bool> isWaitedFor)
    {
        List<PendingGrant> expected = [];
        lock (turns)
        {
            ahead = ahead && !isClosed && commands.Count >= Math.Clamp(Math.Max(cameBefore, cameNow) / Share, FewestTogether, MostNeeded);
            foreach (var command in commands)
            {
                if (command is not ReportCommand { EndedBy: { } id } || !workers.TryGet(id, out var worker)) continue;
                var goesAlong = ahead && worker.Streak >= worker.RequiredStreak && !isWaitedFor(worker.Kind) && (worker.AllowsAhead ??= queues.AllowAhead(worker.Queues));
                expected.Add(new PendingGrant(worker) { Ahead = goesAlong ? new ClaimCommand(worker.Claim, worker.Queues) { IsAhead = true } : null });
            }
        }

        return expected;
    }

    /// <summary>The transaction is committed: from now on they may come.</summary>
    public void Await(List<PendingGrant> expected)
    {
        if (expected.Count == 0) return;
        var isFirst = false;
        lock (turns)
        {
            var now = clock.GetTimestamp();
            foreach (var claim in expected)
            {
                var worker = claim.Worker;
                claim.Since = now;
                worker.Awaited.Enqueue(claim);

                // After a pause of this thread the claim that was added is overdue too.
                while (worker.Awaited.TryPeek(out var oldest) && IsOverdue(oldest)) worker.Awaited.Dequeue();
                NoteCame(worker, now);
                if (claim.Ahead is not { } ahead) continue;
                claim.Ahead = null;
                if (ahead.Outcome is not [var step])
                {
                    // Work is scarce.
                    worker.Streak = 0;
                    continue;
                }

                isFirst |= held.Count == 0;
                claim.Step = step;
                held.Add(claim);
                holding++;
            }
        }

        if (isFirst) Wake?.Invoke(HoldTime);
    }

    /// <summary>Steps of that run are not handed out any more.</summary>
    public void Withdraw(long runId)
    {
        if (!IsHolding) return;
        var any = false;
        lock (turns)
        {
            foreach (var claim in held)
            {
                if (claim.Step?.Run.Id != runId) continue;
                claim.IsWithdrawn = any = true;
            }
        }

        if (any) Wake?.Invoke(TimeSpan.Zero);
    }

    /// <summary>The database has another history: queues have other ids, and what is held goes back as far as it is still leased.</summary>
    public void Forget()
    {
        lock (turns)
        {
            workers = new(HalfKnown);
            foreach (var claim in held) claim.IsWithdrawn = true;
        }

        Wake?.Invoke(TimeSpan.Zero);
    }

    /// <summary>Takes out what nobody came for in time, and how long to wait for what is left.</summary>
    public (List<Assignment> Steps, TimeSpan? Next) TakeOverdue()
    {
        lock (turns)
        {
            foreach (var claim in held)
            {
                if (claim.Step is not null && !claim.IsWithdrawn && IsOverdue(claim)) claim.Worker.RequiredStreak = Math.Min(claim.Worker.RequiredStreak * 4, MaxRequiredStreak);
            }

            var steps = TakeBack(claim => claim.IsWithdrawn || IsOverdue(claim));
            held.RemoveAll(claim => claim.Step is null);
            return (steps, held.Count > 0 ? HoldTime - clock.GetElapsedTime(held[0].Since) : null);
        }
    }

    /// <summary>Takes out what is held of these queues.</summary>
    public List<Assignment> TakeBack(IReadOnlyList<QueueRow> wanted)
    {
        var ids = wanted.Select(q => q.Id).ToHashSet();
        var known = new Dictionary<IReadOnlyList<QueueRow>, bool>(ReferenceEqualityComparer.Instance);
        lock (turns)
        {
            return TakeBack(claim =>
            {
                var others = claim.Queues;
                return known.TryGetValue(others, out var overlap) ? overlap : known[others] = others.Any(q => ids.Contains(q.Id));
            });
        }
    }

    /// <summary>Takes out everything; no more is claimed ahead.</summary>
    public List<Assignment> Close()
    {
        lock (turns)
        {
            isClosed = true;
            return TakeBack(_ => true);
        }
    }

    private List<Assignment> TakeBack(Predicate<PendingGrant> goes)
    {
        List<Assignment> steps = [];
        foreach (var claim in held)
        {
            if (claim.Step is null || !goes(claim)) continue;
            claim.Worker.Streak = 0;
            steps.Add(TakeStep(claim, "returned")!);
        }

        return steps;
    }

    private void NoteCame(Worker worker, long now)
    {
        if (clock.GetElapsedTime(window, now) >= Window) (window, cameBefore, cameNow) = (now, cameNow, 0);
        if (worker.CountedIn == window) return;
        worker.CountedIn = window;
        cameNow++;
    }

    private PendingGrant? NextOf(Worker worker)
    {
        while (worker.Awaited.TryDequeue(out var expected))
        {
            if (!IsOverdue(expected) && !expected.IsWithdrawn) return expected;
        }

        return null;
    }

    private Assignment? TakeStep(PendingGrant claim, string outcome)
    {
        if (claim.Step is not { } step) return null;
        claim.Step = null;
        holding--;
        StorageMetrics.EagerGrants.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        return step;
    }

    private bool IsOverdue(PendingGrant claim) => clock.GetElapsedTime(claim.Since) >= HoldTime;

    /// <summary>The next claim of a worker that has reported: as its last one.</summary>
    internal sealed class PendingGrant(Worker worker)
    {
        private readonly int? leaseSecs = worker.Claim.LeaseSecs;

        public Worker Worker => worker;

        public IReadOnlyList<QueueRow> Queues { get; } = worker.Queues;

        /// <summary>What is claimed for it, until that is committed: who never comes back keeps no inputs in memory.</summary>
        public ClaimCommand? Ahead { get; set; }

        public long Since { get; set; }

        public Assignment? Step { get; set; }

        public bool IsWithdrawn { get; set; }

        /// <summary>The registry keeps one list for equal claims, so another one has other queues.</summary>
        public bool IsFor(ClaimRequest claim, IReadOnlyList<QueueRow> queues) => ReferenceEquals(Queues, queues) && leaseSecs == claim.LeaseSecs;
    }

    /// <summary>How a worker claims.</summary>
    internal sealed class Worker(ClaimRequest claim, string kind, IReadOnlyList<QueueRow> queues)
    {
        public ClaimRequest Claim { get; private set; } = claim;

        /// <summary>Equal for claims that may have the same.</summary>
        public string Kind { get; private set; } = kind;

        public IReadOnlyList<QueueRow> Queues { get; private set; } = queues;

        /// <summary>Whether its next step may be claimed ahead; null: not looked up yet.</summary>
        public bool? AllowsAhead { get; set; }

        /// <summary>Claims in a row that came in time.</summary>
        public int Streak { get; set; }

        /// <summary>So many it takes to be expected.</summary>
        public int RequiredStreak { get; set; } = InitialStreak;

        /// <summary>The window in which it came last.</summary>
        public long CountedIn { get; set; }

        /// <summary>In order of time. A worker may have several slots.</summary>
        public Queue<PendingGrant> Awaited { get; } = [];

        public void Begin(ClaimRequest request, string wanted, IReadOnlyList<QueueRow> from)
        {
            if (!ReferenceEquals(Queues, from)) AllowsAhead = null;
            (Claim, Kind, Queues, Streak) = (request, wanted, from, 0);
        }
    }
}
