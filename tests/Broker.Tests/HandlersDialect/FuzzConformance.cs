using System.Net;
using System.Text;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>Random requests: the answer is never a 5xx, since the contract lists none for a body (handlers contract 2).</summary>
public abstract class FuzzConformance
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1e999", "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "\"{\\\"a\\\":1}\"", "\"{\\\"type\\\":\\\"StartEvent\\\",\\\"value\\\":{}}\"",
        "\"{\\\"\\\\ud800\\\":1}\"", "[]", "[1]", "{}", "{\"\\ud800\":1}", "{\"\\u0000\":\"\\u0000\"}", "{\"value\":null}", "{\"value\":{\"_data\":{\"_data\":{}}}}",
        "{\"type\":7,\"value\":{}}", "{\"type\":\"\\ud800\",\"value\":{}}", "{\"qualified_name\":\".\",\"value\":{}}", "{\"type\":\"StopEvent\",\"value\":{}}",
        "{\"_data\":{\"a\":1,\"a\":2}}", $"{new string('[', 60)}{new string(']', 60)}", $"{new string('[', 200)}{new string(']', 200)}",
    ];

    private static readonly string[] Members = ["start_event", "kwargs", "context", "handler_id", "event", "step", "\\ud800"];

    private protected abstract HttpClient Http { get; }

    [Fact]
    public async Task No_request_body_makes_the_server_fail()
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await new HandlersClient(Http).StartedIdAsync(workflow);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 250; round++)
        {
            var members = Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"\"{Pick(Members)}\":{Pick(Values)}");
            var body = random.Next(10) == 0 ? Pick(Values) : $"{{{string.Join(',', members)}}}";
            var path = random.Next(2) == 0 ? $"/workflows/{workflow}/run-nowait" : $"/events/{id}";
            var client = random.Next(2) == 0 ? new HandlersClient(Http) : new HandlersClient(Http).Current;

            var answer = await client.PostAsync(path, body);

            Assert.True((int)answer.Status < 500, $"seed {seed}, round {round}: {path} {body} -> {(int)answer.Status} {answer.Text}");
        }

        string Pick(string[] from) => from[random.Next(from.Length)];
    }

    [Theory]
    [InlineData("/workflows/{0}/run-nowait", "start_event")]
    [InlineData("/events/{1}", "event")]
    public async Task Text_that_is_no_UTF8_is_no_JSON(string path, string member)
    {
        var (_, workflow) = await StepWorker.RegisterAloneAsync(Http, Definitions.Greet);
        var id = await new HandlersClient(Http).StartedIdAsync(workflow);
        byte[] bytes = [.. Encoding.ASCII.GetBytes($"{{\"{member}\":{{\"type\":\"StartEvent\",\"value\":{{\"a\":\""), 0xFF, .. "\"}}}"u8];
        using var body = new ByteArrayContent(bytes);
        path = string.Format(System.Globalization.CultureInfo.InvariantCulture, path, workflow, id);

        using var answer = await Http.PostAsync($"/agents{path}", body, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("/results/%00")]
    [InlineData("/results/%ED%A0%80")]
    [InlineData("/handlers/a%2Fb~c")]
    [InlineData("/events/~")]
    [InlineData("/workflows/%FF/schema")]
    [InlineData("/handlers?status=%00&workflow_name=%00")]
    [InlineData("/handlers?status=%ED%A0%80&workflow_name=%FF")]
    public async Task Odd_paths_and_queries_are_refused_or_find_nothing(string path) =>
        Assert.True((int)(await new HandlersClient(Http).GetAsync(path)).Status < 500);
}
