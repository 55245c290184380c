using System.Text;
using System.Text.Json;
using Broker.Core.Runs;
using Broker.Storage.Contracts;
using Broker.Testing;
using Broker.Tests.App;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Security;

/// <summary>Limits by caller, by workflow and by request, each answered in the form of the dialect that was asked.</summary>
public sealed class LimitTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed record Answer(int Status, string Body, string? ContentType, string? RetryAfter);

    private static async Task<Answer> SendAsync(OwnBroker broker, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await broker.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
        return new(
            (int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct), answer.Content.Headers.ContentType?.MediaType, answer.Headers.RetryAfter?.ToString());
    }

    private static Task<Answer> GetAsync(OwnBroker broker, string path) => SendAsync(broker, HttpMethod.Get, path);

    private static Task<Answer> PostAsync(OwnBroker broker, string path, string body) => SendAsync(broker, HttpMethod.Post, path, body);

    private static string Schema(string workflow) => $$$$"""{"workflow_id":"{{{{workflow}}}}","version":"1","steps":{"a":{"name":"a"}}}""";

    /// <summary>The message, from where the dialect keeps it.</summary>
    private static string Message(string path, Answer answer)
    {
        if (path.StartsWith("/workflows", StringComparison.Ordinal) || path.StartsWith("/events", StringComparison.Ordinal))
        {
            Assert.Equal("text/plain", answer.ContentType);
            return answer.Body;
        }

        Assert.Contains("json", answer.ContentType, StringComparison.Ordinal);
        var json = JsonElement.Parse(answer.Body);
        var member = path switch
        {
            "/nowhere" or "/status" or "/workers" or "/workflow/dispatch" => "detail",
            _ when path.StartsWith("/agents", StringComparison.Ordinal) => "detail",
            _ when path.EndsWith("/instances", StringComparison.Ordinal) || path.EndsWith("/batch", StringComparison.Ordinal) => "message",
            _ => "error",
        };
        if (member == "message") Assert.NotEmpty(json.GetProperty("code").GetString()!);
        return json.GetProperty(member).GetString()!;
    }

    [Fact]
    public async Task A_client_beyond_its_rate_gets_429_and_a_probe_does_not()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:RequestsPerSecond=1", "--Broker:Limits:RequestBurst=3");
        foreach (var path in (string[])["/status", "/workers", "/workflows", "/agents/workflows", "/api/workers", "/api/workflows/w/instances", "/nowhere"])
        {
            Answer answer;
            do
            {
                answer = await GetAsync(broker, path);
            }
            while (answer.Status != 429);

            Assert.Contains("at most 1 a second", Message(path, answer), StringComparison.Ordinal);
            Assert.InRange(int.Parse(answer.RetryAfter!, System.Globalization.CultureInfo.InvariantCulture), 1, 5);
        }

        foreach (var path in (string[])["/livez", "/readyz", "/health"])
        {
            for (var i = 0; i < 20; i++) Assert.Equal(200, (await GetAsync(broker, path)).Status);
        }
    }

    [Fact]
    public async Task Without_a_limit_no_client_gets_429()
    {
        await using var broker = await OwnBroker.StartAsync();
        for (var i = 0; i < 300; i++) Assert.Equal(200, (await GetAsync(broker, "/status")).Status);
    }

    [Fact]
    public async Task Workers_and_dispatches_make_so_many_versions_of_a_workflow()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:Versions=2");
        static string Of(string version) => Schema("many").Replace("\"version\":\"1\"", $"\"version\":\"{version}\"", StringComparison.Ordinal);
        foreach (var version in (string[])["1", "2", "1"]) Assert.Equal(200, (await PostAsync(broker, "/worker/register", $"[{Of(version)}]")).Status);

        var registered = await PostAsync(broker, "/worker/register", $"[{Schema("other")},{Of("3")}]");
        var dispatched = await PostAsync(broker, "/workflow/dispatch", "{\"workflow\":" + Of("3") + ",\"inputs\":{}}");
        Assert.All([registered, dispatched], refused =>
        {
            Assert.Equal(429, refused.Status);
            Assert.Contains("'many' has 2 versions, as many as Broker:Limits:Versions allows", refused.Body, StringComparison.Ordinal);
        });
        Assert.DoesNotContain("other", (await GetAsync(broker, "/workflows")).Body, StringComparison.Ordinal);
        Assert.Equal(200, (await PostAsync(broker, "/workflow/dispatch", "{\"workflow\":" + Of("2") + ",\"inputs\":{}}")).Status);
    }

    [Fact]
    public async Task A_client_has_so_many_streams_and_gets_another_when_one_has_ended()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:Streams=2");
        const string Stream = "/api/workflows/w/jobs/j/logs/stream";
        var open = new Queue<HttpResponseMessage>();
        for (var i = 0; i < 2; i++) open.Enqueue(await broker.Client.GetAsync(new Uri(Stream, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct));
        Assert.All(open, answer => Assert.Equal(200, (int)answer.StatusCode));

        foreach (var path in (string[])[Stream, "/events/h", "/agents/events/h"])
        {
            var refused = await GetAsync(broker, path);
            Assert.Equal(429, refused.Status);
            Assert.Contains("at most 2 may be open", Message(path, refused), StringComparison.Ordinal);
            Assert.NotNull(refused.RetryAfter);
        }

        open.Dequeue().Dispose();
        await Eventually.TrueAsync(async () =>
        {
            using var again = await broker.Client.GetAsync(new Uri(Stream, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Ct);
            return (int)again.StatusCode == 200;
        });
        open.Dequeue().Dispose();
    }

    [Fact]
    public async Task A_workflow_takes_so_many_runs_until_some_have_begun()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:Backlog=2");
        var worker = JsonElement.Parse((await PostAsync(broker, "/worker/register", $"[{Schema("full")},{Schema("other")}]")).Body).GetString();
        Assert.Equal(200, (await PostAsync(broker, "/workflows/full/run-nowait", "{}")).Status);
        Assert.Equal(200, (await PostAsync(broker, "/workflows/full/run-nowait", "{}")).Status);

        (string Path, string Body)[] starts =
        [
            ("/workflow/dispatch", $$$"""{"workflow":{{{Schema("full")}}},"inputs":{}}"""), ("/workflows/full/run", "{}"), ("/workflows/full/run-nowait", "{}"),
            ("/agents/workflows/full/run-nowait", "{}"), ("/api/workflows/full/run", "{}"), ("/api/workflows/full/instances", "{}"),
            ("/api/workflows/full/instances/batch", """{"instances":[{"id":"b1"}]}"""),
        ];
        foreach (var (path, body) in starts)
        {
            var refused = await PostAsync(broker, path, body);
            Assert.Equal(429, refused.Status);
            Assert.Contains("2 runs of workflow 'full' wait for workers", Message(path, refused), StringComparison.Ordinal);
            Assert.NotNull(refused.RetryAfter);
        }

        Assert.Equal(429, (await PostAsync(broker, "/api/workflows/other/instances/batch", """{"instances":[{"id":"1"},{"id":"2"},{"id":"3"}]}""")).Status);
        Assert.Equal(200, (await PostAsync(broker, "/workflows/other/run-nowait", "{}")).Status);
        Assert.Equal(2, (await broker.Services.GetRequiredService<IHistory>().ListAsync(["full"], Ct)).Count);

        // Two, since the worker may run both workflows: at least one of them is of the full one.
        Assert.Equal(200, (await GetAsync(broker, $"/workflow/step?worker_id={worker}&count=2")).Status);
        await Eventually.TrueAsync(async () => (await PostAsync(broker, "/workflows/full/run-nowait", "{}")).Status == 200);
    }

    [Fact]
    public async Task The_backlog_is_exact_when_starts_come_together()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:Backlog=10");
        await PostAsync(broker, "/worker/register", $"[{Schema("many")}]");
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => PostAsync(broker, "/workflows/many/run-nowait", "{}")));

        Assert.Equal((10, 30), (answers.Count(a => a.Status == 200), answers.Count(a => a.Status == 429)));
        Assert.Equal(10, (await broker.Services.GetRequiredService<IHistory>().ListAsync(["many"], Ct)).Count(run => run.Status is not RunStatus.Failed));
    }

    [Fact]
    public async Task A_restarted_broker_knows_what_waits_already()
    {
        using var file = new SqliteFile();
        await using (var first = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null))
        {
            await PostAsync(first, "/worker/register", $"[{Schema("old")}]");
            for (var i = 0; i < 3; i++) await PostAsync(first, "/workflows/old/run-nowait", "{}");
        }

        await using var again = await OwnBroker.StartOnAsync($"sqlite:{file.Path}", null, "--Broker:Limits:Backlog=3");
        await Eventually.TrueAsync(async () => (await PostAsync(again, "/workflows/old/run-nowait", "{}")).Status == 429);
    }

    [Fact]
    public async Task Nesting_steps_and_batches_are_as_large_as_was_set()
    {
        await using var broker = await OwnBroker.StartAsync("--Broker:Limits:JsonDepth=8", "--Broker:Limits:Steps=2", "--Broker:Limits:Batch=2");
        var deep = $$"""{"name":"n","url":"u","workflows":[],"credentials":{{string.Concat(Enumerable.Repeat("[", 9))}}{{new string(']', 9)}}}""";
        Assert.Equal(400, (await PostAsync(broker, "/repository/register", deep)).Status);

        static string Steps(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"\"s{i}\":{{}}"));
        static string Jobs(int count) => string.Join(',', Enumerable.Range(0, count).Select(i =>
            $$"""{"id":"j{{i}}","name":"j","status":"queued","command":"true","depends_on":[]}"""));
        foreach (var (count, ok) in ((int, bool)[])[(2, true), (3, false)])
        {
            var schema = $$"""{"workflow_id":"w{{count}}","version":"1","steps":{ {{Steps(count)}} } }""";
            Assert.Equal(ok ? 200 : 422, (await PostAsync(broker, "/worker/register", $"[{schema}]")).Status);
            Assert.Equal(ok ? 200 : 422, (await PostAsync(broker, "/workflow/dispatch", $$$"""{"workflow":{{{schema}}},"inputs":{}}""")).Status);
            Assert.Equal(ok ? 201 : 422, (await PostAsync(broker, "/api/workflows", $$"""{"name":"n","trigger":"t","jobs":[{{Jobs(count)}}]}""")).Status);
            var ids = string.Join(',', Enumerable.Range(0, count).Select(i => $"\"l{i}\""));
            Assert.Equal(ok ? 200 : 422, (await PostAsync(broker, "/api/jobs/heartbeat", $$"""{"lease_ids":[{{ids}}]}""")).Status);
            Assert.Equal(
                ok ? 200 : 422, (await PostAsync(broker, "/api/jobs/claim", $$"""{"worker_id":"w","labels":[],"lease_ttl_secs":30,"count":{{count}}}""")).Status);
            var instances = string.Join(',', Enumerable.Range(0, count).Select(i => $$"""{"id":"i{{i}}"}"""));
            Assert.Equal(ok ? 200 : 400, (await PostAsync(broker, "/api/workflows/w2/instances/batch", $$"""{"instances":[{{instances}}]}""")).Status);
        }

        var worker = JsonElement.Parse((await PostAsync(broker, "/worker/register", $"[{Schema("w")}]")).Body).GetString();
        var refused = await GetAsync(broker, $"/workflow/step?worker_id={worker}&count=3");
        Assert.Equal(400, refused.Status);
        Assert.Contains("from 1 to 2", refused.Body, StringComparison.Ordinal);
    }
}
