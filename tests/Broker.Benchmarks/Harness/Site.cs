using System.Data.Common;
using System.Globalization;
using Broker.Storage.Contracts;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Broker.Benchmarks.Harness;

/// <summary>One database and the brokers on it.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly PostgresCluster postgres;
    private readonly string? postgresDatabase;
    private readonly SqliteFile? sqlite;
    private readonly TempFolder workflows = new();
    private readonly List<BrokerProcess> brokers = [];

    private Site(PostgresCluster postgres, string? postgresDatabase, SqliteFile? sqlite) =>
        (this.postgres, this.postgresDatabase, this.sqlite) = (postgres, postgresDatabase, sqlite);

    public IReadOnlyList<BrokerProcess> Brokers => brokers;

    public Uri Address => brokers[0].Address;

    public static async Task<Site> OpenAsync(PostgresCluster postgres, Database database, int brokers, Accelerators accelerators, string host)
    {
        var site = database switch
        {
            Database.Postgres => new Site(postgres, await postgres.CreateEmptyDatabaseAsync(), null),
            Database.Sqlite => new Site(postgres, null, new SqliteFile()),
        };
        var url = site.sqlite is { } file ? "sqlite:" + file.Path : postgres.UrlOf(site.postgresDatabase!);
        var environment = new Dictionary<string, string>
        {
            ["WORKFLOWS_DIR"] = site.workflows.Path,
            ["Serilog__MinimumLevel__Default"] = "Warning",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };

        // Brokers of before this setting are measured too.
        if (accelerators != Accelerators.All) environment["Broker__Storage__Accelerators"] = accelerators.ToString();
        try
        {
            for (var i = 0; i < brokers; i++) site.brokers.Add(await BrokerProcess.StartAsync(url, environment, host));
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }

        return site;
    }

    /// <summary>A connection to the brokers' database.</summary>
    public async Task<DbConnection> OpenDatabaseAsync(CancellationToken ct)
    {
        DbConnection connection = sqlite is { } file ? new SqliteConnection(file.ConnectionString) : new NpgsqlConnection(postgresDatabase);
        await connection.OpenAsync(ct);
        return connection;
    }

    /// <summary>Does something to the database while no broker runs.</summary>
    public async Task WithoutBrokersAsync(Func<DbConnection, Task> work, CancellationToken ct)
    {
        foreach (var broker in brokers) await broker.StopAsync(TimeSpan.FromMinutes(2));

        await using (var connection = await OpenDatabaseAsync(ct))
        {
            await work(connection);
        }

        foreach (var broker in brokers) await broker.RestartAsync();
    }

    /// <summary>
    /// Transactions on the brokers' database so far, reads included; null for SQLite, which does not count them. A backend
    /// publishes its count 1 s late while it works, and 10 s late when it becomes idle.
    /// </summary>
    public async Task<long?> TransactionsAsync() => postgresDatabase is null
        ? null
        : await AskAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"SELECT xact_commit FROM pg_stat_database WHERE datname = '{new NpgsqlConnectionStringBuilder(postgresDatabase).Database}'"));

    /// <summary>Transactions of the whole server that wrote something, savepoints included: exact at once. Null for SQLite.</summary>
    public async Task<long?> WritesAsync() => postgresDatabase is null
        ? null
        : await AskAsync("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint");

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in brokers) await broker.DisposeAsync();

        if (postgresDatabase is not null) await postgres.DropAsync(postgresDatabase);

        sqlite?.Dispose();
        workflows.Dispose();
    }

    private async Task<long> AskAsync(string sql)
    {
        // Asked from another database, so that the question does not count itself.
        var elsewhere = new NpgsqlConnectionStringBuilder(postgresDatabase) { Database = "postgres", Pooling = false };
        await using var connection = new NpgsqlConnection(elsewhere.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
