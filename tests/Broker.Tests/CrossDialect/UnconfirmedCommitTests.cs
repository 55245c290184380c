using System.Net;
using System.Text;
using Broker.Testing;
using Broker.Tests.App;
using Npgsql;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>A commit that a synchronous standby does not confirm is a 503 in each dialect, and turns readiness until one is confirmed again.</summary>
public sealed class UnconfirmedCommitTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_dialect_answers_that_the_outcome_is_unknown()
    {
        PostgresCluster.Require();
        await using var server = new PostgresCluster { Durable = true };
        var database = await server.CreateDatabaseAsync();
        Assert.SkipWhen(server.ProcessId == 0, "A server that was given is not ours to set up.");
        var impatient = new NpgsqlConnectionStringBuilder(database) { CommandTimeout = 1 }.ConnectionString;
        await using var broker = await OwnBroker.StartOnAsync(impatient, null);
        using var registered = await PostAsync(broker, "/worker/register", Graph("w"));
        Assert.Equal(HttpStatusCode.OK, registered.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await ReadyAsync(broker));

        await WaitForStandbyAsync(server, "missing");
        await AssertUnknownAsync(broker, "/worker/register", Graph("v"));
        await AssertUnknownAsync(broker, "/workflows/w/run-nowait", """{"start_event":{}}""");
        await AssertUnknownAsync(broker, "/api/workflows/w/instances", """{"params":{}}""");
        await AssertUnknownAsync(broker, "/api/workers/register", """{"worker_id":"new","labels":[]}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ReadyAsync(broker));
        Assert.Matches("(?m)^broker_commits_in_doubt_total\\{\\} [1-9]", await broker.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative), Ct));

        await WaitForStandbyAsync(server, "");
        await Eventually.TrueAsync(async () => await ReadyAsync(broker) is HttpStatusCode.OK, TimeSpan.FromSeconds(60));
    }

    private static string Graph(string name) => $"[{ADefinition.Document(name, "1", "", "a")}]";

    private static async Task<HttpResponseMessage> PostAsync(OwnBroker broker, string path, string json)
    {
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        return await broker.Client.PostAsync(new Uri(path, UriKind.Relative), body, Ct);
    }

    private static async Task AssertUnknownAsync(OwnBroker broker, string path, string json)
    {
        using var answer = await PostAsync(broker, path, json);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable, $"{path}: {answer.StatusCode} {text}");
        Assert.Contains("outcome is unknown", text, StringComparison.Ordinal);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    private static async Task<HttpStatusCode> ReadyAsync(OwnBroker broker)
    {
        using var answer = await broker.Client.GetAsync(new Uri("/readyz", UriKind.Relative), Ct);
        return answer.StatusCode;
    }

    private static async Task WaitForStandbyAsync(PostgresCluster server, string name)
    {
        await using var admin = await server.OpenAdminAsync();
        foreach (var sql in (string[])[$"ALTER SYSTEM SET synchronous_standby_names = '{name}'", "SELECT pg_reload_conf()"])
        {
            await using var command = new NpgsqlCommand(sql, admin);
            await command.ExecuteNonQueryAsync(Ct);
        }

        await Eventually.TrueAsync(async () =>
        {
            await using var shown = new NpgsqlCommand("SHOW synchronous_standby_names", admin);
            return (string)(await shown.ExecuteScalarAsync(Ct))! == name;
        });
    }
}
