using System.Text.Json;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Requests that name the lease or the claim that they belong to, and late requests for removed runs.</summary>
public abstract partial class BrokerDialectTests
{
    private static string Leased(JsonElement step, string? lease = null) => $",\"lease_id\":\"{lease ?? LeaseOf(step)}\"";

    private static string LeaseOf(JsonElement step) => step.GetProperty("lease_id").GetString()!;

    /// <summary>A worker that lost a lease of a step of one second and holds the next one: both assignments.</summary>
    private async Task<(string Worker, JsonElement Lost, JsonElement Held)> LoseAsync(string stem)
    {
        var name = Flows.NewName(stem);
        var schema = Flows.Schema(
            name, "1", Flows.Step("step0", next: """{"default":["step1"]}""", more: ""","lease_ttl_secs":1"""), Flows.Step("step1", """["step0"]"""));
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        var lost = await Wire.MustClaimAsync(worker, "&extras=1");
        JsonElement? held = null;
        await Eventually.TrueAsync(async () => (held = await Wire.ClaimAsync(worker, "&extras=1")) is not null);
        Assert.NotEqual(LeaseOf(lost), LeaseOf(held!.Value));
        return (worker, lost, held.Value);
    }

    [Fact]
    public async Task A_report_of_a_lost_lease_is_ignored_although_the_same_worker_holds_the_step_again()
    {
        var (worker, lost, held) = await LoseAsync("fenced");

        Assert.Equal(new Reply(204, null, ""), await Wire.ReportAsync(worker, lost, "SUCCEEDED", "\"lost\"", Leased(lost)));
        Assert.Null(await Wire.ClaimAsync(worker));
        var batch = await Wire.PostAsync($"/workflow/step?worker_id={worker}", $"[{Wire.Report(lost, "FAILED", more: Leased(lost))}]");
        Assert.Equal("stale", batch.Json[0].GetProperty("verdict").GetString());

        Assert.Equal(204, (await Wire.ReportAsync(worker, held, "SUCCEEDED", "\"held\"", Leased(held))).Status);
        Assert.Equal("""{"step0":"held"}""", (await Wire.MustClaimAsync(worker)).Results().GetRawText());
    }

    [Fact]
    public async Task Heartbeat_release_and_events_of_a_lost_lease_do_nothing()
    {
        var (worker, lost, held) = await LoseAsync("calls");
        string Body(JsonElement step, string more = "") => $"{Wire.Key(step)[..^1]}{Leased(step)}{more}}}";
        const string Events = ""","events":[{"type":"Progress","value":{"percent":40}}]""";

        var beats = await Wire.PostAsync($"/workflow/step/heartbeat?worker_id={worker}", $"[{Body(lost)},{Body(held)}]");
        Assert.Equal(["gone", "renewed"], beats.Json.EnumerateArray().Select(b => b.GetProperty("verdict").GetString()!));
        Assert.Equal(409, (await Wire.PostAsync($"/workflow/step/events?worker_id={worker}", Body(lost, Events))).Status);
        Assert.Equal(409, (await Wire.PostAsync($"/workflow/step/release?worker_id={worker}", Body(lost))).Status);

        Assert.Equal(204, (await Wire.PostAsync($"/workflow/step/events?worker_id={worker}", Body(held, Events))).Status);
        Assert.Equal(204, (await Wire.PostAsync($"/workflow/step/release?worker_id={worker}", Body(held))).Status);
    }

    [Fact]
    public async Task A_lease_counts_for_its_own_worker_and_step_only()
    {
        var schema = Flows.Diamond(Flows.NewName("own"));
        var (holder, other) = (await Wire.RegisterAsync(schema), await Wire.RegisterAsync(schema));
        await Wire.DispatchAsync(schema);
        var (first, second) = (await Wire.MustClaimAsync(holder, "&extras=1"), await Wire.MustClaimAsync(holder, "&extras=1"));

        await Wire.ReportAsync(other, first, "SUCCEEDED", "1", Leased(first));
        await Wire.ReportAsync(holder, first, "SUCCEEDED", "1", Leased(second));
        await Wire.ReportAsync(holder, first, "SUCCEEDED", "1", Leased(first, Guid.NewGuid().ToString()));
        var beats = await Wire.PostAsync($"/workflow/step/heartbeat?worker_id={holder}", $"[{Wire.Key(first)[..^1]}{Leased(second)}}},{Wire.Key(first)}]");

        Assert.Equal(["gone", "renewed"], beats.Json.EnumerateArray().Select(b => b.GetProperty("verdict").GetString()!));
        await Wire.ReportAsync(holder, first, "SUCCEEDED", "2", Leased(first));
        await Wire.ReportAsync(holder, second, "SUCCEEDED", "3");
        Assert.Equal("""{"step0":2,"step1":3}""", (await Wire.MustClaimAsync(other)).Results().GetRawText());
    }

    [Theory]
    [InlineData("", "7")]
    [InlineData("", "\"no-lease\"")]
    [InlineData("", "\"\\ud800\"")]
    [InlineData("/events", "[]")]
    [InlineData("/release", "\"\"")]
    [InlineData("/heartbeat", "{}")]
    public async Task A_lease_id_that_is_no_uuid_is_refused(string route, string lease)
    {
        var worker = await Wire.RegisterAsync(Flows.Single(Flows.NewName("no-uuid")));
        var body = $$"""{"workflow_id":"a","instance_id":"b","step_name":"c","state":"FAILED","events":[],"lease_id":{{lease}}}""";

        var reply = await Wire.PostAsync($"/workflow/step{route}?worker_id={worker}", route == "/heartbeat" ? $"[{body}]" : body);

        Assert.Equal(422, reply.Status);
        Assert.Contains("lease_id", reply.Json.GetProperty("detail").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Late_requests_for_a_purged_run_are_ignored()
    {
        var schema = Flows.Single(Flows.NewName("purged"));
        var worker = await Wire.RegisterAsync(schema);
        var instance = await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(worker, "&extras=1");
        Assert.Equal(200, (await Wire.PostAsync($"/handlers/{instance}/cancel?purge=true", "")).Status);

        Assert.Equal(new Reply(204, null, ""), await Wire.ReportAsync(worker, step, "SUCCEEDED", "1"));
        Assert.Equal(new Reply(204, null, ""), await Wire.ReportAsync(worker, step, "FAILED", more: Leased(step)));
        var path = $"/workflow/step?worker_id={worker}";
        Assert.Equal("unknown_instance", (await Wire.PostAsync(path, $"[{Wire.Report(step, "SUCCEEDED")}]")).Json[0].GetProperty("verdict").GetString());
        var next = await Wire.PostAsync($"{path}&claim=1", Wire.Report(step, "SUCCEEDED"));
        Assert.Equal((200, 0), (next.Status, next.Json.GetProperty("assignments").GetArrayLength()));
        var beat = await Wire.PostAsync($"/workflow/step/heartbeat?worker_id={worker}", $"[{Wire.Key(step)}]");
        Assert.Equal("gone", beat.Json[0].GetProperty("verdict").GetString());
        Assert.Equal(409, (await Wire.PostAsync($"/workflow/step/release?worker_id={worker}", Wire.Key(step))).Status);
        Assert.Equal(409, (await Wire.PostAsync($"/workflow/step/events?worker_id={worker}", $"{Wire.Key(step)[..^1]},\"events\":[]}}")).Status);
    }

    [Fact]
    public async Task A_claim_that_is_sent_again_gets_the_same_leases()
    {
        var schema = Flows.Single(Flows.NewName("again"));
        var worker = await Wire.RegisterAsync(schema);
        for (var i = 0; i < 5; i++) await Wire.DispatchAsync(schema);

        var one = await Wire.MustClaimAsync(worker, "&extras=1&claim_id=one");
        Assert.Equal(LeaseOf(one), LeaseOf(await Wire.MustClaimAsync(worker, "&extras=1&wait=1&claim_id=one")));
        var many = await Wire.MustClaimAsync(worker, "&extras=1&count=2&claim_id=many");
        Assert.Equal(Leases(many), Leases(await Wire.MustClaimAsync(worker, "&extras=1&count=2&claim_id=many")));
        Assert.Equal(5 - 3, (await Wire.MustClaimAsync(worker, "&count=9")).GetArrayLength());

        // The same id from another worker is another claim.
        Assert.Null(await Wire.ClaimAsync(await Wire.RegisterAsync(schema), "&claim_id=one"));
    }

    [Fact]
    public async Task Reports_with_a_claim_that_are_sent_again_get_the_same_leases()
    {
        var schema = Flows.Single(Flows.NewName("next-again"));
        var worker = await Wire.RegisterAsync(schema);
        for (var i = 0; i < 5; i++) await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(worker, "&claim_id=first");
        var path = $"/workflow/step?worker_id={worker}&extras=1&claim=2&claim_id=";

        var sent = (await Wire.PostAsync(path + "second", Wire.Report(step, "SUCCEEDED"))).Json;
        var again = (await Wire.PostAsync(path + "second", Wire.Report(step, "SUCCEEDED"))).Json;

        Assert.Equal("stale", again.GetProperty("results")[0].GetProperty("verdict").GetString());
        Assert.Equal(Leases(sent.GetProperty("assignments")), Leases(again.GetProperty("assignments")));

        // The steps of that claim are reported now, so the same id gets further steps.
        var held = sent.GetProperty("assignments").EnumerateArray().ToList();
        var more = (await Wire.PostAsync(path + "second", $"[{string.Join(',', held.Select(h => Wire.Report(h, "SUCCEEDED")))}]")).Json.GetProperty("assignments");
        Assert.Equal(2, more.GetArrayLength());
        Assert.Empty(more.EnumerateArray().Select(m => m.GetProperty("instance_id").GetString()).Intersect(held.Select(h => h.GetProperty("instance_id").GetString())));
    }

    [Theory]
    [InlineData("")]
    [InlineData("201")]
    public async Task A_claim_id_is_1_to_200_characters(string length)
    {
        var worker = await Wire.RegisterAsync(Flows.Single(Flows.NewName("claim-id")));
        var id = length.Length == 0 ? "" : new string('x', 201);

        var reply = await Wire.GetAsync($"/workflow/step?worker_id={worker}&claim_id={id}");

        Assert.Equal(400, reply.Status);
        Assert.StartsWith("claim_id", reply.Json.GetProperty("detail").GetString()!, StringComparison.Ordinal);
        Assert.Equal(204, (await Wire.GetAsync($"/workflow/step?worker_id={worker}&claim_id={new string('x', 200)}")).Status);
    }

    private static IEnumerable<string> Leases(JsonElement claimed) => claimed.EnumerateArray().Select(LeaseOf);
}
