using System.Text.Json;
using Broker.Tests.BrokerDialect;
using Xunit;

namespace Broker.Tests.CrossDialect;

/// <summary>The dialects, as doors to one engine.</summary>
public enum Door
{
    Broker,
    Jobs,
    Handlers,
    Instances,
}

/// <summary>Status of a run at one moment in the words of three dialects. The broker dialect shows a run only by its assignments.</summary>
internal sealed record Stage(int HandlerStatus, string Handler, string Instance, string Jobs)
{
    public static Stage Live(string instance, string jobs) => new(202, "running", instance, jobs);

    public static Stage Done(string jobs) => new(200, "completed", "complete", jobs);

    public static Stage Failed(string jobs) => new(500, "failed", "errored", jobs);

    public static Stage Cancelled(string jobs) => new(500, "cancelled", "terminated", jobs);
}

/// <summary>One workflow and its runs through all four dialects.</summary>
internal sealed class FourViews(Wire wire, string workflow)
{
    /// <summary>Starts a run and returns its id. A jobs workflow is its own and only instance.</summary>
    public async Task<string> StartAsync(Door door, string? schema = null)
    {
        switch (door)
        {
            case Door.Broker:
                return await wire.DispatchAsync(schema!);
            case Door.Jobs:
                await ExpectAsync(202, wire.SendAsync(HttpMethod.Post, $"/api/workflows/{workflow}/run", null));
                return workflow;
            case Door.Handlers:
                return (await ExpectAsync(200, wire.PostAsync($"/workflows/{workflow}/run-nowait", "{}"))).GetProperty("handler_id").GetString()!;
            case Door.Instances:
                return (await ExpectAsync(200, wire.PostAsync(Instances, "{}"))).GetProperty("id").GetString()!;
            default:
                throw new ArgumentOutOfRangeException(nameof(door));
        }
    }

    /// <summary>Views of a run in each dialect, which must agree on its identity.</summary>
    public async Task<Stage> LookAsync(string id)
    {
        var handlerReply = await wire.GetAsync($"/handlers/{id}");
        var handler = handlerReply.Json;
        Assert.Equal((id, workflow), (Text(handler, "handler_id"), Text(handler, "workflow_name")));

        var instance = await InstanceAsync(id);
        Assert.Equal((id, workflow), (Text(instance, "id"), Text(instance.GetProperty("meta"), "workflowName")));
        Assert.Equal(Time(handler.GetProperty("updated_at")), Time(instance.GetProperty("meta").GetProperty("updatedAt")), TimeSpan.FromMilliseconds(1));

        var jobs = await JobsAsync(workflow);
        Assert.Equal(jobs, await JobsAsync(id));
        Assert.Equal(jobs, await JobsAsync($"{workflow}~{id}"));
        return new(handlerReply.Status, Text(handler, "status"), Text(instance.GetProperty("details"), "status"), jobs);
    }

    public async Task<JsonElement> InstanceAsync(string id) => await ExpectAsync(200, wire.GetAsync($"{Instances}/{id}"));

    public async Task<JsonElement> HandlerAsync(string id) => (await wire.GetAsync($"/handlers/{id}")).Json;

    public Task<JsonElement> HistoryAsync(string id) => ExpectAsync(200, wire.GetAsync($"{Instances}/{id}/history?order=asc"));

    /// <summary>pause, resume, restart, terminate.</summary>
    public Task SteerAsync(string id, string action) => ExpectAsync(200, wire.SendAsync(HttpMethod.Post, $"{Instances}/{id}/{action}", null));

    /// <summary>Ends the run through a dialect that can: 200 from two of them, 202 from the jobs dialect.</summary>
    public Task CancelAsync(Door door, string id) => door switch
    {
        Door.Jobs => ExpectAsync(202, wire.SendAsync(HttpMethod.Post, $"/api/workflows/{id}/cancel", null)),
        Door.Handlers => ExpectAsync(200, wire.SendAsync(HttpMethod.Post, $"/handlers/{id}/cancel", null)),
        Door.Instances => SteerAsync(id, "terminate"),
        _ => throw new ArgumentOutOfRangeException(nameof(door)),
    };

    /// <summary>Sends <c>go</c> through one of the two dialects that know events.</summary>
    public Task<Reply> SendAsync(Door door, string id, string payload) => door is Door.Handlers
        ? wire.PostAsync($"/events/{id}", $$$"""{"event":{"type":"go","value":{{{payload}}}}}""")
        : wire.PostAsync($"{Instances}/{id}/events", $$"""{"type":"go","payload":{{payload}}}""");

    public Task<Reply> ResultAsync(string id) => wire.GetAsync($"/results/{id}");

    /// <summary>The status words of the jobs, in order of definition.</summary>
    public async Task<string> JobsAsync(string id)
    {
        var shown = await ExpectAsync(200, wire.GetAsync($"/api/workflows/{id}/status"));
        return string.Join(' ', shown.GetProperty("jobs").EnumerateArray().Select(job => Text(job, "status")));
    }

    private string Instances => $"/api/workflows/workflows/{workflow}/instances";

    private static async Task<JsonElement> ExpectAsync(int status, Task<Reply> sent)
    {
        var reply = await sent;
        Assert.True(reply.Status == status, reply.ToString());
        return reply.Body.Length == 0 ? default : reply.Json;
    }

    private static string Text(JsonElement owner, string member) => owner.GetProperty(member).GetString()!;

    private static DateTime Time(JsonElement time) => time.GetDateTimeOffset().UtcDateTime;
}
