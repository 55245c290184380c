using Broker.Testing;

namespace Broker.Storage.Tests;

/// <summary>Opens an empty PostgreSQL database for a test.</summary>
internal sealed class PostgresOpener(PostgresCluster cluster)
{
    private string connectionString = "";

    public async Task<DatabaseTarget> CreateAsync()
    {
        PostgresCluster.Require();
        connectionString = await cluster.CreateDatabaseAsync();
        return new DatabaseTarget(connectionString, null);
    }

    public async Task DropAsync()
    {
        if (connectionString.Length > 0) await cluster.DropAsync(connectionString);
    }
}

/// <summary>Opens an empty SQLite file for a test.</summary>
internal sealed class SqliteOpener : IDisposable
{
    private readonly SqliteFile file = new();

    public DatabaseTarget Target => new(null, file.Path);

    public void Dispose() => file.Dispose();
}

public sealed class PostgresHotPathTests(PostgresCluster cluster) : HotPathConformance
{
    private readonly PostgresOpener opener = new(cluster);

    private protected override TimeProvider Clock => TimeProvider.System;

    private protected override Task<DatabaseTarget> CreateAsync() => opener.CreateAsync();

    private protected override Task DropAsync() => opener.DropAsync();
}

public sealed class SqliteHotPathTests : HotPathConformance
{
    private readonly SqliteOpener opener = new();

    private protected override TimeProvider Clock { get; } = new TestClock();

    private protected override Task<DatabaseTarget> CreateAsync() => Task.FromResult(opener.Target);

    private protected override Task DropAsync()
    {
        opener.Dispose();
        return Task.CompletedTask;
    }
}
