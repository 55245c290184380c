using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>Form that every dialect requires of a request before it reads the content.</summary>
public abstract class RequestFormSuite(BrokerApp app)
{
    private const string Flow = """{"workflow_id":"@","version":"1","steps":{"s":{}}}""";

    private const string Job = """{"id":"@","name":"n","status":"queued","command":"c","depends_on":[]}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed record Answer(int Status, string Type, string Body);

    /// <summary>The path goes out as it is written here.</summary>
    private async Task<Answer> SendAsync(string method, string path, byte[]? body = null, string? coding = null)
    {
        var raw = new Uri(app.Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(method), raw);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new("application/json");
            if (coding is not null) request.Content.Headers.ContentEncoding.Add(coding);
        }

        using var answer = await app.Client.SendAsync(request, Ct);
        return new((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType ?? "", await answer.Content.ReadAsStringAsync(Ct));
    }

    private Task<Answer> PostAsync(string path, string body) => SendAsync("POST", path, Encoding.UTF8.GetBytes(body));

    private async Task<string> RegisteredAsync()
    {
        var name = $"form-{Guid.NewGuid():N}";
        Assert.Equal(200, (await PostAsync("/worker/register", $"[{Flow.Replace("@", name, StringComparison.Ordinal)}]")).Status);
        return name;
    }

    /// <summary>A route with a JSON body in each dialect, the body, and the status for a valid one.</summary>
    public static TheoryData<string, string, int> Bodies { get; } = new()
    {
        { "/api/jobs/claim", """{"worker_id":"w","labels":["no-such-label"]}""", 200 },
        { "/api/jobs/complete", """{"results":[]}""", 200 },
        { "/api/workers/register", """{"worker_id":"form","labels":[]}""", 200 },
        { "/api/workflows", """{"name":"n","trigger":"t","jobs":[]}""", 201 },
        { "/worker/register", $"[{Flow}]", 200 },
        { "/broker/worker/register", $"[{Flow}]", 200 },
        { "/workflow/dispatch", $$$"""{"workflow":{{{Flow}}},"inputs":{}}""", 200 },
        { "/repository/register", """{"name":"@","url":"u","workflows":[],"credentials":{}}""", 204 },
        { "/workflows/@/run-nowait", """{"start_event":{}}""", 200 },
        { "/agents/workflows/@/run-nowait", """{"start_event":{}}""", 200 },
        { "/api/workflows/@/instances", "{}", 200 },
        { "/api/workflows/workflows/@/instances/batch", """{"instances":[]}""", 200 },
        { "/_runner/tick", "{}", 200 },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_byte_order_mark_before_json_is_passed_over(string path, string body, int status)
    {
        var name = await RegisteredAsync();
        byte[] marked = [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(body.Replace("@", name, StringComparison.Ordinal))];

        var answer = await SendAsync("POST", path.Replace("@", name, StringComparison.Ordinal), marked);

        Assert.True(answer.Status == status, answer.ToString());
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_compressed_body_is_refused_with_the_header_named(string path, string body, int status)
    {
        var name = await RegisteredAsync();
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(body.Replace("@", name, StringComparison.Ordinal)), Ct);
        var at = path.Replace("@", name, StringComparison.Ordinal);

        var answer = await SendAsync("POST", at, packed.ToArray(), "gzip");

        Assert.Equal(415, answer.Status);
        Assert.Contains("Content-Encoding", Message(at, answer), StringComparison.Ordinal);
        Assert.Equal(status, (await SendAsync("POST", at, Encoding.UTF8.GetBytes(body.Replace("@", name, StringComparison.Ordinal)), "identity")).Status);
    }

    // Where the dialect of that path has the message of an error.
    private static string Message(string path, Answer answer)
    {
        if (path.StartsWith("/workflows/", StringComparison.Ordinal))
        {
            Assert.Equal("text/plain", answer.Type);
            return answer.Body;
        }

        Assert.Equal("application/json", answer.Type);
        var isInstances = path.Contains("/instances", StringComparison.Ordinal) || path.Contains("tick", StringComparison.Ordinal);
        return JsonElement.Parse(answer.Body).GetProperty(isInstances ? "message" : path.StartsWith("/api/", StringComparison.Ordinal) ? "error" : "detail").GetString()!;
    }

    [Fact]
    public async Task A_request_without_a_body_may_name_any_coding()
    {
        var name = await RegisteredAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/workflows/{name}/run") { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentEncoding.Add("gzip");
        using var answer = await app.Client.SendAsync(request, Ct);
        Assert.Equal(202, (int)answer.StatusCode);
    }

    /// <summary>Every place where a client chooses an id, and the answer to an id that no path can hold.</summary>
    public static TheoryData<string, string, int> Choices { get; } = new()
    {
        { "/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[{{Job}}]}""", 422 },
        { "/api/workers/register", """{"worker_id":"@","labels":[]}""", 422 },
        { "/api/jobs/claim", """{"worker_id":"@","labels":[]}""", 422 },
        { "/api/jobs/x/logs", """{"chunks":[{"workflow_id":"@","job_id":"j","sequence":0,"data":"","timestamp_ms":0,"stream":"stdout"}]}""", 422 },
        { "/api/jobs/x/logs", """{"chunks":[{"workflow_id":"w","job_id":"@","sequence":0,"data":"","timestamp_ms":0,"stream":"stdout"}]}""", 422 },
        { "/worker/register", $"[{Flow}]", 422 },
        { "/worker/register", """[{"workflow_id":"dots","version":"1","steps":{"@":{}}}]""", 422 },
        { "/workflow/dispatch", $$$"""{"workflow":{{{Flow}}},"inputs":{}}""", 422 },
        { "/workflows/NAME/run-nowait", """{"handler_id":"@","context":{"a":1}}""", 400 },
        { "/agents/workflows/NAME/run-nowait", """{"handler_id":"@"}""", 400 },
        { "/api/workflows/NAME/instances", """{"id":"@"}""", 400 },
        { "/api/workflows/workflows/NAME/instances/batch", """{"instances":[{"id":"@"}]}""", 400 },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public async Task An_id_that_no_path_can_hold_is_refused(string path, string body, int status)
    {
        var name = await RegisteredAsync();
        foreach (var id in (string[])[".", ".."])
        {
            var answer = await PostAsync(path.Replace("NAME", name, StringComparison.Ordinal), body.Replace("@", id, StringComparison.Ordinal));
            Assert.True(answer.Status == status, answer.ToString());
        }
    }

    [Theory]
    [InlineData("p%2Fq", "p%252Fq")]
    [InlineData("p%2fq/r", "p%252fq%2Fr")]
    [InlineData("p/q%252F", "p%2Fq%25252F")]
    public async Task A_name_is_decoded_once_in_every_dialect(string suffix, string segment)
    {
        var stem = $"once-{Guid.NewGuid():N}";
        var (name, path) = (stem + suffix, stem + segment);
        Assert.Equal(200, (await PostAsync("/worker/register", $"[{Flow.Replace("@", name, StringComparison.Ordinal)}]")).Status);

        Assert.Equal(200, (await PostAsync($"/api/workflows/{path}/instances", """{"id":"i1"}""")).Status);
        foreach (var at in (string[])[$"/workflows/{path}/instances", $"/workflows/{path}/instances/i1", $"/api/workflows/workflows/{path}/instances/i1/history", $"/api/workflows/{path}/instances/i1",
            $"/workflows/{path}/schema", $"/agents/workflows/{path}/events", $"/api/workflows/{path}/status", $"/api/v1/runs/{path}/i1/steps/s", $"/api/v1/workflows/{path}"])
        {
            Assert.Equal((at, 200), (at, (await SendAsync("GET", at)).Status));
        }

        foreach (var action in (string[])["pause", "resume", "restart", "terminate"])
            Assert.Equal((action, 200), (action, (await SendAsync("POST", $"/api/workflows/{path}/instances/i1/{action}")).Status));
        Assert.Equal(202, (await SendAsync("POST", $"/api/workflows/{path}/run")).Status);
        Assert.Equal(200, (await PostAsync($"/workflows/{path}/run-nowait", "{}")).Status);
        Assert.Equal(200, (await SendAsync("GET", $"/handlers/{path}~{path}")).Status is 200 or 202 ? 200 : 0);
    }

    [Theory]
    [InlineData("""{"a":{"b":["\ud800"]}}""", "inputs.a.b")]
    [InlineData("""{"\udc00":1}""", "inputs")]
    public async Task Half_a_surrogate_pair_in_the_inputs_of_a_dispatch_is_refused_with_its_place(string inputs, string place)
    {
        foreach (var prefix in (string[])["", "/broker"])
        {
            var answer = await PostAsync($"{prefix}/workflow/dispatch", $$"""{"workflow":{{Flow.Replace("@", "halves", StringComparison.Ordinal)}},"inputs":{{inputs}}}""");
            Assert.Equal(422, answer.Status);
            Assert.Equal(place, JsonElement.Parse(answer.Body).GetProperty("problems")[0].GetProperty("path").GetString());
        }

        Assert.Equal(200, (await PostAsync("/workflow/dispatch", $$$"""{"workflow":{{{Flow.Replace("@", "halves", StringComparison.Ordinal)}}},"inputs":{"a":"\ud83d\ude00"}}""")).Status);
    }
}

public sealed class PostgresRequestFormTests(PostgresApp app) : RequestFormSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteRequestFormTests(SqliteApp app) : RequestFormSuite(app), IClassFixture<SqliteApp>;
