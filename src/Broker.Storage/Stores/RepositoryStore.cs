using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class RepositoryStore(IEngine engine) : IRepositoryStore
{
    public async Task PutAsync(Repository repository, CancellationToken ct)
    {
        var now = (await engine.NowAsync(ct)).ToMicros();
        while (!await TryPutAsync(repository, now, ct))
        {
            // Another broker added the same name at the same moment: now there is a row to replace.
        }
    }

    private async Task<bool> TryPutAsync(Repository repository, long now, CancellationToken ct)
    {
        var workflows = JsonColumn.Write(repository.Workflows);
        var credentials = JsonColumn.Write(repository.Credentials);
        using var turn = await engine.WriteTurnAsync(ct);
        await using var db = engine.CreateContext();
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
        catch (DbUpdateException fault) when (engine.IsDuplicate(fault))
        {
            return false;
        }
    }

    public async Task<Repository?> FindAsync(string name, CancellationToken ct)
    {
        if (!StoredText.Fits(name)) return null;
        await using var db = engine.CreateContext();
        var row = await db.Repositories.AsNoTracking().SingleOrDefaultAsync(r => r.Name == name, ct);
        return row is null ? null : RepositoryOf(row);
    }

    public async Task<IReadOnlyList<Repository>> ListAsync(int skip, int take, CancellationToken ct)
    {
        await using var db = engine.CreateContext();
        var rows = await db.Repositories.AsNoTracking().OrderBy(r => r.RegisteredAt).ThenBy(r => r.Name).Skip(skip).Take(take).ToListAsync(ct);
        return rows.ConvertAll(RepositoryOf);
    }

    private static Repository RepositoryOf(RepositoryRow row) =>
        new(row.Name, row.Url, JsonColumn.Read<string[]>(row.Workflows), JsonColumn.Read<Dictionary<string, string>>(row.Credentials));
}
