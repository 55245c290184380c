using Broker.Storage.Contracts;
using Broker.Storage.Tables;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

internal sealed class DataKeyStore(IDatabase database, TimeProvider clock) : IDataKeyStore
{
    public IReadOnlyList<string> All()
    {
        using var db = database.CreateContext();
        return [.. db.DataKeys.AsNoTracking().OrderBy(k => k.AddedAt).ThenBy(k => k.Name).Select(k => k.Xml)];
    }

    public void Add(string name, string xml)
    {
        using var db = database.CreateContext();
        db.DataKeys.Add(new DataKeyRow { Name = name, Xml = xml, AddedAt = clock.GetUtcNow().ToMicros() });
        db.SaveChanges();
    }
}
