using Broker.Audit;
using Broker.Auth;
using Broker.Storage.Contracts;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Host;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>Beyond loopback the broker starts with keys, or with <c>AllowAnonymous</c>.</summary>
public sealed class StartTests : IDisposable
{
    private readonly SqliteFile file = new();
    private readonly TempFolder workflows = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        file.Dispose();
        workflows.Dispose();
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public async Task Without_keys_the_broker_refuses_to_start_and_says_what_to_write(string host)
    {
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => StartAsync($"--HOST={host}"));
        Assert.Contains("broker keys create", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Broker__Auth__AllowAnonymous=true", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("HOST=127.0.0.1", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", true)]
    [InlineData("http://[::]:0", true)]
    [InlineData("http://*:0", true)]
    [InlineData("http://+:0/", true)]
    [InlineData("http://any.example:0", true)]
    [InlineData("http://127.0.0.1:0", false)]
    [InlineData("http://[::1]:0/", false)]
    public async Task An_endpoint_of_the_server_counts_in_the_place_of_the_host(string url, bool isRefused)
    {
        var endpoint = $"--Kestrel:Endpoints:Http:Url={url}";
        if (!isRefused) await StartAsync(endpoint, "--HOST=0.0.0.0");
        else Assert.Contains("broker keys create", (await Assert.ThrowsAsync<StartRefusedException>(() => StartAsync(endpoint))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("broker")]
    [InlineData("*")]
    [InlineData("localhost")]
    public async Task With_AllowAnonymous_it_serves_every_caller_under_its_names(string names) =>
        await StartAsync("--HOST=0.0.0.0", "--Broker:Auth:AllowAnonymous=true", $"--Broker:AllowedHosts={names}");

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public async Task With_AllowAnonymous_and_without_names_it_refuses_and_says_what_to_write(string host)
    {
        var refusal = await Assert.ThrowsAsync<StartRefusedException>(() => StartAsync($"--HOST={host}", "--Broker:Auth:AllowAnonymous=true"));
        Assert.Contains("Broker__AllowedHosts=", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("broker keys create", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("HOST=127.0.0.1", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_are_needed_neither_on_loopback_nor_with_keys()
    {
        await StartAsync("--Broker:Auth:AllowAnonymous=true");
        await StartAsync(["--HOST=0.0.0.0", "--Broker:Auth:AllowAnonymous=true", .. TestKeys.Settings]);
    }

    [Theory]
    [InlineData(true, "--Broker:Auth:AllowAnonymous=true")]
    [InlineData(false, "--Broker:Auth:AllowAnonymous=true", "--CORS_ORIGINS=https://page.example")]
    [InlineData(false, "--Broker:Auth:AllowAnonymous=true", "--CORS_ORIGINS=*")]
    [InlineData(false)]
    public async Task AllowAnonymous_without_a_list_of_origins_gives_a_warning(bool isWarned, params string[] settings)
    {
        var logs = new RecordedLogs();
        await using var broker = await OwnBroker.StartOnAsync(null, logs, settings);
        Assert.Equal(isWarned, logs.Lines.Any(line => line.Level is LogLevel.Warning && line.Text.Contains("CORS_ORIGINS", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task With_configured_keys_the_broker_starts() => await StartAsync(["--HOST=0.0.0.0", .. TestKeys.Settings]);

    [Fact]
    public async Task With_a_key_in_the_database_the_broker_starts_also_when_it_is_revoked()
    {
        using var output = new StringWriter();
        Assert.Equal(0, await Commands.CommandLine.RunAsync(["keys", "create", "--name", "a", "--scopes", "read", Database], output, TextWriter.Null));
        await StartAsync("--HOST=0.0.0.0");
        var id = ApiKey.IdOf(output.ToString()).ToString();
        Assert.Equal(0, await Commands.CommandLine.RunAsync(["keys", "revoke", id, Database], TextWriter.Null, TextWriter.Null));
        await StartAsync("--HOST=0.0.0.0");
    }

    [Fact]
    public async Task The_program_ends_with_the_message_and_no_stack_trace()
    {
        await using var broker = new ManagedProcess(RepositoryLayout.HostProgram(), new Dictionary<string, string>
        {
            ["HOST"] = "0.0.0.0",
            ["PORT"] = "0",
            ["DATABASE_URL"] = $"sqlite:{file.Path}",
        });
        broker.Start();

        // It says so and ends in the same moment: either may be seen first.
        await Eventually.TrueAsync(
            () => broker.HasExited && broker.Output.Any(line => line.StartsWith("The broker does not listen on 0.0.0.0 without API keys", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60));
        Assert.Equal(1, broker.ExitCode);
        Assert.DoesNotContain(broker.Output, line => line.Contains(" at Broker", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Notes_of_the_audit_trail_are_written_when_the_host_stops()
    {
        await StartAsync([], async services => await services.GetRequiredService<AuditTrail>().NoteAsync("noted"));
        await StartAsync([], async services => Assert.Single((await services.GetRequiredService<IAuditStore>().ReadAsync(new(Action: "noted"), 10, Ct)).Rows));
    }

    private string Database => $"--DATABASE_URL=sqlite:{file.Path}";

    private Task StartAsync(params string[] settings) => StartAsync(settings, _ => Task.CompletedTask);

    private async Task StartAsync(string[] settings, Func<IServiceProvider, Task> use)
    {
        var (app, _, problem) = BrokerHost.Create([Database, "--PORT=0", $"--WORKFLOWS_DIR={workflows.Path}", "--Serilog:MinimumLevel:Default=Fatal", .. settings]);
        Assert.Null(problem);
        await using (app!)
        {
            await app!.StartAsync(Ct);
            await use(app.Services);
            await app.StopAsync(Ct);
        }
    }
}
