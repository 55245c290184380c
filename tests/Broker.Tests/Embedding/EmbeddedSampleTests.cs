using System.Globalization;
using System.Net;
using System.Text;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Embedding;

/// <summary>The sample application, in a process of its own: its hooks allow and deny, and its own routes stand beside those of the broker.</summary>
public sealed class EmbeddedSampleTests(EmbeddedSample sample) : IClassFixture<EmbeddedSample>
{
    private const string Instances = "/flows/api/workflows/workflows/greet/instances";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("request", "reader", "stranger", "GET", Instances, null)]
    [InlineData("creation", "clerk", "reader", "POST", Instances, "{}")]
    [InlineData("management", "lead", "clerk", "POST", Instances + "/held/pause", null)]
    [InlineData("event", "clerk", "reader", "POST", Instances + "/held/events", """{"type":"go"}""")]
    [InlineData("tick", "lead", "clerk", "POST", "/flows/api/workflows/_runner/tick", null)]
    public async Task Each_hook_allows_and_denies(string hook, string allowed, string denied, string method, string path, string? body)
    {
        var refused = await sample.SendAsync(method, path, denied, body);
        Assert.Equal((HttpStatusCode.Forbidden, """{"message":"The role does not allow it.","code":"FORBIDDEN"}"""), refused);

        var (status, text) = await sample.SendAsync(method, path, allowed, body);
        Assert.True(status is HttpStatusCode.OK, $"{hook}: {status} {text}");
    }

    [Fact]
    public async Task Routes_of_application_and_broker_stand_side_by_side()
    {
        Assert.Equal("The application answers here, and the broker below /flows.", (await sample.SendAsync("GET", "/", null, null)).Text);
        Assert.Equal(HttpStatusCode.OK, (await sample.SendAsync("GET", "/flows/readyz", null, null)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await sample.SendAsync("GET", "/readyz", null, null)).Status);
        var document = (await sample.SendAsync("GET", "/flows/openapi.json", null, null)).Text;
        Assert.Contains("\"url\": \"/flows/\"", document, StringComparison.Ordinal);
        Assert.DoesNotContain("\"/\": {", document, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_other_machines_reach_needs_keys_in_an_application_too()
    {
        using var file = new SqliteFile();
        await using var process = new ManagedProcess(EmbeddedSample.Program, EmbeddedSample.Settings(file), ["--urls", "http://0.0.0.0:0"]);
        await process.StartUntilAsync("The broker does not listen on http://0.0.0.0:0 without API keys");
    }

    [Fact]
    public async Task A_port_of_the_broker_is_refused_since_the_application_listens()
    {
        using var file = new SqliteFile();
        await using var process = new ManagedProcess(EmbeddedSample.Program, EmbeddedSample.Settings(file), ["--Broker:Port=3000"]);
        await process.StartUntilAsync("Broker:Port: the application decides where it listens; remove this setting.");
    }
}

/// <summary>The sample on a port and a database file of its own, with the workflow <c>greet</c> and its instance <c>held</c>.</summary>
public sealed class EmbeddedSample : IAsyncLifetime
{
    private readonly SqliteFile file = new();
    private readonly ManagedProcess process;
    private readonly HttpClient client = new();

    public EmbeddedSample() => process = new ManagedProcess(Program, Settings(file), ["--urls", Urls]);

    internal static string Program { get; } = RepositoryLayout.SampleProgram("Embedded");

    private string Urls { get; } = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{LoopbackPort.Choose()}");

    internal static Dictionary<string, string> Settings(SqliteFile file) => new()
    {
        ["DATABASE_URL"] = $"sqlite:{file.Path}",
        ["WORKFLOWS_DIR"] = "/nonexistent",
    };

    public async ValueTask InitializeAsync()
    {
        await process.StartUntilAsync("Now listening on");
        await SendAsync("POST", "/flows/worker/register", null, """[{"workflow_id":"greet","version":"1","steps":{"hello":{}}}]""");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("POST", "/flows/api/workflows/workflows/greet/instances", "lead", """{"id":"held"}""")).Status);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await process.DisposeAsync();
        file.Dispose();
    }

    internal async Task<(HttpStatusCode Status, string Text)> SendAsync(string method, string path, string? role, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Urls + path));
        if (role is not null) request.Headers.Add("X-Role", role);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
