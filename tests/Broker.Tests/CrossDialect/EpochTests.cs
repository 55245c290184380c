using System.Text;
using Broker.Auth;
using Broker.Storage.Contracts;
using Broker.Storage.Health;
using Broker.Testing;
using Broker.Tests.App;
using Broker.Tests.Auth;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>A backup that is restored under a running broker: the host's caches outside its stores follow.</summary>
public sealed class EpochTests(PostgresCluster cluster) : IAsyncLifetime
{
    private const string Repository = """{"name":"r","url":"https://git.example.com/r.git","workflows":["r"],"credentials":{"token":"t-5tBx9QfW"}}""";

    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private readonly TempFolder folder = new();
    private string database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Backup => Path.Combine(folder.Path, "backup");

    /// <summary>The backup has the tables and nothing in them.</summary>
    public async ValueTask InitializeAsync()
    {
        PostgresCluster.Require();
        database = await cluster.CreateDatabaseAsync();
        await PostgresCluster.RunToolAsync("pg_dump", database, "--format=custom", $"--file={Backup}");
    }

    public async ValueTask DisposeAsync()
    {
        if (database is not null) await cluster.DropAsync(database);
        folder.Dispose();
    }

    private Task RestoreAsync() => PostgresCluster.RunToolAsync("pg_restore", database, "--clean", "--if-exists", "--single-transaction", Backup);

    private Task<OwnBroker> StartAsync(params string[] settings) => OwnBroker.StartOnAsync(database, null, settings);

    [Fact]
    public async Task Workflow_files_are_registered_anew()
    {
        var files = Directory.CreateDirectory(Path.Combine(folder.Path, "workflows")).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "mine.yml"), "name: mine\non: push\njobs:\n  j:\n    run: echo x\n", Ct);
        await using var broker = await StartAsync($"--WORKFLOWS_DIR={files}");
        Assert.Equal(202, await StatusAsync(broker, "POST", "/api/workflows/mine/run"));
        await RestoreAsync();
        await Eventually.TrueAsync(async () => await StatusAsync(broker, "POST", "/api/workflows/mine/run") == 202, WaitLimit);
        await Eventually.TrueAsync(async () => (await TextAsync(broker, "/api/workflow-files")).Contains("mine", StringComparison.Ordinal), WaitLimit);
    }

    [Fact]
    public async Task The_sample_is_registered_anew()
    {
        await using var broker = await StartAsync();
        var listed = await TextAsync(broker, "/api/workflows");
        Assert.Contains("\"id\"", listed, StringComparison.Ordinal);
        await RestoreAsync();
        await Eventually.TrueAsync(async () => await TextAsync(broker, "/api/workflows") == listed, WaitLimit);
    }

    [Fact]
    public async Task Credentials_are_encrypted_under_a_key_that_the_database_has()
    {
        await using (var broker = await StartAsync())
        {
            Assert.Equal(204, await StatusAsync(broker, "POST", "/repository/register", Repository));
            await RestoreAsync();
            await NoticedAsync(broker);
            await Eventually.TrueAsync(async () => await StatusAsync(broker, "POST", "/repository/register", Repository) == 204, WaitLimit);
        }

        await using var restarted = await StartAsync();
        Assert.Equal(Repository, await TextAsync(restarted, "/repository?name=r"));
    }

    [Fact]
    public async Task Keys_that_were_lost_are_refused_and_keys_are_asked_for_as_before()
    {
        await using var broker = await StartAsync();
        var (id, key) = ApiKey.Create();
        await broker.Services.GetRequiredService<IKeyStore>().AddAsync(new StoredKey(id, "first", ApiKey.HashOf(key), ["admin"], null, default, null, null), "test", Ct);
        await broker.Services.GetRequiredService<ApiKeyCache>().RefreshAsync(Ct);
        Assert.Equal((200, 401), (await StatusAsync(broker, "GET", "/api/workflows", key: key), await StatusAsync(broker, "GET", "/api/workflows")));
        await RestoreAsync();
        await Eventually.TrueAsync(async () => await StatusAsync(broker, "GET", "/api/workflows", key: key) == 401, WaitLimit);
        Assert.Equal(401, await StatusAsync(broker, "GET", "/api/workflows"));
    }

    [Fact]
    public async Task Streams_end_when_the_epoch_changes()
    {
        await using var broker = await StartAsync();
        Assert.Equal(200, await StatusAsync(broker, "POST", "/worker/register", $"[{Calls.Definition("open")}]"));
        var handler = (await broker.Client.CallAsync(null, "POST", "/workflows/open/run-nowait", "{}")).Json["handler_id"]!.GetValue<string>();
        var streams = new List<HttpResponseMessage>();
        foreach (var path in (string[])[$"/events/{handler}?after_sequence=-1", $"/agents/events/{handler}", "/api/workflows/open/jobs/step/logs/stream"])
            streams.Add(await broker.Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct));
        Assert.All(streams, opened => Assert.Equal(200, (int)opened.StatusCode));
        await ExecuteAsync("INSERT INTO counter (name, next) VALUES ('epoch', 1)");
        foreach (var opened in streams[..2]) await Assert.ThrowsAnyAsync<HttpRequestException>(() => opened.Content.ReadAsStringAsync(Ct).WaitAsync(WaitLimit, Ct));
        await streams[2].Content.ReadAsStringAsync(Ct).WaitAsync(WaitLimit, Ct);
        foreach (var opened in streams) opened.Dispose();

        // The run is still there: asked for again, its stream goes on.
        using var again = await broker.Client.GetAsync(new Uri($"/events/{handler}?after_sequence=-1", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct);
        Assert.Equal(200, (int)again.StatusCode);
    }

    [Fact]
    public async Task The_backlog_is_counted_anew()
    {
        await using var broker = await StartAsync("--Broker:Limits:Backlog=2");
        Assert.Equal(200, await StatusAsync(broker, "POST", "/worker/register", $"[{Calls.Definition("full")}]"));
        await StartRunsAsync(broker, 200, 200, 429);
        await RestoreAsync();
        await NoticedAsync(broker);
        await Eventually.TrueAsync(async () => await StatusAsync(broker, "POST", "/worker/register", $"[{Calls.Definition("full")}]") == 200, WaitLimit);
        await Eventually.TrueAsync(async () => await StatusAsync(broker, "POST", "/workflows/full/instances", "{}") == 200, WaitLimit);
    }

    // A connection that was open before the restore is asked within a second.
    private static Task NoticedAsync(OwnBroker broker) => Eventually.TrueAsync(() => broker.Services.GetRequiredService<StoreEpoch>().Number > 0, WaitLimit);

    private static async Task StartRunsAsync(OwnBroker broker, params int[] expected)
    {
        foreach (var status in expected) Assert.Equal(status, await StatusAsync(broker, "POST", "/workflows/full/instances", "{}"));
    }

    private static async Task<int> StatusAsync(OwnBroker broker, string method, string path, string? json = null, string? key = null)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        using var answer = await broker.Client.SendAsync(request, Ct);
        return (int)answer.StatusCode;
    }

    private static async Task<string> TextAsync(OwnBroker broker, string path)
    {
        using var answer = await broker.Client.GetAsync(new Uri(path, UriKind.Relative), Ct);
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
