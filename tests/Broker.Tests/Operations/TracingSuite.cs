using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Broker.Storage.Contracts;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>The trace of the start of a run reaches the workers of its steps and the transactions that it causes.</summary>
public abstract class TracingSuite(BrokerApp app)
{
    private readonly Wire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string NewTrace(bool sampled = true) => $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-{(sampled ? "01" : "00")}";

    [Fact]
    public async Task The_broker_dialect_offers_it_by_a_header_and_among_the_extras()
    {
        var (schema, trace) = (Flows.Chain(Flows.NewName("traced"), 2), NewTrace());
        var worker = await wire.RegisterAsync(schema);
        await SendAsync("/workflow/dispatch", Dispatch(schema), trace);

        var (header, body) = await ClaimAsync($"/workflow/step?worker_id={worker}");
        Assert.Equal(trace, header);
        Assert.Equal("workflow_id,instance_id,step_name,payload,assigned_at,expires_at", string.Join(',', body.Keys()));
        Assert.Equal(204, (await wire.ReportAsync(worker, body, "SUCCEEDED")).Status);

        (header, body) = await ClaimAsync($"/workflow/step?worker_id={worker}&extras=true");
        Assert.Equal((trace, trace), (header, body.GetProperty("traceparent").GetString()));
    }

    [Fact]
    public async Task The_jobs_dialect_offers_it_with_the_job()
    {
        var label = Flows.NewName("label");
        var defined = await wire.PostAsync("/api/workflows", $$"""
            {"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","status":"queued","command":"true","depends_on":[],"required_labels":["{{label}}"],"max_retries":0}]}
            """);
        var trace = NewTrace(sampled: false);
        await SendAsync($"/api/workflows/{defined.Json.GetProperty("id").GetString()}/run", "", trace);
        var (header, body) = await ClaimAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{label}}"],"lease_ttl_secs":60}""");
        Assert.Equal((trace, trace), (header, body.GetProperty("job").GetProperty("traceparent").GetString()));
    }

    [Theory]
    [InlineData("/workflows/{0}/run-nowait", "{}")]
    [InlineData("/api/workflows/workflows/{0}/instances", "{}")]
    public async Task The_trace_comes_from_the_dialect_that_starts_the_run(string path, string body)
    {
        var (name, trace) = (Flows.NewName("traced"), NewTrace());
        var worker = await wire.RegisterAsync(Flows.Single(name));
        await SendAsync(string.Format(null, path, name), body, trace);
        Assert.Equal(trace, (await ClaimAsync($"/workflow/step?worker_id={worker}")).Header);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("nonsense")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01")]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    public async Task A_traceparent_that_is_no_trace_is_not_kept(string? sent)
    {
        var name = Flows.NewName("plain");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        await SendAsync("/workflow/dispatch", Dispatch(Flows.Single(name)), sent);
        var (header, body) = await ClaimAsync($"/workflow/step?worker_id={worker}&extras=true");
        Assert.Null(header);
        Assert.False(body.TryGetProperty("traceparent", out _));
    }

    [Fact]
    public async Task A_transaction_is_a_span_below_the_request_that_caused_it()
    {
        var trace = NewTrace();
        var id = trace.Split('-')[1];
        var spans = new ConcurrentQueue<Activity>();
        var seen = new TaskCompletionSource();

        // Only this test's trace: the sources are shared by every broker of the process.
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is StorageInstruments.Traces or "Microsoft.AspNetCore",
            Sample = (ref options) => options.Parent.TraceId.ToHexString() == id ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = span =>
            {
                if (span.TraceId.ToHexString() != id) return;
                spans.Enqueue(span);

                // Callers are answered before the span of their transaction ends, so either may be last.
                if (spans.DistinctBy(s => s.Source.Name).Count() == 2) seen.TrySetResult();
            },
        };
        ActivitySource.AddActivityListener(listener);
        var name = Flows.NewName("spans");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        await SendAsync("/workflow/dispatch", Dispatch(Flows.Single(name)), trace);
        await seen.Task.WaitAsync(TimeSpan.FromSeconds(60), Ct);

        var request = Assert.Single(spans, s => s.Source.Name == "Microsoft.AspNetCore");
        var transaction = Assert.Single(spans, s => s.Source.Name == StorageInstruments.Traces);
        Assert.Equal(trace.Split('-')[2], request.ParentSpanId.ToHexString());
        Assert.Equal("POST /workflow/dispatch", request.DisplayName);
        Assert.Equal(request.SpanId, transaction.ParentSpanId);
        Assert.True(transaction.GetTagItem("broker.batch.size") is >= 1);
        Assert.Equal(request.Id, (await ClaimAsync($"/workflow/step?worker_id={worker}")).Header);
    }

    private static string Dispatch(string schema) => $"{{\"workflow\":{schema},\"inputs\":{{}}}}";

    private async Task SendAsync(string path, string body, string? trace)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (trace is not null) request.Headers.TryAddWithoutValidation("traceparent", trace);
        using var answer = await SendPlainAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }

    private async Task<(string? Header, JsonElement Body)> ClaimAsync(string path, string? body = null)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await SendPlainAsync(request);
        Assert.Equal(200, (int)answer.StatusCode);
        return (answer.Headers.TryGetValues("traceparent", out var values) ? values.Single() : null, JsonElement.Parse(await answer.Content.ReadAsStringAsync(Ct)));
    }

    // HttpClient would put the test's own trace on.
    private async Task<HttpResponseMessage> SendPlainAsync(HttpRequestMessage request)
    {
        using var handler = new DescribedAnswersHandler(
            await DescribedAnswersHandler.DocumentAsync(app.Services), inner: new SocketsHttpHandler { ActivityHeadersPropagator = null });
        using var plain = new HttpClient(handler) { BaseAddress = app.Address };
        return await plain.SendAsync(request, HttpCompletionOption.ResponseContentRead, Ct);
    }
}

public sealed class PostgresTracingTests(PostgresApp app) : TracingSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteTracingTests(SqliteApp app) : TracingSuite(app), IClassFixture<SqliteApp>;
