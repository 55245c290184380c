using System.Data.Common;
using System.Runtime.CompilerServices;
using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Broker.Storage.Postgres;

/// <summary>
/// Watches the commits of all contexts, as <see cref="PostgresBatchTransaction"/> does for those of batches: of transactions, and of single statements that
/// write. Contexts save in a transaction always, so that no statement commits by itself while it returns rows. Behind a pooler each is preceded by
/// <see cref="CommitWarnings.ShowLocally"/>: one exchange more for a transaction, none for a statement.
/// </summary>
internal sealed class CommitInterceptor(StoreHealth health, bool isPooled) : IDbConnectionInterceptor, IDbTransactionInterceptor, IDbCommandInterceptor
{
    private const string Lost = "the connection failed during it";

    private readonly ConditionalWeakTable<DbConnection, CommitWarnings> warnings = [];

    public DbConnection ConnectionCreated(ConnectionCreatedEventData eventData, DbConnection result)
    {
        warnings.Add(result, new CommitWarnings((NpgsqlConnection)result));
        return result;
    }

    public DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        if (!isPooled) return result;
        using var show = new NpgsqlCommand(CommitWarnings.ShowLocally, (NpgsqlConnection)connection);
        show.ExecuteNonQuery();
        return result;
    }

    public async ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        if (!isPooled) return result;
        await using var show = new NpgsqlCommand(CommitWarnings.ShowLocally, (NpgsqlConnection)connection);
        await show.ExecuteNonQueryAsync(cancellationToken);
        return result;
    }

    public InterceptionResult TransactionCommitting(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result)
    {
        Clear(transaction.Connection);
        return result;
    }

    public ValueTask<InterceptionResult> TransactionCommittingAsync(
        DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        Clear(transaction.Connection);
        return ValueTask.FromResult(result);
    }

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => Check(eventData.Context?.Database.GetDbConnection());

    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Check(eventData.Context?.Database.GetDbConnection());
        return Task.CompletedTask;
    }

    public void TransactionFailed(DbTransaction transaction, TransactionErrorEventData eventData)
    {
        if (eventData.Action == "Commit") Failed(eventData.Exception);
    }

    public Task TransactionFailedAsync(DbTransaction transaction, TransactionErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        if (eventData.Action == "Commit") Failed(eventData.Exception);
        return Task.CompletedTask;
    }

    public InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        Prepare(command);
        return result;
    }

    public ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Prepare(command);
        return ValueTask.FromResult(result);
    }

    public int NonQueryExecuted(DbCommand command, CommandExecutedEventData eventData, int result)
    {
        if (CommitsItself(command)) Check(command.Connection);
        return result;
    }

    public ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        if (CommitsItself(command)) Check(command.Connection);
        return ValueTask.FromResult(result);
    }

    public void CommandFailed(DbCommand command, CommandErrorEventData eventData)
    {
        if (IsLostWrite(command, eventData)) Failed(eventData.Exception);
    }

    public Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        if (IsLostWrite(command, eventData)) Failed(eventData.Exception);
        return Task.CompletedTask;
    }

    private static bool CommitsItself(DbCommand command) => command.Transaction is null;

    // The server rolls back all that it refuses by itself.
    private static bool IsLostWrite(DbCommand command, CommandErrorEventData failed) =>
        CommitsItself(command) && failed.ExecuteMethod is DbCommandMethod.ExecuteNonQuery && failed.Exception.FindInner<PostgresException>() is null;

    private void Prepare(DbCommand command)
    {
        Clear(command.Connection);
        if (isPooled && CommitsItself(command)) command.CommandText = $"{CommitWarnings.ShowLocally};\n{command.CommandText}";
    }

    private void Clear(DbConnection? connection)
    {
        if (connection is not null && warnings.TryGetValue(connection, out var sent)) sent.Clear();
    }

    private void Check(DbConnection? connection)
    {
        if (connection is not null && warnings.TryGetValue(connection, out var sent)) health.RequireConfirmed(sent.First?.MessageText);
    }

    private void Failed(Exception fault)
    {
        if (fault is not OutcomeUnknownException && CommitWarnings.MayHaveCommitted(fault)) throw health.CommitInDoubt(Lost, fault);
    }
}
