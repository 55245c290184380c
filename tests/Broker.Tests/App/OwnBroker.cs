using Broker.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.App;

/// <summary>The whole service with settings of the test's own, on a SQLite file, or on a database that the test brings.</summary>
internal sealed class OwnBroker : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly SqliteFile? file;

    private OwnBroker(WebApplication app, SqliteFile? file, DescribedAnswers described)
    {
        (this.app, this.file) = (app, file);
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new HttpClient(new DescribedAnswersHandler(described)) { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => app.Services;

    public static Task<OwnBroker> StartAsync(params string[] settings) => StartOnAsync(null, null, settings);

    public static Task<OwnBroker> StartOnAsync(string? databaseUrl, ILoggerProvider? logs, params string[] settings) => StartWithAsync(
        databaseUrl,
        builder =>
        {
            if (logs is not null) builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Trace);
        },
        settings);

    public static async Task<OwnBroker> StartWithAsync(string? databaseUrl, Action<WebApplicationBuilder> adjust, params string[] settings)
    {
        var file = databaseUrl is null ? new SqliteFile() : null;
        var (app, _, problem) = BrokerHost.Create(
            [
                $"--DATABASE_URL={databaseUrl ?? $"sqlite:{file!.Path}"}", "--PORT=0", "--HOST=127.0.0.1", "--WORKFLOWS_DIR=/nonexistent",
                "--Serilog:MinimumLevel:Default=Warning", .. settings,
            ],
            adjust);
        Assert.Null(problem);
        await app!.StartAsync(TestContext.Current.CancellationToken);
        return new(app, file, await DescribedAnswersHandler.DocumentAsync(app.Services));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        file?.Dispose();
    }
}
