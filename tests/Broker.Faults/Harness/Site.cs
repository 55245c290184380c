using Broker.Testing;

namespace Broker.Faults.Harness;

public enum Database
{
    Sqlite,
    Postgres,
}

/// <summary>One database and the real brokers on it, which scan for lost leases every second.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly List<BrokerProcess> brokers = [];
    private readonly SqliteFile sqlite = new();
    private readonly PostgresCluster? postgres;
    private readonly string postgresDatabase;

    private Site(PostgresCluster? postgres, string postgresDatabase) => (this.postgres, this.postgresDatabase) = (postgres, postgresDatabase);

    public TempFolder Workflows { get; } = new();

    public IReadOnlyList<BrokerProcess> Brokers => brokers;

    public BrokerProcess Broker => brokers[0];

    public HttpClient Http { get; private set; } = null!;

    private string Url => postgres is null ? $"sqlite:{sqlite.Path}" : postgres.UrlOf(postgresDatabase);

    /// <summary>The brokers read <paramref name="workflow"/> as the file "flow.yml" at their start.</summary>
    public static async Task<Site> OpenAsync(Database database, PostgresCluster postgres, int brokers = 1, string? workflow = null)
    {
        if (database is Database.Postgres) PostgresCluster.Require();
        var site = database switch
        {
            Database.Sqlite => new Site(null, ""),
            Database.Postgres => new Site(postgres, await postgres.CreateDatabaseAsync()),
        };
        try
        {
            if (workflow is not null) await File.WriteAllTextAsync(Path.Combine(site.Workflows.Path, "flow.yml"), workflow);
            for (var i = 0; i < brokers; i++) await site.AddBrokerAsync();
            site.Http = new HttpClient { BaseAddress = site.Broker.Address, Timeout = TimeSpan.FromSeconds(60) };
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }

        return site;
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        foreach (var broker in brokers) await broker.DisposeAsync();
        if (postgres is not null) await postgres.DropAsync(postgresDatabase);
        sqlite.Dispose();
        Workflows.Dispose();
    }

    private async Task AddBrokerAsync() => brokers.Add(await BrokerProcess.StartAsync(Url, new Dictionary<string, string>
    {
        ["REAP_INTERVAL_SECS"] = "1",
        ["WORKFLOWS_DIR"] = Workflows.Path,
        ["Serilog__MinimumLevel__Default"] = "Warning",
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
    }));
}
