using System.Net;
using Broker.Operations;
using Xunit;

namespace Broker.Tests.Host;

public sealed class ProbeTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ready_follows_the_database_and_live_does_not()
    {
        var database = new Part();
        await using var host = await MiniHost.StartAsync(_ => { }, parts: database);
        Assert.Equal((HttpStatusCode.OK, """{"status":"ok"}"""), await GetAsync(host, "/readyz"));

        database.Fault = "the database is away";
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"status":"unavailable","reason":"the database is away","type":"urn:broker:problem:unavailable","code":"unavailable"}"""), await GetAsync(host, "/readyz"));
        Assert.Equal((HttpStatusCode.OK, """{"status":"ok"}"""), await GetAsync(host, "/livez"));
    }

    [Fact]
    public async Task A_stopping_host_is_not_ready()
    {
        var part = new Part();
        await using var host = await MiniHost.StartAsync(_ => { }, parts: part);
        var stopping = Task.CompletedTask;
        // The host is stopped while this request is open: it serves the request to its end.
        part.OnAsked = () => stopping = Task.Run(() => host.StopAsync(), Ct);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(host, "/readyz")).Status);
        await stopping;
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(host, "/readyz"));
    }

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(MiniHost host, string path)
    {
        using var answer = await host.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private sealed class Part : IReadiness
    {
        public string? Fault { get; set; }

        public Action? OnAsked { get; set; }

        public Task<string?> FaultAsync(CancellationToken ct)
        {
            OnAsked?.Invoke();
            return Task.FromResult(Fault);
        }
    }
}
