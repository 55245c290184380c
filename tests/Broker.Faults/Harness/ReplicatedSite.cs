using System.Globalization;
using System.Net;
using Broker.Testing;
using Npgsql;
using Xunit;

namespace Broker.Faults.Harness;

/// <summary>A primary, its standby and two real brokers that are given both.</summary>
public sealed class ReplicatedSite : IAsyncLifetime
{
    private const string Database = "broker";

    // Of a COMMIT that waits for a standby too: short, so that a test meets many of them.
    private const int CommandTimeoutSecs = 2;

    private readonly List<BrokerProcess> brokers = [];
    private readonly TempFolder workflows = new();
    private ReplicatedPostgres? servers;
    private HttpClient? http;
    private int rounds;

    internal ReplicatedPostgres Servers => servers!;

    internal IReadOnlyList<Uri> Addresses => [.. brokers.Select(b => b.Address)];

    internal string Workflow { get; private set; } = "";

    /// <summary>The tables of the primary.</summary>
    internal string ConnectionString => new NpgsqlConnectionStringBuilder(Servers.PrimaryOf(Database)) { Pooling = false }.ConnectionString;

    /// <summary>Numbers the rounds, so that each has instances of its own.</summary>
    internal int NextRound() => ++rounds;

    public async ValueTask InitializeAsync()
    {
        servers = await ReplicatedPostgres.StartAsync();
        await servers.CreateDatabaseAsync(Database);
        for (var i = 0; i < 2; i++) brokers.Add(await BrokerProcess.StartAsync(Url, Site.Variables(workflows)));
        http = new HttpClient { BaseAddress = brokers[0].Address, Timeout = TimeSpan.FromSeconds(60) };
        const string retries = ""","max_retries":100""";
        Workflow = await http.DefineAsync(CancellationToken.None, Wire.Job("first", "true", more: retries), Wire.Job("last", "true", """["first"]""", retries));
    }

    public async ValueTask DisposeAsync()
    {
        http?.Dispose();
        foreach (var broker in brokers) await broker.DisposeAsync();
        if (servers is not null) await servers.DisposeAsync();
        workflows.Dispose();
    }

    /// <summary>A statement on the primary.</summary>
    internal async Task<T> SqlAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Rows of the primary.</summary>
    internal async Task<Stored> StoredAsync()
    {
        var (instances, results) = (new HashSet<string>(), new Dictionary<InstanceStep, string>());
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT r.instance_id, s.idx, s.result FROM run r LEFT JOIN step s ON s.run_id = r.id", connection);
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            instances.Add(rows.GetString(0));
            if (!rows.IsDBNull(2)) results[new(rows.GetString(0), rows.GetInt32(1) == 0 ? "first" : "last")] = rows.GetString(2);
        }

        return new(instances, results);
    }

    /// <summary>The timeline of the primary, eight hexadecimal digits.</summary>
    internal Task<string> TimelineAsync() => SqlAsync<string>("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)");

    /// <summary>Sum of a counter of <c>/metrics</c> over the brokers, of the lines that hold all those texts.</summary>
    internal async Task<double> CountedAsync(string name, params string[] labels)
    {
        var sum = 0.0;
        foreach (var broker in brokers)
        {
            var text = await http!.GetStringAsync(new Uri(broker.Address, "metrics"));
            sum += text.Split('\n')
                .Where(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(label => line.Contains(label, StringComparison.Ordinal)))
                .Sum(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
        }

        return sum;
    }

    internal async Task UntilReadyAsync(HttpStatusCode expected)
    {
        foreach (var broker in brokers)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    using var answer = await http!.GetAsync(new Uri(broker.Address, "readyz"));
                    return answer.StatusCode == expected;
                },
                TimeSpan.FromSeconds(60),
                $"/readyz answers {expected}");
        }
    }

    /// <summary>Commits something on the primary alone.</summary>
    internal async Task MarkAsync()
    {
        await ExecuteAsync(ConnectionString, "SET synchronous_commit = local", "CREATE TABLE mark ()");
        Assert.True(await HasMarkAsync());
    }

    /// <summary>Whether the primary has it.</summary>
    internal Task<bool> HasMarkAsync() => SqlAsync<bool>("SELECT to_regclass('mark') IS NOT NULL");

    /// <summary>Replaces the brokers' database by a restored one, as an operator does. Brokers meet the old one, the new one, or none.</summary>
    internal async Task ReplaceDatabaseAsync(string dump)
    {
        var (admin, restored) = (Servers.PrimaryOf("postgres"), $"restored_{Guid.NewGuid():N}");
        await Servers.CreateDatabaseAsync(restored);
        await PostgresCluster.RunToolAsync("pg_restore", Servers.PrimaryOf(restored), "--single-transaction", dump);
        await ExecuteAsync(
            admin,
            $"ALTER DATABASE {Database} ALLOW_CONNECTIONS false",
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Database}'",
            $"ALTER DATABASE {Database} RENAME TO former_{restored}",
            $"ALTER DATABASE {restored} RENAME TO {Database}");
    }

    /// <summary>Runs <c>broker restore</c> on this database.</summary>
    internal async Task AnnounceRestoreAsync()
    {
        await using var command = new ManagedProcess(RepositoryLayout.HostProgram(), new Dictionary<string, string> { ["DATABASE_URL"] = Url }, ["restore"]);
        command.Start();
        await Eventually.TrueAsync(() => command.HasExited, TimeSpan.FromSeconds(120), "broker restore has ended");
        Assert.True(command.ExitCode == 0, string.Join('\n', command.Output));
    }

    private static async Task ExecuteAsync(string connectionString, params string[] statements)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        foreach (var sql in statements)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Errors that the brokers have logged.</summary>
    internal string Errors => string.Join('\n', brokers.SelectMany(b => b.Output).Where(line => line.Contains("\"Error\"", StringComparison.Ordinal)).TakeLast(10));

    private string Url => string.Create(CultureInfo.InvariantCulture, $"{Servers.UrlOf(Database)}?Command%20Timeout={CommandTimeoutSecs}");
}
