namespace Broker.Storage.Contracts;

/// <summary>The key ring in the database. Not asynchronous, because the framework that asks is not; it asks about once a day.</summary>
public interface IDataKeyStore
{
    IReadOnlyList<string> All();

    void Add(string name, string xml);
}
