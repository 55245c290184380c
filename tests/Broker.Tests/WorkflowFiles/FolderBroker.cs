using System.Text;
using System.Text.Json.Nodes;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>Brokers on one database and one folder of workflow files, which may be stopped and started again.</summary>
/// <param name="cluster">Where the database is; null for a SQLite file.</param>
public abstract class FolderBroker(PostgresCluster? cluster) : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly SqliteFile file = new();
    private readonly List<OwnBroker> brokers = [];
    private string? connectionString;

    private protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    private protected string Folder => folder.Path;

    public async ValueTask InitializeAsync()
    {
        if (cluster is null) return;
        PostgresCluster.Require();
        connectionString = await cluster.CreateDatabaseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (connectionString is not null) await cluster!.DropAsync(connectionString);
        file.Dispose();
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected async Task<OwnBroker> StartAsync(string? directory = null)
    {
        var broker = await OwnBroker.StartOnAsync(connectionString ?? $"sqlite:{file.Path}", null, $"--WORKFLOWS_DIR={directory ?? folder.Path}");
        brokers.Add(broker);
        return broker;
    }

    private protected async Task StopAsync()
    {
        foreach (var broker in brokers) await broker.DisposeAsync();
        brokers.Clear();
    }

    /// <summary>A file with one job that echoes.</summary>
    private protected void Write(string name, string says = "old", string? directory = null) =>
        WriteText(name, $"name: {says}\non: push\njobs:\n  j:\n    run: echo {says}\n", directory);

    private protected void WriteText(string name, string text, string? directory = null) => File.WriteAllText(Path.Combine(directory ?? folder.Path, name), text);

    private protected static async Task<(int Status, JsonNode? Json)> CallAsync(OwnBroker broker, string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await broker.Client.SendAsync(request, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        return ((int)response.StatusCode, text.Length == 0 || response.Content.Headers.ContentType?.MediaType is not ("application/json" or "application/problem+json") ? null : JsonNode.Parse(text));
    }

    private protected static async Task<int> RunAsync(OwnBroker broker, string id) => (await CallAsync(broker, "POST", $"/api/workflows/{id}/run")).Status;

    private protected static async Task<JsonNode?> ClaimAsync(OwnBroker broker) =>
        (await CallAsync(broker, "POST", "/api/jobs/claim", """{"worker_id":"w","labels":[]}""")).Json;

    /// <summary>Ids in the list, in its order.</summary>
    private protected static async Task<string[]> ListedAsync(OwnBroker broker) =>
        [.. (await CallAsync(broker, "GET", "/api/workflows")).Json!.AsArray().Select(w => (string)w!["id"]!)];
}
