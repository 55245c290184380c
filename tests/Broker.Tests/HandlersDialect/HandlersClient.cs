using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Broker.Tests.HandlersDialect;

/// <summary>An answer as a client sees it.</summary>
internal sealed record Answer(HttpStatusCode Status, string? ContentType, string Text)
{
    public JsonElement Json => JsonElement.Parse(Text);
}

/// <summary>Calls of this dialect, at root or below a prefix.</summary>
internal sealed class HandlersClient(HttpClient http, string prefix = "")
{
    public static readonly string[] Keys =
        ["handler_id", "workflow_name", "run_id", "error", "result", "status", "started_at", "updated_at", "completed_at"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public HandlersClient Current => new(http, "/agents");

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, prefix + path);
        if (body is not null) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        using var response = await http.SendAsync(request, Ct);
        return new(response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsStringAsync(Ct));
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> PostAsync(string path, string? body = null) => SendAsync(HttpMethod.Post, path, body);

    /// <summary>Starts without waiting; the handler object has been checked.</summary>
    public async Task<JsonElement> StartAsync(string workflow, string body = "{}")
    {
        var answer = await PostAsync($"/workflows/{workflow}/run-nowait", body);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        AssertHandler(answer.Json);
        return answer.Json;
    }

    public async Task<string> StartedIdAsync(string workflow, string body = "{}") => (await StartAsync(workflow, body)).GetProperty("handler_id").GetString()!;

    /// <summary>Checks that the nine keys are there: Python clients cannot read a handler without one (handlers contract 3).</summary>
    public static void AssertHandler(JsonElement handler)
    {
        Assert.Equal(Keys, handler.EnumerateObject().Select(member => member.Name));
        foreach (var time in (string[])["started_at", "updated_at", "completed_at"])
        {
            if (handler.GetProperty(time).GetString() is { } text) Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$", text);
        }
    }

    /// <summary>Opens a stream without reading it.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string handlerId, string query, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"{prefix}/events/{handlerId}?{query}");
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
    }

    /// <summary>
    /// The Python client of line 2.8.3: newline-delimited JSON with four keys in every line. 204 ends the stream; 404 and any other status
    /// raise (handlers contract 6, 7).
    /// </summary>
    public async IAsyncEnumerable<JsonElement> LinesAsync(string handlerId, bool includeInternal = false, double acquireTimeout = 1)
    {
        using var response = await OpenAsync(
            handlerId, FormattableString.Invariant($"sse=false&include_internal={(includeInternal ? "true" : "false")}&acquire_timeout={acquireTimeout}"));
        if (response.StatusCode is HttpStatusCode.NoContent) yield break;
        response.EnsureSuccessStatusCode();
        Assert.StartsWith("application/x-ndjson", response.Content.Headers.ContentType!.ToString(), StringComparison.Ordinal);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));
        await foreach (var line in PythonLinesAsync(reader))
        {
            if (line.Length > 0) yield return AssertEnvelope(JsonElement.Parse(line));
        }
    }

    /// <summary>
    /// The newest Python client: server-sent events by number, again from the last one (at most 3 times) when the connection breaks
    /// (handlers contract 6.2).
    /// </summary>
    public async IAsyncEnumerable<(long Id, JsonElement Event)> CursorAsync(string handlerId, string after = "-1", bool includeInternal = false)
    {
        var left = 3;
        while (true)
        {
            var broken = false;
            using var response = await OpenAsync(handlerId, $"sse=true&include_internal={(includeInternal ? "true" : "false")}&after_sequence={after}");
            if (response.StatusCode is HttpStatusCode.NoContent) yield break;
            response.EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Ct));
            var (id, data) = ("", "");
            await using var lines = PythonLinesAsync(reader).GetAsyncEnumerator(Ct);
            while (true)
            {
                try
                {
                    if (!await lines.MoveNextAsync()) break;
                }
                catch (Exception cut) when (cut is IOException or HttpRequestException)
                {
                    broken = true;
                    break;
                }

                if (lines.Current.StartsWith("id: ", StringComparison.Ordinal))
                {
                    id = lines.Current[4..];
                }
                else if (lines.Current.StartsWith("data: ", StringComparison.Ordinal))
                {
                    data = lines.Current[6..];
                }
                else if (lines.Current.Length == 0 && data.Length > 0)
                {
                    after = id;
                    yield return (long.Parse(id, System.Globalization.CultureInfo.InvariantCulture), AssertEnvelope(JsonElement.Parse(data)));
                    data = "";
                }
            }

            if (!broken || left-- == 0) yield break;
        }
    }

    public static JsonElement AssertEnvelope(JsonElement envelope)
    {
        Assert.Equal(["value", "qualified_name", "type", "types"], envelope.EnumerateObject().Select(member => member.Name));
        Assert.Equal(JsonValueKind.Object, envelope.GetProperty("value").ValueKind);
        return envelope;
    }

    /// <summary>Lines as Python's splitlines cuts them, which httpx uses: not only at line feeds.</summary>
    private static async IAsyncEnumerable<string> PythonLinesAsync(StreamReader reader)
    {
        var line = new StringBuilder();
        var one = new char[1];
        var afterReturn = false;
        while (await reader.ReadAsync(one.AsMemory(), Ct) > 0)
        {
            var wasReturn = afterReturn;
            afterReturn = one[0] == '\r';
            if (one[0] == '\n' && wasReturn) continue;
            if (one[0] is not ('\n' or '\r' or '\v' or '\f' or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029'))
            {
                line.Append(one[0]);
                continue;
            }

            yield return line.ToString();
            line.Clear();
        }

        if (line.Length > 0) yield return line.ToString();
    }
}
