using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using IDatabase = Broker.Storage.Tables.IDatabase;

namespace Broker.Storage.Schema;

/// <summary>Applies migrations and checks that all are applied. One broker applies them while the others wait.</summary>
internal sealed class Migrator(IDatabase database) : ISchema
{
    // Migrations are never taken back under a running broker: after the first time it is enough that the database answers.
    private volatile bool known;

    /// <summary>Brings the schema up to date; returns the names of what was applied.</summary>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct)
    {
        await using var db = database.CreateContext();
        var pending = (await db.Database.GetPendingMigrationsAsync(ct)).ToList();
        if (pending.Count > 0)
        {
            // The lock is the database's own, so that must exist. MigrateAsync would make it too, but only then.
            var creator = db.GetService<IRelationalDatabaseCreator>();
            if (!await creator.ExistsAsync(ct)) await creator.CreateAsync(ct);

            // MigrateAsync reads what is pending under the lock: another broker may have applied it meanwhile.
            await using var turn = await database.MigrationTurnAsync(ct);
            await RefuseUnknownAsync(db, ct);
            await db.Database.MigrateAsync(ct);
        }

        await RefuseUnknownAsync(db, ct);
        known = true;
        return pending;
    }

    /// <summary>Throws <see cref="SchemaMismatchException"/> unless the schema is this program's.</summary>
    public async Task CheckAsync(CancellationToken ct)
    {
        await using var db = database.CreateContext();
        await RefuseUnknownAsync(db, ct);
        var pending = (await db.Database.GetPendingMigrationsAsync(ct)).ToList();
        if (pending.Count > 0)
        {
            throw new SchemaMismatchException(
                $"{Missing(pending)} Run 'broker migrate' with a role that owns the tables, or set Broker:MigrateAtStart=true.");
        }

        known = true;
    }

    /// <summary>Null when the database answers and has all migrations, else what is wrong.</summary>
    public async Task<string?> FaultAsync(CancellationToken ct)
    {
        try
        {
            if (known)
            {
                await database.PingAsync(ct);
            }
            else
            {
                await using var db = database.CreateContext();
                var pending = (await db.Database.GetPendingMigrationsAsync(ct)).ToList();
                if (pending.Count > 0) return Missing(pending);
                known = true;
            }

            return await database.IsReadOnlyAsync(ct) ? "The database is read-only." : null;
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // The database that comes back may be another one: check its schema again.
            known = false;
            return "The database does not answer.";
        }
    }

    private static string Missing(List<string> pending) =>
        $"The database is not migrated: it lacks {(pending.Count == 1 ? "the migration" : $"{pending.Count} migrations, the first is")} {pending[0]}.";

    /// <summary>Refuses a history with migrations that this program lacks, before a migration is applied on top of them.</summary>
    private static async Task RefuseUnknownAsync(BrokerDb db, CancellationToken ct)
    {
        var own = db.Database.GetMigrations().ToList();
        var applied = (await db.Database.GetAppliedMigrationsAsync(ct)).ToList();
        var unknown = applied.Except(own, StringComparer.Ordinal).ToList();
        if (unknown.Count == 0) return;
        throw new SchemaMismatchException(applied.Contains(own[0], StringComparer.Ordinal)
            ? $"The database was migrated by a newer version ({string.Join(", ", unknown)}). Start that version, or restore a backup from before."
            : $"The database was made by a development build from before the first release: its migrations (the first of {unknown.Count}: {unknown[0]}) are not part of this version. "
                + "Start with an empty database, or keep this one for the build that made it. Nothing was changed.");
    }
}
