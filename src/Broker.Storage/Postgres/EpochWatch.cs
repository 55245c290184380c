using Broker.Storage.Contracts;
using Broker.Storage.Diagnostics;
using Broker.Storage.Health;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>
/// Compares what connections see with what this broker has seen, and begins an epoch where it differs. Each new connection is asked before its
/// first statement, and one connection a second; behind a pooler, which may send each transaction to another server, every transaction.
/// Measured with pgbench, PostgreSQL 15, medians on a busy machine, beside SELECT 1. The first statement of a new server process took 1.3 ms (0.2).
/// It took 0.12 ms (0.01) where it is parsed each time, as behind a pooler, and 0.03 ms (0.01) prepared. So a broker pays 0.03 ms a second.
/// Not sealed: tests plant a broker that compares nothing.
/// </summary>
/// <param name="epoch">The epoch that begins.</param>
/// <param name="isPooled">Whether a pooler in transaction mode is in between.</param>
/// <param name="log">Gets a line when the history is another.</param>
internal partial class EpochWatch(StoreEpoch epoch, bool isPooled, ILogger log)
{
    private const int EveryMs = 1000;

    private readonly Lock gate = new();
    private volatile int statement;
    private DatabaseState? known;
    private Progress reached;
    private long asked;

    /// <summary>For a connection that has been asked before.</summary>
    public string Statement => EpochReading.Statements[statement];

    /// <summary>Whether a connection that was last asked in that epoch is to be asked now.</summary>
    public bool IsDue(int inEpoch) => inEpoch != epoch.Number || IsDue();

    /// <summary>Whether any connection is.</summary>
    public bool IsDue()
    {
        if (isPooled) return true;
        var (now, last) = (Environment.TickCount64, Volatile.Read(ref asked));
        return now - last >= EveryMs && Interlocked.CompareExchange(ref asked, now, last) == last;
    }

    /// <summary>Taken before the question: what commits while it is on its way may not be in the answer.</summary>
    public Asked Ask()
    {
        lock (gate) return new(epoch.Number, reached);
    }

    /// <summary>Compares an answer; returns whether it is of the history that is known.</summary>
    public virtual bool Compare(Asked before, EpochReading seen, bool isNew)
    {
        if (seen.IsStandby) throw new StoreUnavailableException("The PostgreSQL server is a standby: it takes no writes.", null);
        lock (gate)
        {
            Volatile.Write(ref asked, Environment.TickCount64);
            var isLike = known is not { } last || seen.State.IsLike(last);
            if (known is { } later && !isNew && seen.State.IsBefore(later))
                throw new StoreUnavailableException("The PostgreSQL server was the primary once: another one has been promoted.", null);
            if (isLike && (before.Epoch != epoch.Number || !seen.Progress.IsBehind(before.Reached)))
            {
                known = Merged(seen.State);
                reached = reached.Max(seen.Progress);
                return true;
            }

            LogChanged(log, Described(known, reached), Described(seen.State, seen.Progress));
            (known, reached) = (seen.State, seen.Progress);
            StorageMetrics.Epochs.Add(1);
            epoch.Begin();
            return false;
        }
    }

    /// <summary>Ids have been reserved. A counter that was behind is of another history.</summary>
    public virtual void Reserved(Asked before, long first, long next)
    {
        lock (gate)
        {
            if (before.Epoch == epoch.Number && first < before.Reached.Ids)
            {
                LogChanged(log, Described(known, reached), $"id counter {first}");
                reached = new(next, reached.Written);
                StorageMetrics.Epochs.Add(1);
                epoch.Begin();
                return;
            }

            reached = reached.Max(new(next, null));
        }
    }

    /// <summary>Asks a connection, and makes a new one send warnings. A database without tables is not asked.</summary>
    public void Check(NpgsqlConnection connection, bool isNew)
    {
        while (true)
        {
            var (at, before) = (statement, Ask());
            try
            {
                using var question = new NpgsqlCommand(Opening(isNew) + EpochReading.Statements[at], connection);
                using var answer = question.ExecuteReader();
                answer.Read();
                Compare(before, EpochReading.Read(answer), isNew);
                return;
            }
            catch (PostgresException refused) when (AsksLess(refused, at))
            {
            }
            catch (PostgresException missing) when (missing.SqlState is PostgresErrorCodes.UndefinedTable)
            {
                // The refusal has rolled the opening back.
                if (Opening(isNew) is not { Length: > 0 } opening) return;
                using var alone = new NpgsqlCommand(opening, connection);
                alone.ExecuteNonQuery();
                return;
            }
        }
    }

    /// <summary>The same without holding a thread.</summary>
    public async Task CheckAsync(NpgsqlConnection connection, bool isNew)
    {
        while (true)
        {
            var (at, before) = (statement, Ask());
            try
            {
                await using var question = new NpgsqlCommand(Opening(isNew) + EpochReading.Statements[at], connection);
                await using var answer = await question.ExecuteReaderAsync();
                await answer.ReadAsync();
                Compare(before, EpochReading.Read(answer), isNew);
                return;
            }
            catch (PostgresException refused) when (AsksLess(refused, at))
            {
            }
            catch (PostgresException missing) when (missing.SqlState is PostgresErrorCodes.UndefinedTable)
            {
                if (Opening(isNew) is not { Length: > 0 } opening) return;
                await using var alone = new NpgsqlCommand(opening, connection);
                await alone.ExecuteNonQueryAsync();
                return;
            }
        }
    }

    private string Opening(bool isNew) => isNew && !isPooled ? CommitWarnings.Show + "; " : "";

    // Functions that the role may not call, or that the server does not have.
    private bool AsksLess(PostgresException refused, int at)
    {
        if (refused.SqlState is not (PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.FeatureNotSupported)) return false;
        if (at + 1 == EpochReading.Statements.Count) return false;
        statement = at + 1;
        LogLess(log, refused.MessageText);
        return true;
    }

    // A fact that one connection could not read may have been read by another.
    private DatabaseState Merged(DatabaseState seen) =>
        known is { } last ? seen with { System = seen.System ?? last.System, Timeline = seen.Timeline ?? last.Timeline, Table = seen.Table ?? last.Table } : seen;

    private static string Described(DatabaseState? state, Progress progress) => state is { } known
        ? $"system {known.System}, timeline {known.Timeline}, database {known.Database}, table {known.Table}, epoch {known.Epoch}, id counter {progress.Ids}, log position {progress.Written}"
        : "nothing";

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database has another history than before: all that was remembered of it is dropped. Before: {Before}. Now: {Now}")]
    private static partial void LogChanged(ILogger logger, string before, string now);

    [LoggerMessage(Level = LogLevel.Information, Message = "Fewer signals show a restore or failover, because the role may not call a function ({Reason})")]
    private static partial void LogLess(ILogger logger, string reason);

    /// <summary>State at the moment when a question was asked.</summary>
    internal readonly record struct Asked(int Epoch, Progress Reached);
}
