using Xunit;

namespace Broker.Testing;

/// <summary>A database for one test class: a class fixture beside the assembly's <see cref="PostgresCluster"/>.</summary>
public sealed class PostgresDatabase(PostgresCluster cluster) : IAsyncLifetime
{
    /// <summary>Empty where there is no PostgreSQL; a test that uses it calls <see cref="PostgresCluster.Require"/> first.</summary>
    public string ConnectionString { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (PostgresCluster.IsAvailable) ConnectionString = await cluster.CreateDatabaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (ConnectionString.Length > 0) await cluster.DropAsync(ConnectionString);
    }
}
