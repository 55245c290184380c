using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>A broker-dialect worker: registers definitions, takes steps and reports them.</summary>
internal sealed class StepWorker
{
    private readonly HttpClient http;
    private readonly string id;

    private StepWorker(HttpClient http, string id)
    {
        this.http = http;
        this.id = id;
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Registers a definition under a name of its own, so that tests do not meet each other.</summary>
    public static async Task<(StepWorker Worker, string Workflow)> RegisterAsync(HttpClient http, string document)
    {
        var name = $"w{Guid.NewGuid():N}";
        var first = document.IndexOf("\"workflow_id\":\"", StringComparison.Ordinal) + "\"workflow_id\":\"".Length;
        var named = string.Concat(document.AsSpan(0, first), name, document.AsSpan(document.IndexOf('"', first)));
        using var response = await http.PostAsync("/worker/register", new StringContent($"[{named}]", Encoding.UTF8, "application/json"), Ct);
        var answer = await response.Content.ReadAsStringAsync(Ct);
        Assert.True(response.StatusCode == HttpStatusCode.OK, answer);
        return (new(http, JsonElement.Parse(answer).GetString()!), name);
    }

    /// <summary>The next step; waits for it.</summary>
    public async Task<JsonElement> TakeAsync(string step)
    {
        using var response = await http.GetAsync($"/workflow/step?worker_id={id}&wait=20", Ct);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var assignment = JsonElement.Parse(await response.Content.ReadAsStringAsync(Ct));
        Assert.Equal(step, assignment.GetProperty("step_name").GetString());
        return assignment;
    }

    public async Task ReportAsync(JsonElement assignment, string resultJson, string state = "SUCCEEDED", string eventsJson = "[]", string? contextJson = null)
    {
        string Of(string member) => assignment.GetProperty(member).GetRawText();
        var context = contextJson is null ? "" : $$""","context":{{contextJson}}""";
        var report = $$"""
            {"workflow_id":{{Of("workflow_id")}},"instance_id":{{Of("instance_id")}},"step_name":{{Of("step_name")}},
             "state":"{{state}}","result":{{resultJson}},"events":{{eventsJson}}{{context}}}
            """;
        using var response = await http.PostAsync($"/workflow/step?worker_id={id}", new StringContent(report, Encoding.UTF8, "application/json"), Ct);
        Assert.True(response.StatusCode == HttpStatusCode.NoContent, await response.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Takes a step and reports its result.</summary>
    public async Task<JsonElement> DoAsync(string step, string resultJson, string state = "SUCCEEDED", string eventsJson = "[]", string? contextJson = null)
    {
        var assignment = await TakeAsync(step);
        await ReportAsync(assignment, resultJson, state, eventsJson, contextJson);
        return assignment;
    }
}
