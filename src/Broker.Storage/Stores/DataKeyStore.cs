using Broker.Storage.Lanes;
using Broker.Storage.Model;
using Microsoft.EntityFrameworkCore;

namespace Broker.Storage.Stores;

/// <summary>The key ring in the database. Not asynchronous, because the framework that asks is not; it asks about once a day.</summary>
public interface IDataKeyStore
{
    IReadOnlyList<string> All();

    void Add(string name, string xml);
}

internal sealed class DataKeyStore(IEngine engine, TimeProvider clock) : IDataKeyStore
{
    public IReadOnlyList<string> All()
    {
        using var db = engine.CreateContext();
        return [.. db.DataKeys.AsNoTracking().OrderBy(k => k.AddedAt).ThenBy(k => k.Name).Select(k => k.Xml)];
    }

    public void Add(string name, string xml)
    {
        using var db = engine.CreateContext();
        db.DataKeys.Add(new DataKeyRow { Name = name, Xml = xml, AddedAt = clock.GetUtcNow().ToMicros() });
        db.SaveChanges();
    }
}
