using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>A step that a worker was given.</summary>
internal sealed record Work(string Workflow, string Instance, string Step, JsonElement Payload);

/// <summary>A worker as the broker dialect knows it: registers definitions, takes steps, reports.</summary>
internal sealed class FlowWorker
{
    private readonly HttpClient http;
    private readonly string id;

    private FlowWorker(HttpClient http, string id)
    {
        this.http = http;
        this.id = id;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<FlowWorker> RegisterAsync(HttpClient http, params string[] definitions)
    {
        using var answer = await http.PostAsync(new Uri("/worker/register", UriKind.Relative), Json($"[{string.Join(',', definitions)}]"), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.OK, text);
        return new(http, JsonElement.Parse(text).GetString()!);
    }

    /// <summary>The next step, or null when there is none now.</summary>
    public async Task<Work?> TakeAsync()
    {
        using var answer = await http.GetAsync(new Uri($"/workflow/step?worker_id={Uri.EscapeDataString(id)}", UriKind.Relative), Ct);
        if (answer.StatusCode is HttpStatusCode.NoContent) return null;
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.OK, text);
        var step = JsonElement.Parse(text);
        return new(
            step.GetProperty("workflow_id").GetString()!, step.GetProperty("instance_id").GetString()!, step.GetProperty("step_name").GetString()!,
            step.GetProperty("payload"));
    }

    /// <summary>Takes the step that must be there now.</summary>
    public async Task<Work> TakeAsync(string step)
    {
        var work = await TakeAsync();
        Assert.Equal(step, work?.Step);
        return work!;
    }

    public async Task ReportAsync(Work work, string state = "SUCCEEDED", string resultJson = "null", string logsJson = "[]")
    {
        var body = $$"""
            {"workflow_id":{{Text(work.Workflow)}},"instance_id":{{Text(work.Instance)}},"step_name":{{Text(work.Step)}},
             "state":"{{state}}","result":{{resultJson}},"logs":{{logsJson}}}
            """;
        using var answer = await http.PostAsync(new Uri($"/workflow/step?worker_id={Uri.EscapeDataString(id)}", UriKind.Relative), Json(body), Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Takes a step and reports it as done.</summary>
    public async Task<Work> DoAsync(string step, string resultJson = "null", string logsJson = "[]")
    {
        var work = await TakeAsync(step);
        await ReportAsync(work, "SUCCEEDED", resultJson, logsJson);
        return work;
    }

    private static string Text(string value) => JsonSerializer.Serialize(value);

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
