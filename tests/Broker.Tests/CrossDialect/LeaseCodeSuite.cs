using System.Text.Json;
using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>Each refusal under a lease says whether the lease is lost, its step was cancelled or has ended, or it never existed.</summary>
public abstract class LeaseCodeSuite(BrokerApp app)
{
    // The form of a lease of this broker, of no run that is there.
    private const string NoLease = "7fffffff-ffff-8fff-8fff-ffffff000000";

    private readonly Wire wire = new(app.Client);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("lease_lost")]
    [InlineData("step_cancelled")]
    [InlineData("step_ended")]
    [InlineData("unknown_lease")]
    [InlineData("unknown_lease", "no-lease-at-all")]
    public async Task Every_request_of_the_jobs_dialect_says_why_a_lease_does_not_count(string code, string unknown = NoLease)
    {
        var lease = await LostJobAsync(code) ?? unknown;
        foreach (var (path, body) in ((string, string)[])[
            ("complete", "{}"), ("fail", """{"error":"x"}"""), ("postpone", """{"delay_ms":0}"""), ("release", "")])
        {
            var reply = await wire.PostAsync($"/api/jobs/{lease}/{path}", body);
            Assert.Equal((409, code), (reply.Status, Text(reply.Json, "code")));
            Assert.NotEmpty(Text(reply.Json, "error"));
        }

        Assert.Equal((409, ""), (await wire.PostAsync($"/api/jobs/{lease}/heartbeat", "")) is var plain ? (plain.Status, plain.Body) : default);
        var beat = await BeatAsync(lease);
        Assert.Equal((409, true, code), (beat.Status, beat.Json.GetProperty("lost").GetBoolean(), Text(beat.Json, "code")));
        var beats = await wire.PostAsync("/api/jobs/heartbeat", $$"""{"lease_ids":["{{lease}}"]}""");
        Assert.Equal(code, Text(beats.Json.GetProperty("results")[0], "code"));
        var reports = await wire.PostAsync("/api/jobs/complete", $$"""{"results":[{"lease_id":"{{lease}}"},{"lease_id":"{{lease}}","error":"x"}]}""");
        Assert.All(reports.Json.GetProperty("results").EnumerateArray(), result => Assert.Equal(("stale", code), (Text(result, "verdict"), Text(result, "code"))));
        Assert.Equal(200, (await wire.PostAsync($"/api/jobs/{lease}/logs", """{"chunks":[]}""")).Status);
    }

    [Theory]
    [InlineData("lease_lost")]
    [InlineData("step_cancelled")]
    [InlineData("step_ended")]
    [InlineData("unknown_lease")]
    [InlineData("unknown_instance")]
    [InlineData("unknown_step")]
    public async Task Every_request_of_the_broker_dialect_says_why_a_lease_does_not_count(string code)
    {
        var (worker, key) = await LostStepAsync(code);
        var release = await wire.PostAsync($"/workflow/step/release?worker_id={worker}", key);
        Assert.Equal((409, code), (release.Status, Text(release.Json, "code")));
        var publication = await wire.PostAsync($"/workflow/step/events?worker_id={worker}", $"{key[..^1]},\"events\":[{{\"type\":\"Progress\",\"value\":{{}}}}]}}");
        Assert.Equal((409, code), (publication.Status, Text(publication.Json, "code")));
        var beats = await wire.PostAsync($"/workflow/step/heartbeat?worker_id={worker}", $"[{key},{key}]");
        Assert.All(beats.Json.EnumerateArray(), beat => Assert.Equal(("gone", code), (Text(beat, "verdict"), Text(beat, "code"))));
        var report = await wire.PostAsync($"/workflow/step?worker_id={worker}", $"{key[..^1]},\"state\":\"SUCCEEDED\"}}");
        Assert.Equal(code == "unknown_step" ? 404 : 204, report.Status);
        if (code == "unknown_step") Assert.Equal(code, Text(report.Json, "code"));
    }

    [Fact]
    public async Task A_worker_that_was_never_registered_has_a_code_of_its_own()
    {
        foreach (var reply in (Reply[])[
            await wire.GetAsync("/workflow/step?worker_id=nobody"), await wire.PostAsync("/worker/keep-alive?worker_id=nobody", ""),
            await wire.PostAsync("/workflow/step/heartbeat?worker_id=nobody", "[]"), await wire.PostAsync("/workflow/step?worker_id=nobody&claim=1", "[]")])
        {
            Assert.Equal((404, "unknown_worker"), (reply.Status, Text(reply.Json, "code")));
        }
    }

    [Fact]
    public async Task A_renewed_lease_and_a_report_that_counts_have_no_code()
    {
        var (_, lease) = await ClaimJobAsync();
        Assert.False((await BeatAsync(lease)).Json.TryGetProperty("code", out _));
        var report = await wire.PostAsync("/api/jobs/complete", $$"""{"results":[{"lease_id":"{{lease}}"}]}""");
        Assert.False(report.Json.GetProperty("results")[0].TryGetProperty("code", out _));
    }

    // Null: there never was one.
    private async Task<string?> LostJobAsync(string code)
    {
        if (code == "unknown_lease") return null;
        var (id, lease) = await ClaimJobAsync();
        switch (code)
        {
            case "lease_lost":
                Assert.Equal(200, (await wire.PostAsync($"/api/jobs/{lease}/release", "")).Status);
                break;
            case "step_cancelled":
                Assert.Equal(202, (await wire.PostAsync($"/api/workflows/{id}/cancel", "")).Status);
                Assert.Equal(200, (await wire.PostAsync($"/api/jobs/{lease}/complete", "{}")).Status);
                break;
            case "step_ended":
                Assert.Equal(200, (await wire.PostAsync($"/api/jobs/{lease}/complete", "{}")).Status);
                break;
        }

        return lease;
    }

    private async Task<(string Id, string Lease)> ClaimJobAsync()
    {
        var label = Flows.NewName("label");
        var defined = await wire.PostAsync("/api/workflows", $$"""
            {"name":"n","trigger":"t","jobs":[{"id":"a","name":"a","command":"true","required_labels":["{{label}}"]}]}
            """);
        var id = Text(defined.Json, "id");
        Assert.Equal(202, (await wire.PostAsync($"/api/workflows/{id}/run", "")).Status);
        var claimed = await wire.PostAsync("/api/jobs/claim", $$"""{"worker_id":"w","labels":["{{label}}"]}""");
        return (id, Text(claimed.Json.GetProperty("lease"), "lease_id"));
    }

    private async Task<(string Worker, string Key)> LostStepAsync(string code)
    {
        var name = Flows.NewName("code");
        var schema = Flows.Single(name);
        var worker = await wire.RegisterAsync(schema);
        var instance = await wire.DispatchAsync(schema);
        var key = $$"""{"workflow_id":"{{name}}","instance_id":"{{instance}}","step_name":"step0"}""";
        switch (code)
        {
            case "unknown_instance":
                return (worker, key.Replace(instance, "no-instance", StringComparison.Ordinal));
            case "unknown_step":
                return (worker, key.Replace("step0", "step9", StringComparison.Ordinal));
            case "unknown_lease":
                var two = """{"workflow_id":"NAME","version":"2","steps":{"step0":{"successors":{"default":["later"]}},"later":{"predecessors":["step0"]}}}""".Replace("NAME", name, StringComparison.Ordinal);
                return (await wire.RegisterAsync(two), $$"""{"workflow_id":"{{name}}","instance_id":"{{await wire.DispatchAsync(two)}}","step_name":"later"}""");
        }

        var step = await wire.MustClaimAsync(worker);
        switch (code)
        {
            case "lease_lost":
                Assert.Equal(204, (await wire.PostAsync($"/workflow/step/release?worker_id={worker}", key)).Status);
                break;
            case "step_cancelled":
                Assert.Equal(200, (await wire.PostAsync($"/api/workflows/{name}/instances/{instance}/terminate", "")).Status);
                Assert.Equal(204, (await wire.ReportAsync(worker, step, "SUCCEEDED")).Status);
                break;
            case "step_ended":
                Assert.Equal(204, (await wire.ReportAsync(worker, step, "SUCCEEDED")).Status);
                break;
        }

        return (worker, key);
    }

    private async Task<Reply> BeatAsync(string lease)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/jobs/{lease}/heartbeat") { Headers = { { "Accept", "application/json" } } };
        using var response = await app.Client.SendAsync(request, Ct);
        return new((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsStringAsync(Ct));
    }

    private static string Text(JsonElement owner, string member) => owner.GetProperty(member).GetString()!;
}

public sealed class PostgresLeaseCodeTests(PostgresApp app) : LeaseCodeSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteLeaseCodeTests(SqliteApp app) : LeaseCodeSuite(app), IClassFixture<SqliteApp>;
