using System.Globalization;
using System.Text.Json.Nodes;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>Answers that are held until a run has ended, with two brokers on one PostgreSQL.</summary>
public sealed class HeldAnswerTests(PostgresApp app) : IClassFixture<PostgresApp>
{
    private const string Claim = """{"worker_id":"w","labels":["held"],"wait":20}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_that_another_broker_ends_is_answered_at_once()
    {
        using var second = await app.StartBrokerAsync();
        var id = await DefineAsync();
        var waiting = SendAsync(second, HttpMethod.Post, $"/api/workflows/{id}/run?wait=600", "there");

        await CompleteAsync(await SendAsync(app.Client, HttpMethod.Post, "/api/jobs/claim", body: Claim));

        using var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        Assert.Equal(200, (int)answer.StatusCode);
        await app.StopBrokerAsync();
    }

    [Fact]
    public async Task A_broker_that_stops_says_when_to_ask_again_and_another_answers()
    {
        using var second = await app.StartBrokerAsync();
        var id = await DefineAsync();
        var (start, status) = ($"/api/workflows/{id}/run?wait=600", $"/api/workflows/{id}/status?wait=600");
        var started = SendAsync(second, HttpMethod.Post, start, "key");
        var claimed = await SendAsync(app.Client, HttpMethod.Post, "/api/jobs/claim", body: Claim);
        var watched = SendAsync(second, HttpMethod.Get, status);
        await app.StopBrokerAsync();

        foreach (var held in (Task<HttpResponseMessage>[])[started, watched])
        {
            try
            {
                using var answer = await held;
                Assert.Equal((503, 1), ((int)answer.StatusCode, answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds));
            }
            catch (HttpRequestException) when (held == watched)
            {
                // The request about the status may have come when the broker took no more connections.
            }
        }

        var again = SendAsync(app.Client, HttpMethod.Post, start, "key");
        await CompleteAsync(claimed);
        using var ended = await again;
        var run = JsonNode.Parse(await ended.Content.ReadAsStringAsync(Ct))!;
        Assert.Equal((200, "success", 0), ((int)ended.StatusCode, (string)run["status"]!, (int)run["run"]!));
    }

    private async Task<string> DefineAsync()
    {
        const string job = """{"id":"a","name":"a","status":"queued","command":"make","depends_on":[],"required_labels":["held"]}""";
        using var made = await SendAsync(app.Client, HttpMethod.Post, "/api/workflows", body: $$"""{"name":"held","trigger":"t","jobs":[{{job}}]}""");
        return (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Ct))!["id"]!;
    }

    private async Task CompleteAsync(HttpResponseMessage claimed)
    {
        var lease = (string)JsonNode.Parse(await claimed.Content.ReadAsStringAsync(Ct))!["lease"]!["lease_id"]!;
        using var completed = await SendAsync(app.Client, HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"/api/jobs/{lease}/complete"), body: "{}");
        Assert.Equal(200, (int)completed.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient broker, HttpMethod method, string path, string? key = null, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        if (body is not null) request.Content = new StringContent(body);
        return await broker.SendAsync(request, Ct);
    }
}
