using System.Diagnostics;
using Broker.Auth;
using Broker.Storage.Contracts;
using Broker.Tests.App;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>From no key at all to a revoked one, on a broker that goes on running. The tests share it, so each step is one of one test.</summary>
public abstract class KeyLifeSuite(BrokerApp app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private IKeyStore Store => app.Services.GetRequiredService<IKeyStore>();

    private ApiKeyCache Ring => app.Services.GetRequiredService<ApiKeyCache>();

    [Fact]
    public async Task A_key_in_the_database_is_asked_for_known_noted_and_revoked_while_the_broker_runs()
    {
        Assert.Equal(200, (await CallAsync(null)).Status);
        Assert.Contains(app.Services.GetServices<IHostedService>(), service => service is KeyRefresh);

        // Open streams and waits of callers without a key end with the first key.
        var worker = (await app.Client.CallAsync(null, "POST", "/worker/register", $"[{Calls.Definition("open")}]")).Json.GetValue<string>();
        var open = (await app.Client.CallAsync(null, "POST", "/workflows/open/run-nowait", "{}")).Json["handler_id"]!.GetValue<string>();
        using var taken = await app.Client.GetAsync(new Uri($"/workflow/step?worker_id={worker}", UriKind.Relative), Ct);
        Assert.Equal(200, (int)taken.StatusCode);
        var streams = new List<HttpResponseMessage>();
        foreach (var path in (string[])[$"/events/{open}", $"/agents/events/{open}", "/api/workflows/open/jobs/step/logs/stream"])
            streams.Add(await app.Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct));
        Assert.All(streams, opened => Assert.Equal(200, (int)opened.StatusCode));
        var waits = (List<Task>)
        [
            app.Client.CallAsync(null, "GET", $"/workflow/step?worker_id={worker}&wait=60"),
            app.Client.CallAsync(null, "POST", "/api/jobs/claim", """{"worker_id":"w","labels":[],"wait":60}"""),
        ];

        var (id, key) = await AddAsync("read,event");
        var made = Stopwatch.GetTimestamp();
        foreach (var under in streams.Select(opened => (Task)opened.Content.ReadAsStringAsync(Ct)).Concat(waits))
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => under.WaitAsync(TimeSpan.FromSeconds(50), Ct));
        TestContext.Current.TestOutputHelper?.WriteLine($"Streams and waits without a key ended after {Stopwatch.GetElapsedTime(made)}.");
        foreach (var opened in streams) opened.Dispose();
        Assert.Equal(401, (await CallAsync(null)).Status);
        Assert.Equal(200, (await CallAsync(key)).Status);
        Assert.Equal(403, (await app.Client.CallAsync(key, "POST", "/_runner/tick")).Status);

        await Ring.FlushUseAsync(Ct);
        Assert.NotNull((await FindAsync(id)).LastUsedAt);

        // A stream does not outlive the key that it was opened with.
        var (adminId, admin) = await AddAsync("admin");
        await Ring.RefreshAsync(Ct);
        await app.Client.RegisterAsync(admin, "streamed");
        var handler = (await app.Client.CallAsync(admin, "POST", "/workflows/streamed/run-nowait", "{}")).Json["handler_id"]!.GetValue<string>();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/agents/events/{handler}");
        request.Headers.Authorization = new("Bearer", key);
        using var stream = await app.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        Assert.Equal(200, (int)stream.StatusCode);

        Assert.True(await Store.RevokeAsync(id, "command-line", Ct));
        await Ring.RefreshAsync(Ct);
        Assert.Equal(401, (await CallAsync(key)).Status);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => stream.Content.ReadAsStringAsync(Ct).WaitAsync(TimeSpan.FromSeconds(60), Ct));

        // Revoking the last key locks every caller out.
        Assert.True(await Store.RevokeAsync(adminId, "command-line", Ct));
        await Ring.RefreshAsync(Ct);
        Assert.Equal(401, (await CallAsync(admin)).Status);
        Assert.Equal(401, (await CallAsync(null)).Status);

        // The broker's own refresh finds the new key.
        var (_, last) = await AddAsync("read");
        await Testing.Eventually.TrueAsync(async () => (await CallAsync(last)).Status == 200, TimeSpan.FromSeconds(60));
    }

    private Task<Reply> CallAsync(string? key) => app.Client.CallAsync(key, "GET", "/api/workflows");

    private async Task<StoredKey> FindAsync(string id) => (await Store.ListAsync(Ct)).Single(key => key.Id == id);

    private async Task<(string Id, string Key)> AddAsync(string scopes)
    {
        var (id, key) = ApiKey.Create();
        await Store.AddAsync(new(id, "test", ApiKey.HashOf(key), scopes.Split(','), null, default, null, null), "command-line", Ct);
        return (id, key);
    }
}

public sealed class PostgresKeyLifeTests(PostgresApp app) : KeyLifeSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteKeyLifeTests(SqliteApp app) : KeyLifeSuite(app), IClassFixture<SqliteApp>;
