using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Lanes;

/// <summary>
/// Takes whatever work is waiting into one transaction, again and again. Lanes take turns: while one waits for its commit to reach the
/// disk, the next one works, with all that has come in meanwhile. A lane has a thread of its own and blocks on it: an exchange with the
/// database that goes through the thread pool waits there behind the requests that are waiting for the lane. Measured: batches grew by half,
/// and the rate by a tenth.
/// </summary>
internal sealed partial class Lane : IAsyncDisposable
{
    /// <summary>Pieces of work in one transaction. Measured: beyond a few hundred a batch gains nothing and holds its locks longer.</summary>
    public const int MostTogether = 256;
    private const int Attempts = 5;

    // Each time another caller's commit has moved the name on, so somebody gets ahead: a start beside four quick restarts once ran out of five.
    private const int AttemptsAtMovingName = 100;

    private readonly ChannelReader<Work> waiting;
    private readonly LaneTurn turn;
    private readonly IEngine engine;
    private readonly BatchServices services;
    private readonly ILogger log;
    private readonly Task loop;
    private IUnit? unit;

    public Lane(ChannelReader<Work> waiting, LaneTurns turns, IEngine engine, BatchServices services, ILogger log)
    {
        (this.waiting, this.engine, this.services, this.log) = (waiting, engine, services, log);
        turn = new LaneTurn(turns);
        loop = Task.Factory.StartNew(Loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Loop()
    {
        // The request that happened to make this lane is nobody's parent.
        Activity.Current = null;
        var together = new List<Work>(MostTogether);
        while (turn.Take())
        {
            // Measured: yielding twice lets the callers that were just answered come back with their next request, and batches grow.
            Thread.Yield();
            Thread.Yield();
            while (together.Count < MostTogether && waiting.TryRead(out var first))
            {
                for (var work = first; work is not null; work = work.Next) together.Add(work);
            }

            if (together.Count > 0)
            {
                StorageMetrics.BatchSize.Record(together.Count);
                var began = Stopwatch.GetTimestamp();
                Run(together);
                StorageMetrics.BatchDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
                together.Clear();
            }

            turn.GiveUp();
        }
    }

    private void Run(List<Work> works)
    {
        while (Apart.TakeLater(works) is { } later)
        {
            RunTogether(works);
            works = later;
        }

        RunTogether(works);
    }

    private void RunTogether(List<Work> works)
    {
        try
        {
            Try(works, recruits: true);
        }
        catch (Exception fault) when (works.Count > 1 && !engine.IsUnavailable(fault))
        {
            // One caller's trouble is not the others': each gets a transaction of its own.
            LogSplit(log, fault, works.Count);
            foreach (var work in works) RunAlone(work);
        }
        catch (Exception fault)
        {
            foreach (var work in works) Answers.Fail(work, Told(fault));
        }
    }

    private void RunAlone(Work work)
    {
        try
        {
            Try([work], recruits: false);
        }
        catch (Exception fault)
        {
            Answers.Fail(work, Told(fault));
        }
    }

    private Exception Told(Exception fault)
    {
        if (fault is StoreUnavailableException || !engine.IsUnavailable(fault)) return fault;
        StorageMetrics.DatabaseErrors.Add(1);
        services.Health.Failed();
        return new StoreUnavailableException("The database cannot be reached or cannot write at present.", fault);
    }

    private void Try(List<Work> works, bool recruits)
    {
        for (var attempt = 1; ; attempt++)
        {
            foreach (var work in works) work.Reset();
            using var span = StorageTracing.Begin(works);
            try
            {
                // What is tried again goes without a turn if that has been given up: the other lanes keep theirs while they wait for
                // work, so with no other caller about it would wait for ever.
                using var writer = engine.WriteTurn();
                unit ??= engine.Open(services.Definitions);
                var batch = new Batch(unit, services, works, recruits);
                batch.Run();
                turn.GiveUp();
                batch.Commit();
                if (batch.HasWritten) services.Health.Wrote();
                return;
            }
            catch (Exception fault)
            {
                span.Fail(fault);
                Recover(fault);
                if (fault is StaleEpochException) ForgetNames(works);

                // A duplicate: another broker was first with that name or key, and a second look finds its row.
                var most = fault is StaleNameException ? AttemptsAtMovingName : Attempts;
                if (attempt >= most || !(fault is StaleNameException or StaleEpochException || engine.IsTransient(fault) || engine.IsDuplicate(fault))) throw;
            }
        }
    }

    // The ids that names stood for are of another history.
    private static void ForgetNames(List<Work> works)
    {
        foreach (var work in works)
        {
            if (work is INamedWork { Name: not null } named) named.RunId = 0;
        }
    }

    // Rolls back where the connection is as good as before, else takes a new one.
    private void Recover(Exception fault)
    {
        services.Cursors.Forget();
        if (unit is null) return;
        try
        {
            if (!engine.SpoilsConnection(fault))
            {
                unit.Rollback();
                return;
            }
        }
        catch (Exception second)
        {
            LogDropped(log, second);
        }

        var broken = unit;
        unit = null;
        broken.Dispose();
    }

    /// <summary>Finishes what is waiting, once no more comes, then closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await loop;
        unit?.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A transaction for {Count} callers failed; each is tried alone")]
    private static partial void LogSplit(ILogger logger, Exception fault, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection could not be rolled back and is dropped")]
    private static partial void LogDropped(ILogger logger, Exception fault);
}
