using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Broker contract 3.7.</summary>
public abstract partial class BrokerDialectTests
{
    [Fact]
    public async Task A_dispatch_answers_with_the_instance_id_as_a_JSON_string()
    {
        var reply = await Wire.PostAsync("/workflow/dispatch", $$$"""{"workflow":{{{Flows.Single(Flows.NewName("go"))}}},"inputs":{"a":1}}""");

        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        Assert.Matches("^\"[0-9a-f]{32}\"$", reply.Body);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","inputs":null""")]
    [InlineData(""","inputs":{}""")]
    public async Task Missing_inputs_are_an_empty_object(string inputs)
    {
        var schema = Flows.Single(Flows.NewName("no-inputs"));
        var worker = await Wire.RegisterAsync(schema);
        Assert.Equal(200, (await Wire.PostAsync("/workflow/dispatch", $$"""{"workflow":{{schema}}{{inputs}}}""")).Status);

        var step = await Wire.MustClaimAsync(worker);

        Assert.Equal("""{"workflow_inputs":{},"results":{}}""", step.GetProperty("payload").GetRawText());
    }

    [Fact]
    public async Task Work_of_an_unknown_workflow_waits_for_a_worker_and_adds_none()
    {
        var schema = Flows.Single(Flows.NewName("early"));
        var before = (await Wire.GetAsync("/workers")).Json.EnumerateArray().Select(w => w.GetProperty("worker_id").GetString()).ToHashSet();
        await Wire.DispatchAsync(schema);
        var after = (await Wire.GetAsync("/workers")).Json.EnumerateArray().Select(w => w.GetProperty("worker_id").GetString());

        Assert.Subset(before, after.ToHashSet());
        Assert.Equal("step0", await Wire.ClaimNameAsync(await Wire.RegisterAsync(schema)));
    }

    [Fact]
    public async Task A_dispatch_of_a_changed_definition_is_refused()
    {
        var name = Flows.NewName("changed");
        await Wire.RegisterAsync(Flows.Single(name));

        Assert.Equal(409, (await Wire.PostAsync("/workflow/dispatch", $$$"""{"workflow":{{{Flows.Chain(name, 2)}}},"inputs":{}}""")).Status);
    }

    [Theory]
    [InlineData("{", 400, null)]
    [InlineData("[]", 422, "")]
    [InlineData("{}", 422, "workflow")]
    [InlineData("""{"workflow":null}""", 422, "workflow")]
    [InlineData("""{"workflow":{"workflow_id":"x","version":"1","steps":{}},"inputs":[1]}""", 422, "inputs")]
    [InlineData("""{"workflow":{"workflow_id":"x","version":"1","steps":{},"outputs":["gone"]}}""", 422, "workflow.outputs")]
    [InlineData("""{"workflow":{"workflow_id":"x","version":"1","steps":[]}}""", 422, "workflow.steps")]
    public async Task A_malformed_dispatch_names_the_field(string body, int status, string? path)
    {
        var reply = await Wire.PostAsync("/workflow/dispatch", body);

        Assert.Equal(status, reply.Status);
        if (path is not null) Assert.Contains(reply.Json.GetProperty("problems").EnumerateArray(), p => p.GetProperty("path").GetString() == path);
    }

    [Fact]
    public async Task A_run_uses_the_definition_it_was_dispatched_with()
    {
        var name = Flows.NewName("versions");
        var (first, second) = (Flows.Single(name, "1"), Flows.Single(name, "2"));
        var (one, two) = (await Wire.RegisterAsync(first), await Wire.RegisterAsync(second));
        await Wire.DispatchAsync(second);

        Assert.Null(await Wire.ClaimAsync(one));
        Assert.NotNull(await Wire.ClaimAsync(two));
    }
}
