using Broker.Storage.Contracts;
using Broker.Testing;
using Broker.Tests.JobsDialect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresCluster))]

namespace Broker.Tests.App;

/// <summary>The whole service on a real Kestrel port and a database of its own: a class fixture.</summary>
public abstract class BrokerApp : IAsyncLifetime, IJobsBroker
{
    private readonly List<WebApplication> apps = [];
    private readonly TempFolder workflows = new();
    private string? databaseUrl;

    public HttpClient Client { get; private set; } = null!;

    /// <summary>Base address of the first broker.</summary>
    public Uri Address => Client.BaseAddress!;

    public IServiceProvider Services => apps[0].Services;

    HttpClient IJobsBroker.Http => Client;

    public Task ReapAsync() => Services.GetRequiredService<IRunStore>().ExpireLeasesAsync(1000, TestContext.Current.CancellationToken);

    /// <summary>Settings of the first broker, beside those of every test.</summary>
    private protected virtual string[] FirstSettings => [];

    private protected abstract Task<string> CreateDatabaseAsync();

    private protected abstract Task DropDatabaseAsync();

    public async ValueTask InitializeAsync()
    {
        databaseUrl = await CreateDatabaseAsync();
        Client = await StartBrokerAsync(FirstSettings);
    }

    /// <summary>Starts a further broker on the same database (PostgreSQL), or the first one.</summary>
    public async Task<HttpClient> StartBrokerAsync(params string[] settings)
    {
        var (app, _, problem) = BrokerHost.Create(
            [
                $"--DATABASE_URL={databaseUrl}", "--PORT=0", "--HOST=127.0.0.1", $"--WORKFLOWS_DIR={workflows.Path}",
                "--Serilog:MinimumLevel:Default=Warning", .. settings,
            ]);
        Assert.Null(problem);
        apps.Add(app!);
        await app!.StartAsync(TestContext.Current.CancellationToken);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new HttpClient(new DescribedAnswersHandler(await DescribedAnswersHandler.DocumentAsync(app.Services))) { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(100) };
    }

    /// <summary>Stops the last started broker in good order.</summary>
    public async Task StopBrokerAsync()
    {
        var last = apps[^1];
        apps.RemoveAt(apps.Count - 1);
        await last.StopAsync(TestContext.Current.CancellationToken);
        await last.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        foreach (var app in apps)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }

        await DropDatabaseAsync();
        workflows.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>On a PostgreSQL database of its own.</summary>
public class PostgresApp(PostgresCluster cluster) : BrokerApp
{
    private string? connectionString;

    private protected override async Task<string> CreateDatabaseAsync()
    {
        PostgresCluster.Require();
        return connectionString = await cluster.CreateDatabaseAsync();
    }

    private protected override async Task DropDatabaseAsync()
    {
        if (connectionString is not null) await cluster.DropAsync(connectionString);
    }
}

/// <summary>On a SQLite file of its own.</summary>
public class SqliteApp : BrokerApp
{
    private readonly SqliteFile file = new();

    private protected override Task<string> CreateDatabaseAsync() => Task.FromResult($"sqlite:{file.Path}");

    private protected override Task DropDatabaseAsync()
    {
        file.Dispose();
        return Task.CompletedTask;
    }
}
