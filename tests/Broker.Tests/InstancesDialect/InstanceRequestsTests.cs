using System.Text.Json;
using Broker.Api.InstancesDialect;
using Broker.Embedding;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>Bodies: instances contract 2, 5, 8, 9.</summary>
public sealed class InstanceRequestsTests
{
    [Theory]
    [InlineData("""{}""", null, null)]
    [InlineData("""{"id":"a","params":null}""", "a", "null")]
    [InlineData("""{"params":[1, 2.0],"more":1}""", null, "[1, 2.0]")]
    [InlineData("""{"\u0069d":"\u0061","i\ud800":1}""", "a", null)]
    [InlineData("""{"id":"a","id":"b","params":"\u0000\ud800"}""", "b", "\"\\u0000\\ud800\"")]
    public void Create_takes_an_id_and_params_as_they_are(string body, string? id, string? paramsJson)
    {
        var issues = new IssueList();

        Assert.Equal(new NewInstance(id, paramsJson), InstancesRequests.Create(JsonElement.Parse(body), issues));
        Assert.False(issues.Any);
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData("[]", "")]
    [InlineData("null", "")]
    [InlineData("""{"id":5}""", "id")]
    [InlineData("""{"id":null}""", "id")]
    [InlineData("""{"id":""}""", "id")]
    [InlineData("""{"id":"-a"}""", "id")]
    [InlineData("""{"id":"\ud800"}""", "id")]
    public void Create_names_what_is_wrong(string? body, string path)
    {
        var issues = new IssueList();

        InstancesRequests.Create(body is null ? null : JsonElement.Parse(body), issues);

        Assert.Equal(path, string.Join('.', Assert.Single(issues.All).Path));
    }

    [Theory]
    [InlineData("""{}""", "instances")]
    [InlineData("""{"instances":{}}""", "instances")]
    [InlineData("""{"instances":[{"id":"a"},{}]}""", "instances.1.id")]
    [InlineData("""{"instances":[5]}""", "instances.0")]
    [InlineData("""{"instances":[{"id":"a b"}]}""", "instances.0.id")]
    public void Batch_names_the_entry_that_is_wrong(string body, string path)
    {
        var issues = new IssueList();

        InstancesRequests.Batch(JsonElement.Parse(body), issues);

        Assert.Equal(path, string.Join('.', Assert.Single(issues.All).Path));
    }

    [Theory]
    [InlineData(100, false)]
    [InlineData(101, true)]
    public void Batch_takes_100_entries(int count, bool refused)
    {
        var issues = new IssueList();
        var body = $$"""{"instances":[{{string.Join(',', Enumerable.Range(0, count).Select(i => $$"""{"id":"i{{i}}"}"""))}}]}""";

        InstancesRequests.Batch(JsonElement.Parse(body), issues);

        Assert.Equal(refused, issues.Any);
    }

    [Theory]
    [InlineData("""{"type":"go"}""", "go", null)]
    [InlineData("""{"type":"go.on:2","payload":null}""", "go.on:2", "null")]
    [InlineData("""{"type":"go","payload":1.0}""", "go", "1.0")]
    public void An_event_has_a_type_and_any_payload(string body, string type, string? payload) =>
        Assert.Equal(new NewEvent(type, payload), InstancesRequests.Event(JsonElement.Parse(body), new IssueList()));

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"type":1}""")]
    [InlineData("""{"type":""}""")]
    [InlineData("""{"type":"a b"}""")]
    [InlineData("""{"type":"\udfff"}""")]
    public void An_event_without_a_good_type_is_refused(string body)
    {
        var issues = new IssueList();

        Assert.Null(InstancesRequests.Event(JsonElement.Parse(body), issues));
        Assert.Equal("type", Assert.Single(Assert.Single(issues.All).Path));
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("""{}""", null, null)]
    [InlineData("""{"maxInstances":3,"maxSteps":"100"}""", 3, 100)]
    [InlineData("""{"maxInstances":2.0,"maxSteps":1e30}""", 2, int.MaxValue)]
    public void A_tick_takes_whole_numbers_also_in_strings(string? body, int? instances, int? steps)
    {
        var issues = new IssueList();

        Assert.Equal(new TickLimits(instances, steps), InstancesRequests.Tick(body is null ? null : JsonElement.Parse(body), issues));
        Assert.False(issues.Any);
    }

    [Theory]
    [InlineData("""{"maxInstances":0}""")]
    [InlineData("""{"maxInstances":-1}""")]
    [InlineData("""{"maxInstances":1.5}""")]
    [InlineData("""{"maxInstances":"ten"}""")]
    [InlineData("""{"maxSteps":null}""")]
    [InlineData("""{"maxSteps":true}""")]
    [InlineData("""{"maxSteps":1e999}""")]
    [InlineData("""[]""")]
    public void A_tick_with_anything_else_is_refused(string body)
    {
        var issues = new IssueList();

        InstancesRequests.Tick(JsonElement.Parse(body), issues);

        Assert.Single(issues.All);
    }
}
