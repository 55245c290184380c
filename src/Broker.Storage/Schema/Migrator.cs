using Broker.Storage.Lanes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Broker.Storage.Schema;

/// <summary>Applies migrations at start; one broker does it while the others wait.</summary>
internal sealed class Migrator(IEngine engine)
{
    public async Task MigrateAsync(CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        var known = db.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        if ((await db.Database.GetPendingMigrationsAsync(ct)).Any())
        {
            // The lock is the database's own, so that must exist. MigrateAsync would make it too, but only then.
            var creator = db.GetService<IRelationalDatabaseCreator>();
            if (!await creator.ExistsAsync(ct)) await creator.CreateAsync(ct);

            // It looks at what is pending only once it has the lock: another broker may have done it all meanwhile.
            await using var turn = await engine.MigrationTurnAsync(ct);
            await db.Database.MigrateAsync(ct);
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
            await using var db = engine.CreateContext();
            if ((await db.Database.GetPendingMigrationsAsync(ct)).Any()) return "The database is not migrated.";
            return await engine.IsReadOnlyAsync(ct) ? "The database is read-only." : null;
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return "The database does not answer.";
        }
    }
}
