using Broker.Tests.App;
using Broker.Tests.BrokerDialect;
using Xunit;
using Flows = Broker.Tests.InstancesDialect.Flows;

namespace Broker.Tests.CrossDialect;

/// <summary>The sender's id of an event, in both dialects that know events: they share the ids of a run.</summary>
public abstract class EventIdSuite(BrokerApp app)
{
    private Wire Wire { get; } = new(app.Client);

    private async Task<(string Instances, string Id)> StartedAsync()
    {
        var name = Flows.Name("event-id");
        await Wire.RegisterAsync(Flows.Waiting(name));
        var id = $"i-{Guid.NewGuid():N}";
        Assert.Equal(200, (await Wire.PostAsync($"/api/workflows/{name}/instances", $$"""{"id":"{{id}}"}""")).Status);
        return ($"/api/workflows/{name}/instances/{id}", id);
    }

    private async Task<int> CountAsync(string instances) => (await Wire.GetAsync($"{instances}/history")).Json.GetProperty("events").GetArrayLength();

    [Fact]
    public async Task An_event_sent_twice_through_either_dialect_is_one_event()
    {
        var (instances, id) = await StartedAsync();
        var first = await Wire.PostAsync($"{instances}/events", """{"type":"go","payload":1,"id":"mail-1"}""");
        var second = await Wire.PostAsync($"{instances}/events", """{"type":"go","payload":1,"id":"mail-1"}""");
        var third = await Wire.PostAsync($"/events/{id}", """{"event":{"type":"go","value":{}},"id":"mail-1"}""");
        var fourth = await Wire.PostAsync($"/agents/events/{id}", """{"event":{"type":"go","value":{}},"id":"mail-1"}""");
        Assert.Equal([200, 200, 200, 200], new[] { first, second, third, fourth }.Select(r => r.Status));
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(1, await CountAsync(instances));

        Assert.Equal(200, (await Wire.PostAsync($"/events/{id}", """{"event":{"type":"go","value":{}},"id":"mail-2"}""")).Status);
        Assert.Equal(200, (await Wire.PostAsync($"{instances}/events", """{"type":"go","id":null}""")).Status);
        Assert.Equal(3, await CountAsync(instances));
    }

    [Fact]
    public async Task An_event_that_an_ended_run_had_taken_is_answered_as_before()
    {
        var (instances, id) = await StartedAsync();
        Assert.Equal(200, (await Wire.PostAsync($"{instances}/events", """{"type":"go","id":"mail-1"}""")).Status);
        Assert.Equal(200, (await Wire.PostAsync($"{instances}/terminate", "")).Status);

        Assert.Equal(200, (await Wire.PostAsync($"{instances}/events", """{"type":"go","id":"mail-1"}""")).Status);
        Assert.Equal(200, (await Wire.PostAsync($"/events/{id}", """{"event":{"type":"go","value":{}},"id":"mail-1"}""")).Status);
        Assert.Equal(409, (await Wire.PostAsync($"{instances}/events", """{"type":"go","id":"mail-2"}""")).Status);
        Assert.Equal(409, (await Wire.PostAsync($"/events/{id}", """{"event":{"type":"go","value":{}},"id":"mail-2"}""")).Status);
        Assert.Equal(409, (await Wire.PostAsync($"/events/{id}", """{"event":{"type":"go","value":{}}}""")).Status);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("\"\"")]
    [InlineData("\"a\\u0000\"")]
    [InlineData("\"\\ud800\"")]
    public async Task An_id_that_is_none_is_refused_with_the_field_named(string json)
    {
        var (instances, id) = await StartedAsync();
        var sent = await Wire.PostAsync($"{instances}/events", $$"""{"type":"go","id":{{json}}}""");
        Assert.Equal((400, "id"), (sent.Status, sent.Json.GetProperty("issues")[0].GetProperty("path")[0].GetString()));
        var posted = await Wire.PostAsync($"/events/{id}", $$$"""{"event":{"type":"go","value":{}},"id":{{{json}}}}""");
        Assert.Equal(400, posted.Status);
        Assert.Contains("id: expected", posted.Body, StringComparison.Ordinal);
        Assert.Equal(400, (await Wire.PostAsync($"/events/{id}", $$$"""{"event":{"type":"go","value":{}},"id":"{{{new string('x', 129)}}}"}""")).Status);
    }
}

public sealed class PostgresEventIdSuiteTests(PostgresApp app) : EventIdSuite(app), IClassFixture<PostgresApp>;

public sealed class SqliteEventIdSuiteTests(SqliteApp app) : EventIdSuite(app), IClassFixture<SqliteApp>;
