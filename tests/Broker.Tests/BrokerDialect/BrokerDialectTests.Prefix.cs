using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>The dialect under <c>/broker</c>, where no other one has a path.</summary>
public abstract partial class BrokerDialectTests
{
    [Fact]
    public async Task Under_the_prefix_workflows_is_the_array_of_what_repositories_hold()
    {
        var (first, second) = (Flows.NewName("repo"), Flows.NewName("repo"));
        foreach (var (name, workflows) in new[] { (first, """["b:x","a:y"]"""), (second, """["b:x"]""") })
        {
            var put = await Wire.PostAsync("/broker/repository/register", $$$"""{"name":"{{{name}}}","url":"u","workflows":{{{workflows}}},"credentials":{"token":"secret"}}""");
            Assert.Equal(204, put.Status);
        }

        var reply = await Wire.GetAsync("/broker/workflows");

        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        Assert.Equal(
            [(first, "b:x"), (first, "a:y"), (second, "b:x")],
            reply.Json.EnumerateArray().Select(e => (Repository: e.GetProperty("repository").GetString()!, Workflow: e.GetProperty("workflow").GetString()!))
                .Where(e => e.Repository == first || e.Repository == second));
        Assert.Equal(["repository", "workflow"], reply.Json[0].Keys());
        Assert.DoesNotContain("secret", reply.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_may_do_all_it_does_under_the_prefix()
    {
        var schema = Flows.Single(Flows.NewName("prefixed"));
        var registered = await Wire.PostAsync("/broker/worker/register", $"[{schema}]");
        var worker = registered.Text;
        Assert.Equal(204, (await Wire.PostAsync($"/broker/worker/keep-alive?worker_id={worker}", "")).Status);
        Assert.Equal(200, (await Wire.PostAsync("/broker/workflow/dispatch", $$$"""{"workflow":{{{schema}}},"inputs":{}}""")).Status);

        var step = (await Wire.GetAsync($"/broker/workflow/step?worker_id={worker}")).Json;
        Assert.Equal("step0", step.GetProperty("step_name").GetString());
        Assert.Equal(200, (await Wire.PostAsync($"/broker/workflow/step/heartbeat?worker_id={worker}", $"[{Wire.Key(step)}]")).Status);
        Assert.Equal(204, (await Wire.PostAsync($"/broker/workflow/step?worker_id={worker}", Wire.Report(step, "SUCCEEDED"))).Status);
        Assert.Equal("""{"status":"ok"}""", (await Wire.GetAsync("/broker/status")).Body);
        Assert.Contains(worker, (await Wire.GetAsync("/broker/workers")).Body, StringComparison.Ordinal);

        // The dialect's own form, also for requests that are refused before they reach it.
        Assert.Equal(404, (await Wire.GetAsync("/broker/repository?name=none")).Status);
        Assert.NotEmpty((await Wire.PostAsync("/broker/worker/register", "{")).Json.GetProperty("detail").GetString()!);
    }
}
