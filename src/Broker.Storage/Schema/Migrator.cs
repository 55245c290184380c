using Broker.Storage.Lanes;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Schema;

/// <summary>
/// Applies migrations at start. EF's own lock lets one broker at a time do it, but on PostgreSQL it is let go after each migration: with
/// two pending, a second broker may apply the one that the first has gone on to.
/// </summary>
internal sealed class Migrator(IEngine engine)
{
    public async Task MigrateAsync(CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        var known = db.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        var pending = await PendingAsync(ct);
        while (pending > 0)
        {
            try
            {
                await db.Database.MigrateAsync(ct);
                break;
            }
            catch (Exception) when (!ct.IsCancellationRequested)
            {
                // A migration is one transaction, so what failed left nothing. If another broker went on meanwhile, go on after it.
                var left = await PendingAsync(ct);
                if (left >= pending) throw;
                pending = left;
            }
        }

        var unknown = (await db.Database.GetAppliedMigrationsAsync(ct)).Where(m => !known.Contains(m)).ToList();
        if (unknown.Count > 0)
        {
            throw new InvalidOperationException(
                $"The database was migrated by a newer version ({string.Join(", ", unknown)}). Start that version, or restore a backup from before.");
        }
    }

    /// <summary>Null when the database answers and has all migrations, else what is wrong.</summary>
    public async Task<string?> FaultAsync(CancellationToken ct)
    {
        try
        {
            return await PendingAsync(ct) > 0 ? "The database is not migrated." : null;
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return "The database does not answer.";
        }
    }

    private async Task<int> PendingAsync(CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        return (await db.Database.GetPendingMigrationsAsync(ct)).Count();
    }
}
