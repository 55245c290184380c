using System.Net;
using System.Text.Json;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>The instances dialect over HTTP; a subclass for each database brings the broker.</summary>
public abstract partial class InstancesDialectTests
{
    protected abstract HttpClient Client { get; }

    private CliClient Cli => new(Client);

    // Instances contract 1 and 3: the flat list is GET X/ with the slash.
    [Theory]
    [InlineData(PathStyle.Documented)]
    [InlineData(PathStyle.Flat)]
    public async Task Workflows_are_listed_by_name(PathStyle style)
    {
        var name = Flows.Name("listed");
        await StepWorker.RegisterAsync(Client, Flows.One(name));

        var answer = (await new CliClient(Client, style).WorkflowsAsync()).Expect(HttpStatusCode.OK);

        Assert.Single(answer["workflows"].EnumerateArray(), w => w.GetProperty("name").GetString() == name);
    }

    // Instances contract 1: identical behaviour on all paths.
    [Theory]
    [InlineData(PathStyle.Documented)]
    [InlineData(PathStyle.Flat)]
    [InlineData(PathStyle.AtRoot)]
    public async Task Every_route_works_at_every_path(PathStyle style)
    {
        var name = Flows.Name("paths");
        var worker = await StepWorker.RegisterAsync(Client, Flows.Waiting(name));
        var cli = new CliClient(Client, style);

        (await cli.CreateAsync(name, "a")).Expect(HttpStatusCode.OK);
        (await cli.BatchAsync(name, """{"instances":[{"id":"b"}]}""")).Expect(HttpStatusCode.OK);
        Assert.Equal("queued", await cli.StatusAsync(name, "a"));
        Assert.Equal(2, (await cli.ListAsync(name)).Expect(HttpStatusCode.OK)["instances"].GetArrayLength());
        await worker.DoAsync("prepare");
        (await cli.HistoryAsync(name, "a")).Expect(HttpStatusCode.OK);
        (await cli.EventAsync(name, "a", "go")).Expect(HttpStatusCode.OK);
        foreach (var action in new[] { "pause", "resume", "restart", "terminate" })
            Assert.Equal("""{"ok":true}""", (await cli.SteerAsync(name, "b", action)).Expect(HttpStatusCode.OK).Text);
        Assert.Equal(0, cli.Retries);
    }

    // Instances contract 1: when both readings fit, the documented one wins.
    [Fact]
    public async Task The_documented_reading_wins()
    {
        await StepWorker.RegisterAsync(Client, Flows.One("instances"));
        var id = Flows.Name("i");
        (await Cli.CreateAsync("instances", id)).Expect(HttpStatusCode.OK);

        var answer = (await Cli.SendAsync(HttpMethod.Get, "/api/workflows/workflows/instances/instances")).Expect(HttpStatusCode.OK);

        Assert.Contains(answer["instances"].EnumerateArray(), i => i.GetProperty("id").GetString() == id);
    }

    // Instances contract 5.
    [Fact]
    public async Task Create_answers_200_with_the_id_and_queued()
    {
        var name = Flows.Name("create");
        await StepWorker.RegisterAsync(Client, Flows.One(name));

        var answer = (await Cli.CreateAsync(name, "order-7", """{"amount":12}""")).Expect(HttpStatusCode.OK);

        Assert.Equal("""{"id":"order-7","details":{"status":"queued"}}""", answer.Text);
    }

    [Fact]
    public async Task Create_makes_up_an_id()
    {
        var name = Flows.Name("create");
        await StepWorker.RegisterAsync(Client, Flows.One(name));

        var id = (await Cli.PostAsync(name, "", "{}")).Expect(HttpStatusCode.OK)["id"].GetString()!;

        Assert.Matches("^inst_[0-9a-z]+_[0-9a-z]{1,8}$", id);
        Assert.Equal("{}", (await Cli.DetailsAsync(name, id))["meta"].GetProperty("params").GetRawText());
    }

    [Fact]
    public async Task An_id_in_use_is_a_conflict_in_its_workflow_only_and_in_any_state()
    {
        var (name, other) = (Flows.Name("create"), Flows.Name("other"));
        await StepWorker.RegisterAsync(Client, Flows.One(name), Flows.One(other));
        (await Cli.CreateAsync(name, "a", "1")).Expect(HttpStatusCode.OK);

        (await Cli.CreateAsync(name, "a", "2")).Expect(HttpStatusCode.Conflict, "INSTANCE_ID_ALREADY_EXISTS");
        (await Cli.CreateAsync(other, "a")).Expect(HttpStatusCode.OK);
        await Cli.SteerAsync(name, "a", "terminate");
        (await Cli.CreateAsync(name, "a")).Expect(HttpStatusCode.Conflict, "INSTANCE_ID_ALREADY_EXISTS");

        Assert.Equal("1", (await Cli.DetailsAsync(name, "a"))["meta"].GetProperty("params").GetRawText());
    }

    // Instances contract 13: non-object params are handed to workers as they are; design 3: JSON comes out as it went in.
    [Theory]
    [InlineData("""{"n":1.0,"big":123456789012345678901234567890,"text":"\u0000\ud800ü"}""")]
    [InlineData("[1, 2.50]")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    [InlineData("1e400")]
    public async Task Params_come_out_as_they_went_in(string paramsJson)
    {
        var name = Flows.Name("params");
        var worker = await StepWorker.RegisterAsync(Client, Flows.One(name));
        (await Cli.CreateAsync(name, "a", paramsJson)).Expect(HttpStatusCode.OK);

        var work = await worker.TakeAsync("work");

        Assert.Equal(paramsJson, work.GetProperty("payload").GetProperty("workflow_inputs").GetRawText());
        Assert.Equal(paramsJson, (await Cli.DetailsAsync(name, "a"))["meta"].GetProperty("params").GetRawText());
    }

    [Fact]
    public async Task A_batch_starts_what_is_new_in_order_and_skips_the_rest()
    {
        var name = Flows.Name("batch");
        await StepWorker.RegisterAsync(Client, Flows.One(name));
        (await Cli.CreateAsync(name, "old", "1")).Expect(HttpStatusCode.OK);

        var answer = (await Cli.BatchAsync(
            name, """{"instances":[{"id":"z"},{"id":"old","params":2},{"id":"a","params":3},{"id":"z","params":4}]}""")).Expect(HttpStatusCode.OK);

        Assert.Equal("""{"instances":[{"id":"z","details":{"status":"queued"}},{"id":"a","details":{"status":"queued"}}]}""", answer.Text);
        Assert.Equal("{}", (await Cli.DetailsAsync(name, "z"))["meta"].GetProperty("params").GetRawText());
        Assert.Equal("1", (await Cli.DetailsAsync(name, "old"))["meta"].GetProperty("params").GetRawText());
    }

    [Fact]
    public async Task A_batch_with_a_bad_entry_starts_nothing()
    {
        var name = Flows.Name("batch");
        await StepWorker.RegisterAsync(Client, Flows.One(name));

        (await Cli.BatchAsync(name, """{"instances":[{"id":"a"},{"id":"-b"}]}""")).Expect(HttpStatusCode.BadRequest, "FRAGNO_VALIDATION_ERROR");
        Assert.Equal("""{"instances":[]}""", (await Cli.BatchAsync(name, """{"instances":[]}""")).Expect(HttpStatusCode.OK).Text);

        Assert.Equal(0, (await Cli.ListAsync(name))["instances"].GetArrayLength());
    }

    // Instances contract 12.
    [Fact]
    public async Task Params_that_break_the_declared_schema_are_refused_and_the_whole_batch_with_them()
    {
        var name = Flows.Name("strict");
        await StepWorker.RegisterAsync(Client, Flows.Strict(name));

        var refused = (await Cli.CreateAsync(name, "a", """{"amount":"12"}""")).Expect(HttpStatusCode.BadRequest, "WORKFLOW_PARAMS_INVALID");
        (await Cli.BatchAsync(name, """{"instances":[{"id":"b","params":{"amount":1}},{"id":"c"}]}""")).Expect(HttpStatusCode.BadRequest, "WORKFLOW_PARAMS_INVALID");

        Assert.Equal("Invalid workflow params", refused["message"].GetString());
        Assert.Equal(0, (await Cli.ListAsync(name))["instances"].GetArrayLength());
        (await Cli.CreateAsync(name, "a", """{"amount":12}""")).Expect(HttpStatusCode.OK);
    }

    private static List<string> Ids(JsonElement list) => [.. list.EnumerateArray().Select(i => i.GetProperty("id").GetString()!)];
}
