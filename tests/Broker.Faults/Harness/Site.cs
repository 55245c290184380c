using System.Diagnostics;
using System.Net;
using Broker.Testing;
using Npgsql;

namespace Broker.Faults.Harness;

public enum Database
{
    Sqlite,
    Postgres,
}

/// <summary>Options of a single test.</summary>
internal sealed record SiteOptions
{
    public int Brokers { get; init; } = 1;

    /// <summary>The brokers read it as the file "flow.yml" at their start.</summary>
    public string? Workflow { get; init; }

    /// <summary>Variables of the n-th broker beside the usual ones.</summary>
    public Func<int, IReadOnlyDictionary<string, string>> Variables { get; init; } = _ => new Dictionary<string, string>();

    /// <summary>The brokers' way to the database, from the direct URL.</summary>
    public Func<string, string> Through { get; init; } = url => url;

    /// <summary>The SQLite file; null: a temporary one.</summary>
    public string? SqlitePath { get; init; }

    /// <summary>Done to the PostgreSQL database (its connection string) before the first broker starts.</summary>
    public Func<string, Task> Prepare { get; init; } = _ => Task.CompletedTask;
}

/// <summary>One database and the real brokers on it, which scan for lost leases every second.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly List<BrokerProcess> brokers = [];
    private readonly SqliteFile sqlite = new();
    private readonly PostgresCluster? postgres;
    private readonly string postgresDatabase;
    private readonly SiteOptions options;

    private Site(PostgresCluster? postgres, string postgresDatabase, SiteOptions options) =>
        (this.postgres, this.postgresDatabase, this.options) = (postgres, postgresDatabase, options);

    public TempFolder Workflows { get; } = new();

    public IReadOnlyList<BrokerProcess> Brokers => brokers;

    public BrokerProcess Broker => brokers[0];

    public HttpClient Http { get; private set; } = null!;

    public IReadOnlyList<Uri> Addresses => [.. brokers.Select(b => b.Address)];

    /// <summary>The PostgreSQL database, on the direct way.</summary>
    public string ConnectionString => postgresDatabase;

    public string DatabaseName => new NpgsqlConnectionStringBuilder(postgresDatabase).Database!;

    private string Url => options.Through(postgres is null ? $"sqlite:{options.SqlitePath ?? sqlite.Path}" : postgres.UrlOf(postgresDatabase));

    public static Task<Site> OpenAsync(Database database, PostgresCluster postgres, int brokers = 1, string? workflow = null) =>
        OpenAsync(database, postgres, new SiteOptions { Brokers = brokers, Workflow = workflow });

    public static async Task<Site> OpenAsync(Database database, PostgresCluster postgres, SiteOptions options)
    {
        if (database is Database.Postgres) PostgresCluster.Require();
        var site = database switch
        {
            Database.Sqlite => new Site(null, "", options),
            Database.Postgres => new Site(postgres, await postgres.CreateDatabaseAsync(), options),
        };
        try
        {
            if (options.Workflow is { } workflow) await File.WriteAllTextAsync(Path.Combine(site.Workflows.Path, "flow.yml"), workflow);
            if (database is Database.Postgres) await options.Prepare(site.ConnectionString);
            for (var i = 0; i < options.Brokers; i++) await site.AddBrokerAsync();
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

    /// <summary>Status of <c>/readyz</c>; null when the broker did not answer.</summary>
    public async Task<HttpStatusCode?> ReadyAsync(CancellationToken ct)
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri("/readyz", UriKind.Relative), ct);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>How long it takes until <c>/readyz</c> answers that, in seconds.</summary>
    public async Task<double> UntilReadyAsync(HttpStatusCode expected, TimeSpan within, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        await Eventually.TrueAsync(async () => await ReadyAsync(ct) == expected, within, $"/readyz answers {expected}");
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>A statement in the PostgreSQL database.</summary>
    public async Task<object?> SqlAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Variables of the brokers in these tests, with those of a single test.</summary>
    public static Dictionary<string, string> Variables(TempFolder workflows, IReadOnlyDictionary<string, string>? more = null) =>
        new(more ?? new Dictionary<string, string>())
        {
            ["REAP_INTERVAL_SECS"] = "1",
            ["WORKFLOWS_DIR"] = workflows.Path,
            ["Serilog__MinimumLevel__Default"] = "Warning",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };

    private async Task AddBrokerAsync() => brokers.Add(await BrokerProcess.StartAsync(Url, Variables(Workflows, options.Variables(brokers.Count))));
}
