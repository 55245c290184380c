using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Broker contract 3.8, 3.9, 4.1, 4.4 to 4.6.</summary>
public abstract partial class BrokerDialectTests
{
    private const string SameTexts =
        """{"int": 1,"float": 1.0,"exp":1e2,"big":123456789012345678901234567890,"text":"é\u00e9\ud83d\ude00","b":[1, 2],"a":null}""";

    [Fact]
    public async Task An_idle_poll_is_answered_with_204_and_nothing()
    {
        var worker = await Wire.RegisterAsync(Flows.Single(Flows.NewName("idle")));

        Assert.Equal(new Reply(204, null, ""), await Wire.GetAsync($"/workflow/step?worker_id={worker}"));
    }

    [Fact]
    public async Task An_assignment_has_exactly_its_six_keys_and_the_inputs_as_they_were_sent()
    {
        var name = Flows.NewName("exact");
        var worker = await Wire.RegisterAsync(Flows.Single(name));
        var instance = await Wire.DispatchAsync(Flows.Single(name), SameTexts);

        var reply = await Wire.GetAsync($"/workflow/step?worker_id={worker}");

        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        var times = Regex.Match(reply.Body, ""","assigned_at":(\d{10}\.\d{1,6}),"expires_at":(\d{10}\.\d{1,6})\}$""");
        Assert.True(times.Success, reply.Body);
        Assert.Equal(
            $$$"""{"workflow_id":"{{{name}}}","instance_id":"{{{instance}}}","step_name":"step0","payload":{"workflow_inputs":{{{SameTexts}}},"results":{}}""",
            reply.Body[..times.Index]);
        var lease = decimal.Parse(times.Groups[2].Value, CultureInfo.InvariantCulture) - decimal.Parse(times.Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.Equal(60m, lease);
    }

    [Fact]
    public async Task Results_reach_the_successors_as_they_were_reported()
    {
        var schema = Flows.Chain(Flows.NewName("raw"), 2);
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        await Wire.RunAsync(worker, "step0", result: SameTexts);

        var step = await Wire.MustClaimAsync(worker);

        Assert.Equal($$"""{"step0":{{SameTexts}}}""", step.Results().GetRawText());
    }

    [Theory]
    [InlineData("SUCCEEDED")]
    [InlineData("SKIPPED")]
    public async Task A_step_that_gave_nothing_has_an_entry_all_the_same(string state)
    {
        var schema = Flows.Diamond(Flows.NewName("null"));
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        await Wire.RunAsync(worker, "step0", state);
        await Wire.RunAsync(worker, "step1", "SUCCEEDED", "7");

        var step = await Wire.MustClaimAsync(worker);

        Assert.Equal("""{"step0":null,"step1":7}""", step.Results().GetRawText());
    }

    [Fact]
    public async Task The_oldest_run_comes_first_and_its_steps_in_order()
    {
        var schema = Flows.Diamond(Flows.NewName("order"));
        var worker = await Wire.RegisterAsync(schema);
        var first = await Wire.DispatchAsync(schema);
        var second = await Wire.DispatchAsync(schema);

        var seen = new List<(string?, string?)>();
        while (await Wire.ClaimAsync(worker) is { } step) seen.Add((step.GetProperty("instance_id").GetString(), step.GetProperty("step_name").GetString()));

        Assert.Equal([(first, "step0"), (first, "step1"), (second, "step0"), (second, "step1")], seen);
    }

    [Theory]
    [InlineData("\"left\"", "left")]
    [InlineData("\"nowhere\"", "other")]
    [InlineData("""{"left":1}""", "other")]
    [InlineData("null", "other")]
    public async Task A_string_result_that_names_a_branch_takes_it(string result, string taken)
    {
        var schema = Flows.Branching(Flows.NewName("branch"));
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        await Wire.RunAsync(worker, "split", result: result);
        await Wire.RunAsync(worker, "side");

        await Wire.RunAsync(worker, taken, result: "5");

        // The stock worker looks the value up under the first-listed member, whichever finished (broker contract 4.4 rule 2).
        var join = await Wire.MustClaimAsync(worker);
        Assert.Equal(5, join.Results().GetProperty("left").GetInt32());
        Assert.Null(await Wire.ClaimAsync(worker));
    }

    [Fact]
    public async Task A_failure_stops_what_follows_and_nothing_else()
    {
        var schema = Flows.Branching(Flows.NewName("fail"));
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);
        await Wire.RunAsync(worker, "split", "FAILED");

        await Wire.RunAsync(worker, "side");

        Assert.Null(await Wire.ClaimAsync(worker));
    }

    [Theory]
    [InlineData("FAILED")]
    [InlineData("CANCELLED")]
    [InlineData("PENDING")]
    [InlineData("RUNNING")]
    public async Task A_state_other_than_success_ends_the_step_for_good(string state)
    {
        var schema = Flows.Chain(Flows.NewName("ends"), 2);
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);

        await Wire.RunAsync(worker, "step0", state);

        Assert.Null(await Wire.ClaimAsync(worker));
    }

    [Fact]
    public async Task A_report_of_another_worker_or_a_second_report_changes_nothing()
    {
        var schema = Flows.Chain(Flows.NewName("stale"), 2);
        var (holder, other) = (await Wire.RegisterAsync(schema), await Wire.RegisterAsync(schema));
        await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(holder);

        Assert.Equal(new Reply(204, null, ""), await Wire.ReportAsync(other, step, "SUCCEEDED", "1"));
        Assert.Null(await Wire.ClaimAsync(other));
        Assert.Equal(new Reply(204, null, ""), await Wire.ReportAsync(holder, step, "SUCCEEDED", "2"));
        Assert.Equal(new Reply(204, null, ""), await Wire.ReportAsync(holder, step, "FAILED"));

        Assert.Equal("""{"step0":2}""", (await Wire.MustClaimAsync(other)).Results().GetRawText());
        Assert.Equal(JsonValueKind.Null, (await FindWorkerAsync(other)).GetProperty("last_task").ValueKind);
        Assert.True((await FindWorkerAsync(holder)).GetProperty("last_task").GetProperty("success").GetBoolean());
    }

    [Fact]
    public async Task A_report_on_an_unknown_instance_is_ignored_and_one_on_an_unknown_step_is_404()
    {
        var name = Flows.NewName("unknown");
        var worker = await Wire.RegisterAsync(Flows.Single(name));
        var instance = await Wire.DispatchAsync(Flows.Single(name));
        var path = $"/workflow/step?worker_id={worker}";

        foreach (var (workflow, id, step, status) in new[] { (name, "gone", "step0", 204), (name, instance, "step9", 404), ("gone", instance, "step0", 204) })
        {
            var reply = await Wire.PostAsync(path, $$"""{"workflow_id":"{{workflow}}","instance_id":"{{id}}","step_name":"{{step}}","state":"SUCCEEDED","result":null}""");
            Assert.Equal((status, status == 204 ? null : "application/json"), (reply.Status, reply.ContentType));
        }
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("{\"state\":", 400)]
    [InlineData("7", 422)]
    [InlineData("{}", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b","step_name":"c","state":"DONE","result":1}""", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b","step_name":"c","state":3,"result":1}""", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b\u0000","step_name":"c","state":"FAILED"}""", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b","step_name":"\udc00","state":"FAILED"}""", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b","step_name":"c","state":"FAILED","events":[{"value":{}}]}""", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b","step_name":"c","state":"FAILED","events":[{"type":"E","value":3}]}""", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b","step_name":"c","state":"FAILED","logs":[{"level":"loud","message":"m"}]}""", 422)]
    [InlineData("""{"workflow_id":"a","instance_id":"b","step_name":"c","state":"FAILED","context":[]}""", 422)]
    public async Task A_malformed_report_is_refused(string body, int status)
    {
        var reply = await Wire.PostAsync("/workflow/step?worker_id=w", body);

        Assert.Equal((status, "application/json"), (reply.Status, reply.ContentType));
        Assert.NotEmpty(reply.Json.GetProperty("detail").GetString()!);
    }

    [Theory]
    [InlineData("""[{"name":"timeout","config":{"seconds":10}}]""", 60)]
    [InlineData("""[{"name":"timeout","config":{"seconds":30}},{"name":"retry","config":{"max_retries":3,"wait":5}}]""", 100)]
    public async Task A_lease_covers_the_workers_own_budget(string policies, int secs)
    {
        var schema = Flows.Single(Flows.NewName("budget"), policies: policies);
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);

        var step = await Wire.MustClaimAsync(worker);

        Assert.Equal(secs, step.GetProperty("expires_at").GetDecimal() - step.GetProperty("assigned_at").GetDecimal());
    }

    [Fact]
    public async Task An_expired_step_is_handed_out_again_and_the_late_report_changes_nothing()
    {
        var name = Flows.NewName("expired");
        var schema = Flows.Schema(
            name, "1", Flows.Step("step0", next: """{"default":["step1"]}""", more: ""","lease_ttl_secs":1"""), Flows.Step("step1", """["step0"]"""));
        var (lost, heir) = (await Wire.RegisterAsync(schema), await Wire.RegisterAsync(schema));
        await Wire.DispatchAsync(schema);
        var step = await Wire.MustClaimAsync(lost);

        JsonElement? again = null;
        await Eventually.TrueAsync(async () => (again = await Wire.ClaimAsync(heir)) is not null);

        Assert.Equal(204, (await Wire.ReportAsync(lost, step, "SUCCEEDED", "\"late\"")).Status);
        Assert.Equal(204, (await Wire.ReportAsync(heir, again!.Value, "SUCCEEDED", "\"heir\"")).Status);
        Assert.Equal("""{"step0":"heir"}""", (await Wire.MustClaimAsync(heir)).Results().GetRawText());
    }

    [Theory]
    [InlineData("null", 2)]
    [InlineData("\"broken\"", 2)]
    [InlineData("""{"name":"ValueError","message":"no"}""", 2)]
    [InlineData("""{"name":"ValueError","message":"no","retryable":true}""", 2)]
    [InlineData("""{"message":"no","retryable":false}""", 1)]
    public async Task A_broker_side_policy_retries_what_the_worker_does_not_forbid(string result, int attempts)
    {
        var schema = Flows.Single(Flows.NewName("retry"), more: ""","retry_policy":{"max_retries":1,"backoff":"None"}""");
        var worker = await Wire.RegisterAsync(schema);
        await Wire.DispatchAsync(schema);

        var count = 0;
        while (await Wire.ClaimAsync(worker) is { } step)
        {
            count++;
            Assert.Equal(204, (await Wire.ReportAsync(worker, step, "FAILED", result)).Status);
        }

        Assert.Equal(attempts, count);
    }

    [Fact]
    public async Task A_failure_with_text_that_cannot_be_stored_is_accepted()
    {
        var schema = Flows.Single(Flows.NewName("odd-text"));
        var worker = await Wire.RegisterAsync(schema);
        foreach (var result in new[] { "\"a\\u0000b\"", "\"\\ud800\"", """{"name":"\u0000","message":"\udc00"}""", """{"\ud800":"\u0000"}""", "[1]" })
        {
            await Wire.DispatchAsync(schema);
            await Wire.RunAsync(worker, "step0", "FAILED", result);
        }
    }
}
