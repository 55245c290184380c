using System.Data;
using Broker.Storage.Tables;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>One moment for several reads: else a run may be read before its last report and its steps after it.</summary>
internal static class HistorySnapshot
{
    public static async Task<IAsyncDisposable> BeginAsync(BrokerDb db, CancellationToken ct)
    {
        if (!db.Database.IsSqlite()) return await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);

        // Deferred: the provider's other transactions take the turn to write.
        await db.Database.OpenConnectionAsync(ct);
        var transaction = ((SqliteConnection)db.Database.GetDbConnection()).BeginTransaction(deferred: true);
        await db.Database.UseTransactionAsync(transaction, ct);
        return transaction;
    }
}
