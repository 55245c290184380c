using System.Diagnostics;
using System.Threading.Channels;
using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Dispatch.Commands;
using Microsoft.Extensions.Logging;

namespace Broker.Storage.Dispatch;

/// <summary>
/// Takes all waiting commands into one transaction, again and again. Loops share slots: while one waits for its commit to reach the disk, the next one
/// runs the commands that were queued meanwhile. A loop blocks a thread of its own. An exchange with the database that went through the thread pool
/// waited there behind the requests that wait for the loop. Measured: batches 1.5×, rate 1.1×.
/// </summary>
internal sealed partial class BatchLoop : IAsyncDisposable
{
    /// <summary>Commands in one transaction. Measured: beyond a few hundred a batch gains nothing and holds its locks longer.</summary>
    public const int MostTogether = 256;
    private const int Attempts = 5;

    // Each miss means that another command has committed, so the commands make progress: a start beside four quick restarts once used up five.
    private const int AttemptsAtMovingName = 100;

    private readonly ChannelReader<StoreCommand> waiting;
    private readonly BatchSlot turn;
    private readonly IDatabaseEngine engine;
    private readonly BatchServices services;
    private readonly ILogger log;
    private readonly Task loop;
    private IBatchTransaction? transaction;

    public BatchLoop(ChannelReader<StoreCommand> waiting, BatchSlots turns, IDatabaseEngine engine, BatchServices services, ILogger log)
    {
        (this.waiting, this.engine, this.services, this.log) = (waiting, engine, services, log);
        turn = new BatchSlot(turns);
        loop = Task.Factory.StartNew(Loop, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void Loop()
    {
        // The activity of the request that created this loop is no parent of its transactions.
        Activity.Current = null;
        var together = new List<StoreCommand>(MostTogether);
        while (turn.Take())
        {
            // Measured: yielding twice lets the callers that were just answered come back with their next request, and batches grow.
            Thread.Yield();
            Thread.Yield();
            while (together.Count < MostTogether && waiting.TryRead(out var first))
            {
                for (var command = first; command is not null; command = command.Next) together.Add(command);
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

    private void Run(List<StoreCommand> commands)
    {
        while (BatchConflicts.TakeLater(commands) is { } later)
        {
            RunTogether(commands);
            commands = later;
        }

        RunTogether(commands);
    }

    private void RunTogether(List<StoreCommand> commands)
    {
        try
        {
            Try(commands, takesWaiting: true);
        }
        catch (Exception fault) when (commands.Count > 1 && !engine.IsUnavailable(fault))
        {
            // One command must not fail the others: each gets a transaction of its own.
            LogSplit(log, fault, commands.Count);
            foreach (var command in commands) RunAlone(command);
        }
        catch (Exception fault)
        {
            foreach (var command in commands) CompletionDispatcher.Fail(command, ToAnswer(fault));
        }
    }

    private void RunAlone(StoreCommand command)
    {
        try
        {
            Try([command], takesWaiting: false);
        }
        catch (Exception fault)
        {
            CompletionDispatcher.Fail(command, ToAnswer(fault));
        }
    }

    private Exception ToAnswer(Exception fault)
    {
        if (fault is StoreUnavailableException || !engine.IsUnavailable(fault)) return fault;
        StorageMetrics.DatabaseErrors.Add(1);
        services.Health.Failed();
        return new StoreUnavailableException("The database cannot be reached or cannot write at present.", fault);
    }

    private void Try(List<StoreCommand> commands, bool takesWaiting)
    {
        for (var attempt = 1; ; attempt++)
        {
            foreach (var command in commands) command.Reset();
            using var span = StorageTracing.Begin(commands);
            try
            {
                // A retry runs without a slot if it has been given up. The other loops keep theirs while they wait for commands: without another
                // caller the retry would wait for ever.
                using var writer = engine.WriteTurn();
                transaction ??= engine.Open(services.Definitions);
                var batch = new BatchTransaction(transaction, services, commands, takesWaiting);
                batch.Execute();
                turn.GiveUp();
                batch.Commit();
                if (batch.HasWritten) services.Health.Wrote();
                return;
            }
            catch (Exception fault)
            {
                span.Fail(fault);
                Recover(fault);
                if (fault is StaleEpochException) ForgetNames(commands);

                // A duplicate: another broker was first with that name or key, and a second look finds its row.
                var most = fault is StaleNameException ? AttemptsAtMovingName : Attempts;
                if (attempt >= most || !(fault is StaleNameException or StaleEpochException || engine.IsTransient(fault) || engine.IsDuplicate(fault))) throw;
            }
        }
    }

    // The ids that names stood for are of another history.
    private static void ForgetNames(List<StoreCommand> commands)
    {
        foreach (var command in commands)
        {
            if (command is INamedCommand { Name: not null } named) named.RunId = 0;
        }
    }

    // Rolls back where the connection is as good as before, else takes a new one.
    private void Recover(Exception fault)
    {
        services.Cursors.Forget();
        if (transaction is null) return;
        try
        {
            if (!engine.SpoilsConnection(fault))
            {
                transaction.Rollback();
                return;
            }
        }
        catch (Exception second)
        {
            LogDropped(log, second);
        }

        var broken = transaction;
        transaction = null;
        broken.Dispose();
    }

    /// <summary>Finishes what is waiting, once no more comes, then closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await loop;
        transaction?.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A transaction for {Count} callers failed; each is tried alone")]
    private static partial void LogSplit(ILogger logger, Exception fault, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection could not be rolled back and is dropped")]
    private static partial void LogDropped(ILogger logger, Exception fault);
}
