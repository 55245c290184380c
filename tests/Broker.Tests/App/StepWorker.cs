using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Broker.Tests.App;

/// <summary>A worker of the broker dialect, driven by a test: registers definitions, takes steps and reports them.</summary>
internal sealed class StepWorker
{
    private readonly HttpClient http;
    private readonly string id;
    private readonly int waitSecs;

    private StepWorker(HttpClient http, string id, int waitSecs) => (this.http, this.id, this.waitSecs) = (http, id, waitSecs);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A worker that takes steps that are there already.</summary>
    public static async Task<StepWorker> RegisterAsync(HttpClient http, params string[] definitions) => new(http, await IdAsync(http, definitions), waitSecs: 0);

    /// <summary>A worker that waits for its steps. Its definition gets a name of its own, so that tests do not meet each other.</summary>
    public static async Task<(StepWorker Worker, string Workflow)> RegisterAloneAsync(HttpClient http, string document)
    {
        var name = $"w{Guid.NewGuid():N}";
        var first = document.IndexOf("\"workflow_id\":\"", StringComparison.Ordinal) + "\"workflow_id\":\"".Length;
        var named = string.Concat(document.AsSpan(0, first), name, document.AsSpan(document.IndexOf('"', first)));
        return (new(http, await IdAsync(http, named), waitSecs: 20), name);
    }

    /// <summary>The next step, or null when there is none.</summary>
    public async Task<JsonElement?> TakeAsync()
    {
        using var answer = await http.GetAsync(new Uri($"{Path}&wait={waitSecs}", UriKind.Relative), Ct);
        if (answer.StatusCode is HttpStatusCode.NoContent) return null;
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.OK, text);
        return JsonElement.Parse(text);
    }

    /// <summary>The next step, which must be that one.</summary>
    public async Task<JsonElement> TakeAsync(string step)
    {
        var assignment = await TakeAsync();
        Assert.Equal(step, assignment?.GetProperty("step_name").GetString());
        return assignment!.Value;
    }

    public async Task ReportAsync(
        JsonElement assignment, string resultJson = "null", string state = "SUCCEEDED", string eventsJson = "[]", string? contextJson = null, string logsJson = "[]")
    {
        string Of(string member) => assignment.GetProperty(member).GetRawText();
        var context = contextJson is null ? "" : $$""","context":{{contextJson}}""";
        var report = $$"""
            {"workflow_id":{{Of("workflow_id")}},"instance_id":{{Of("instance_id")}},"step_name":{{Of("step_name")}},
             "state":"{{state}}","result":{{resultJson}},"events":{{eventsJson}},"logs":{{logsJson}}{{context}}}
            """;
        using var answer = await http.PostAsync(new Uri(Path, UriKind.Relative), Json(report), Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.NoContent, await answer.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>Takes a step and reports its result.</summary>
    public async Task<JsonElement> DoAsync(
        string step, string resultJson = "null", string state = "SUCCEEDED", string eventsJson = "[]", string? contextJson = null, string logsJson = "[]")
    {
        var assignment = await TakeAsync(step);
        await ReportAsync(assignment, resultJson, state, eventsJson, contextJson, logsJson);
        return assignment;
    }

    private string Path => $"/workflow/step?worker_id={Uri.EscapeDataString(id)}";

    private static async Task<string> IdAsync(HttpClient http, params string[] definitions)
    {
        using var answer = await http.PostAsync(new Uri("/worker/register", UriKind.Relative), Json($"[{string.Join(',', definitions)}]"), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode is HttpStatusCode.OK, text);
        return JsonElement.Parse(text).GetString()!;
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
