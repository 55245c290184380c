using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Xunit;

namespace Broker.Tests.InstancesDialect;

public abstract partial class InstancesDialectTests
{
    // Instances contract 2.1.
    [Theory]
    [InlineData("{}", "type")]
    [InlineData("no json", "")]
    [InlineData("", "")]
    [InlineData("[1]", "")]
    [InlineData("""{"type":"a b"}""", "type")]
    public async Task A_body_that_fails_its_check_names_the_field(string body, string path)
    {
        var name = await StartedAsync("a");

        var answer = (await Cli.PostAsync(name, "/a/events", body)).Expect(HttpStatusCode.BadRequest, "FRAGNO_VALIDATION_ERROR");

        Assert.Equal("Validation failed", answer["message"].GetString());
        Assert.Equal(path, string.Join('.', answer["issues"][0].GetProperty("path").EnumerateArray().Select(p => p.GetString())));
    }

    // Instances contract 10: the body is checked first, so a refused create does not show whether the workflow exists.
    [Fact]
    public async Task The_body_is_checked_before_the_workflow_and_the_workflow_before_the_id()
    {
        var none = Flows.Name("none");

        (await Cli.PostAsync(none, "", """{"id":"-"}""")).Expect(HttpStatusCode.BadRequest, "FRAGNO_VALIDATION_ERROR");
        (await Cli.PostAsync(none, "/-x/events", """{"type":"go"}""")).Expect(HttpStatusCode.NotFound, "WORKFLOW_NOT_FOUND");
        (await Cli.DetailsAsync(none, "-x")).Expect(HttpStatusCode.NotFound, "WORKFLOW_NOT_FOUND");
    }

    [Fact]
    public async Task Unknown_names_are_404_and_bad_ids_400()
    {
        var name = await StartedAsync("a");

        Assert.Equal("Workflow not found", (await Cli.ListAsync(Flows.Name("none"))).Expect(HttpStatusCode.NotFound, "WORKFLOW_NOT_FOUND")["message"].GetString());
        (await Cli.ListAsync(new string('w', 65))).Expect(HttpStatusCode.NotFound, "WORKFLOW_NOT_FOUND");
        (await Cli.ListAsync("a/b")).Expect(HttpStatusCode.NotFound, "WORKFLOW_NOT_FOUND");
        (await Cli.SendAsync(HttpMethod.Get, "/api/workflows/workflows//instances")).Expect(HttpStatusCode.NotFound, "WORKFLOW_NOT_FOUND");
        Assert.Equal("Instance not found", (await Cli.DetailsAsync(name, "b")).Expect(HttpStatusCode.NotFound, "INSTANCE_NOT_FOUND")["message"].GetString());
        (await Cli.EventAsync(name, "b", "go")).Expect(HttpStatusCode.NotFound, "INSTANCE_NOT_FOUND");
        Assert.Equal("Invalid identifier", (await Cli.DetailsAsync(name, "-a")).Expect(HttpStatusCode.BadRequest, "INVALID_INSTANCE_ID")["message"].GetString());
        (await Cli.DetailsAsync(name, new string('a', 101))).Expect(HttpStatusCode.BadRequest, "INVALID_INSTANCE_ID");
    }

    // Instances contract 2.1: framework-level errors carry their text under both keys.
    [Theory]
    [InlineData("GET", "/api/workflows/workflows/w/instances/a/nothing")]
    [InlineData("GET", "/api/workflows/workflows/w")]
    [InlineData("DELETE", "/api/workflows/workflows/w/instances/a")]
    [InlineData("PUT", "/api/workflows/w/instances")]
    [InlineData("POST", "/api/workflows/workflows")]
    [InlineData("GET", "/api/workflows/w/instances/a/pause")]
    [InlineData("GET", "/api/workflows/_runner/tick")]
    [InlineData("POST", "/workflows/w/instances/a/b/c")]
    public async Task An_unknown_path_or_method_is_a_404_of_this_dialect(string method, string path)
    {
        var answer = (await Cli.SendAsync(new HttpMethod(method), path)).Expect(HttpStatusCode.NotFound, "ROUTE_NOT_FOUND");

        Assert.Equal(answer["message"].GetString(), answer["error"].GetString());
    }

    // Instances contract 2: the content type is not required, except that multipart is refused.
    [Theory]
    [InlineData(null, 200)]
    [InlineData("text/plain", 200)]
    [InlineData("application/x-www-form-urlencoded", 200)]
    [InlineData("nonsense", 200)]
    [InlineData("multipart/form-data; boundary=x", 415)]
    public async Task A_body_is_json_whatever_its_content_type_says(string? contentType, int status)
    {
        var name = await StartedAsync("a");
        using var content = new ByteArrayContent("""{"id":"b"}"""u8.ToArray());
        if (contentType is not null) content.Headers.TryAddWithoutValidation("Content-Type", contentType);

        using var response = await Client.PostAsync(new Uri($"/api/workflows/{name}/instances", UriKind.Relative), content, TestContext.Current.CancellationToken);

        var answer = new Answer(response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        answer.Expect((HttpStatusCode)status, status == 415 ? "UNSUPPORTED_MEDIA_TYPE" : null);
        if (status == 415) Assert.Equal(answer["message"].GetString(), answer["error"].GetString());
    }

    // Instances contract 2: POSTs without a declared body ignore any body.
    [Fact]
    public async Task A_body_where_none_is_declared_is_ignored()
    {
        var name = await StartedAsync("a");

        (await Cli.PostAsync(name, "/a/pause", "no json")).Expect(HttpStatusCode.OK);
        (await Cli.PostAsync(name, "/a/resume", "[[[[")).Expect(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_a_413()
    {
        var name = await StartedAsync("a");

        var answer = (await Cli.CreateAsync(name, "b", $"\"{new string('x', 8 * 1024 * 1024)}\"")).Expect(HttpStatusCode.RequestEntityTooLarge, "PAYLOAD_TOO_LARGE");

        Assert.Equal(answer["message"].GetString(), answer["error"].GetString());
    }

    [Fact]
    public async Task A_body_nested_too_deep_is_refused_with_the_reason()
    {
        var name = await StartedAsync("a");

        var answer = (await Cli.CreateAsync(name, "b", new string('[', 100) + new string(']', 100))).Expect(HttpStatusCode.BadRequest, "FRAGNO_VALIDATION_ERROR");

        Assert.Equal("nested deeper than 64 levels", Assert.Single(answer["issues"].EnumerateArray()).GetProperty("message").GetString());
    }

    // Instances contract 9.
    [Theory]
    [InlineData("/api/workflows/_runner/tick", null)]
    [InlineData("/_runner/tick", "no json")]
    [InlineData("/_runner/tick", """{"maxInstances":10,"maxSteps":"100"}""")]
    public async Task A_tick_returns_how_many_instances_it_advanced(string path, string? body)
    {
        var answer = (await Cli.SendAsync(HttpMethod.Post, path, body)).Expect(HttpStatusCode.OK);

        Assert.True(answer["processed"].GetInt32() >= 0);
        Assert.Single(answer.Json.EnumerateObject());
    }

    [Theory]
    [InlineData("""{"maxInstances":0}""")]
    [InlineData("""{"maxSteps":1.5}""")]
    [InlineData("[]")]
    public async Task A_tick_with_bad_limits_is_a_400(string body) =>
        (await Cli.SendAsync(HttpMethod.Post, "/_runner/tick", body)).Expect(HttpStatusCode.BadRequest, "FRAGNO_VALIDATION_ERROR");

    // Instances contract 2.1: clients repeat every 5xx, so no request may cause one.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nothing_that_a_client_sends_is_a_server_error(int seed)
    {
        var name = await StartedAsync("a");
        var random = new Random(seed);
        string[] bodies =
        [
            "", "{", "null", "0", "\"\"", "[]", """{"id":"\ud800"}""", """{"\ud800":1,"id":"ok\u0000"}""", """{"i\ud800":1}""", """{"type":"go","typ\udc00":2}""",
            """{"id":{"a":[]},"params":1e999}""", """{"type":"go","payload":"\u0000\udfff"}""", """{"params":{"a":1,"a":2}}""", new string('[', 5000),
            $$"""{"params":{{new string('[', 60)}}{{new string(']', 60)}}}""", """{"instances":[{"id":"n1"},null,{"id":"\u0000"}]}""", """{"instances":[{"id":"n2","params":"\ud800"}]}""",
            """{"maxInstances":99999999999999999999}""", "\u00ff\u00fe", """{"id":"x","params":"ÿ"}""",
        ];
        string[] rests =
        [
            "", "/batch", "/a", "/a/history", "/a/pause", "/a/resume", "/a/restart", "/a/events", "/%20", "/%2e%2e", "/a%2Fb", "/-", "/\ud83d\ude00", "/a.1", "/a/",
            "?pageSize=-1&cursor=%ff", "?status=%00", "?status=queued&status=paused", "/a/history?runNumber=%00", "/a/history?logCategory=%ff%fe&includeLogs=true",
            "/a/history?order=asc&stepsCursor=eyJ2IjoxLCJraW5kIjoyLCJkZXNjIjp0cnVlLCJzaXplIjo1LCJhdCI6MzE1NTM3ODk3NTk5OTk5OTk5OSwicm93Ijo5MjIzMzcyMDM2ODU0Nzc1ODA3LCJpZCI6IiJ9",
            "?cursor=eyJ2IjoxLCJraW5kIjowLCJkZXNjIjp0cnVlLCJzaXplIjo1LCJhdCI6MCwicm93IjowLCJpZCI6IlxcdTAwMDAifQ",
        ];
        for (var i = 0; i < 120; i++)
        {
            var (method, rest, body) = (random.Next(3) == 0 ? HttpMethod.Get : HttpMethod.Post, rests[random.Next(rests.Length)], bodies[random.Next(bodies.Length)]);
            using var request = new HttpRequestMessage(method, $"/api/workflows/{(random.Next(2) == 0 ? "workflows/" : "")}{name}/instances{rest}");
            var bytes = random.Next(4) == 0 ? Encoding.Latin1.GetBytes(body) : Encoding.UTF8.GetBytes(body);
            if (method == HttpMethod.Post) request.Content = new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

            using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);

            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True((int)response.StatusCode < 500, $"seed {seed}, {i}: {method} {rest} {body} -> {(int)response.StatusCode} {text}");
            if (response.Content.Headers.ContentType?.MediaType == "application/json") _ = System.Text.Json.JsonElement.Parse(text);
        }
    }
}
