using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Broker.Tests.JobsDialect;

/// <summary>
/// Does what the stock worker does (jobs contract 8.1), with shorter pauses, and reads <c>::set-output name=value</c> lines into its
/// outputs. It claims only jobs of one label, so that tests can share a broker.
/// </summary>
internal sealed class StockWorker(HttpClient http, string label)
{
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);

    private readonly string id = Guid.NewGuid().ToString("D");

    public async Task RunAsync(CancellationToken ct)
    {
        await http.PostAsJsonAsync("api/workers/register", new { worker_id = id, labels = new[] { label } }, ct);
        while (!ct.IsCancellationRequested)
        {
            using var answer = await http.PostAsJsonAsync("api/jobs/claim", new { worker_id = id, labels = new[] { label }, lease_ttl_secs = 30 }, ct);
            if (JsonNode.Parse(await answer.Content.ReadAsStringAsync(ct)) is { } claimed) await WorkAsync(claimed, ct);
            else await Task.Delay(Idle, TimeProvider.System, ct);
        }
    }

    private async Task WorkAsync(JsonNode claimed, CancellationToken ct)
    {
        var (workflow, job) = ((string)claimed["job"]!["workflow_id"]!, (string)claimed["job"]!["job_id"]!);
        var lease = $"api/jobs/{(string)claimed["lease"]!["lease_id"]!}";
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", (string)claimed["job"]!["command"]!]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var watching = WatchAsync(lease, $"api/jobs/{workflow}/{job}/cancelled", shell, done.Token);

        var output = await shell.StandardOutput.ReadToEndAsync(ct);
        var errors = await shell.StandardError.ReadToEndAsync(ct);
        await shell.WaitForExitAsync(ct);
        await done.CancelAsync();
        var cancelled = await watching;

        object[] chunks = [.. Lines(output, "stdout").Concat(Lines(errors, "stderr")).Select((line, n) => new
        {
            workflow_id = workflow,
            job_id = job,
            sequence = n,
            data = line.Text + "\n",
            timestamp_ms = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
            stream = line.Stream,
        })];
        if (!cancelled && chunks.Length > 0) await http.PostAsJsonAsync($"{lease}/logs", new { chunks }, ct);
        if (cancelled) await http.PostAsJsonAsync($"{lease}/fail", new { error = "cancelled", retryable = true }, ct);
        else if (shell.ExitCode == 0) await http.PostAsJsonAsync($"{lease}/complete", new { outputs = Outputs(output) }, ct);
        else await http.PostAsJsonAsync($"{lease}/fail", new { error = $"exit code {shell.ExitCode}: {output}{errors}", retryable = true }, ct);
    }

    // Heartbeats, and kills the shell when the job has been cancelled.
    private async Task<bool> WatchAsync(string lease, string cancelled, Process shell, CancellationToken done)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Beat, TimeProvider.System, done);
                using var beat = await http.PostAsync($"{lease}/heartbeat", null, done);
                if (!await http.GetFromJsonAsync<bool>(cancelled, done)) continue;
                shell.Kill(entireProcessTree: true);
                return true;
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static IEnumerable<(string Text, string Stream)> Lines(string text, string stream) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (line, stream));

    private static Dictionary<string, string> Outputs(string text) => text.Split('\n')
        .Where(l => l.StartsWith("::set-output ", StringComparison.Ordinal))
        .Select(l => l["::set-output ".Length..].Split('=', 2))
        .ToDictionary(p => p[0], p => p[1]);
}
