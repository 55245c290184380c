using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class RepositoryStore(IDatabase database, ICredentialCipher cipher, StoreEpoch epoch, IPageReads pages) : IRepositoryStore
{
    // Earlier versions wrote the JSON object itself, which begins with a brace.
    private const string Encrypted = "dp1:";

    public async Task PutAsync(Repository repository, CancellationToken ct)
    {
        var now = (await database.NowAsync(ct)).ToMicros();
        var seen = epoch.Number;
        var credentials = Sealed(JsonColumn.Write(repository.Credentials));
        while (!await TryPutAsync(repository, credentials, seen, now, ct))
        {
            // Another broker added the same name at the same moment: now there is a row to replace.
        }
    }

    private async Task<bool> TryPutAsync(Repository repository, string credentials, int seen, long now, CancellationToken ct)
    {
        var workflows = JsonColumn.Write(repository.Workflows);
        using var turn = await database.WriteTurnAsync(ct);
        await using var db = database.CreateContext();
        await RequireKeyAsync(db, seen, ct);
        var replaced = await db.Repositories.Where(r => r.Name == repository.Name).ExecuteUpdateAsync(
            set => set.SetProperty(r => r.Url, repository.Url).SetProperty(r => r.Workflows, workflows).SetProperty(r => r.Credentials, credentials),
            ct);
        if (replaced > 0) return true;

        db.Repositories.Add(new RepositoryRow
        {
            Name = repository.Name,
            Url = repository.Url,
            Workflows = workflows,
            Credentials = credentials,
            RegisteredAt = now,
        });
        try
        {
            await db.SaveChangesAsync(ct);
            return true;
        }
        catch (DbUpdateException fault) when (database.IsDuplicate(fault))
        {
            return false;
        }
    }

    // The key of the ciphertext may be one of another history, which the database has no longer.
    private async Task RequireKeyAsync(BrokerDb db, int seen, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        epoch.Require(seen);
    }

    public async Task<Repository?> FindAsync(string name, bool withCredentials, CancellationToken ct)
    {
        if (!StorableText.Fits(name)) return null;
        await using var db = database.CreateContext();
        var row = await db.Repositories.AsNoTracking().SingleOrDefaultAsync(r => r.Name == name, ct);
        return row is null ? null : RepositoryOf(row, withCredentials);
    }

    public async Task<IReadOnlyList<Repository>> ListAsync(int skip, int take, bool withCredentials, CancellationToken ct)
    {
        var rows = await pages.RunAsync(
            db => db.Repositories.AsNoTracking().OrderBy(r => r.RegisteredAt).ThenBy(r => r.Name).Skip(skip).Take(take).ToListAsync(ct), ct);
        return rows.ConvertAll(row => RepositoryOf(row, withCredentials));
    }

    public async Task<int> RenewCredentialsAsync(CancellationToken ct)
    {
        const int Page = 100;
        var (renewed, after) = (0, "");
        CredentialsUnreadableException? unreadable = null;
        while (true)
        {
            await using var db = database.CreateContext();
            var from = after;
            var rows = await db.Repositories.AsNoTracking().Where(r => r.Name.CompareTo(from) > 0).OrderBy(r => r.Name).Take(Page)
                .Select(r => new { r.Name, r.Credentials }).ToListAsync(ct);
            foreach (var row in rows)
            {
                Deciphered opened;
                var seen = epoch.Number;
                try
                {
                    opened = Opened(row.Credentials);
                }
                catch (CredentialsUnreadableException lost)
                {
                    // The others must not wait for it; it is reported at the end.
                    unreadable = lost;
                    continue;
                }

                if (!opened.IsStale) continue;

                // Only what was read: another broker may have stored new credentials meanwhile.
                var (name, old, fresh) = (row.Name, row.Credentials, Sealed(opened.Text));
                using var turn = await database.WriteTurnAsync(ct);
                await RequireKeyAsync(db, seen, ct);
                renewed += await db.Repositories.Where(r => r.Name == name && r.Credentials == old)
                    .ExecuteUpdateAsync(set => set.SetProperty(r => r.Credentials, fresh), ct);
            }

            if (rows.Count < Page) return unreadable is null ? renewed : throw unreadable;
            after = rows[^1].Name;
        }
    }

    private Repository RepositoryOf(RepositoryRow row, bool withCredentials) => new(
        row.Name,
        row.Url,
        JsonColumn.Read<string[]>(row.Workflows),
        withCredentials ? JsonColumn.Read<Dictionary<string, string>>(Opened(row.Credentials).Text) : new Dictionary<string, string>());

    private string Sealed(string credentials) => Encrypted + cipher.Encrypt(credentials);

    private Deciphered Opened(string stored) => stored.StartsWith(Encrypted, StringComparison.Ordinal)
        ? cipher.Decrypt(stored[Encrypted.Length..])
        : new(stored, IsStale: true);
}
