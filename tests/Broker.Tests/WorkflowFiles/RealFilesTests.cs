using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Broker.Testing;
using Broker.Tests.App;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>A broker with the folder of real-life files, and a shell worker that serves all of their labels.</summary>
public sealed class RealFiles : IAsyncLifetime
{
    private ManagedProcess? worker;

    public static string Folder { get; } = Path.Combine(RepositoryLayout.Root, "tests", "Broker.Tests", "WorkflowFiles", "workflow-files");

    internal OwnBroker Broker { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Broker = await OwnBroker.StartAsync($"--WORKFLOWS_DIR={Folder}");
        worker = new ManagedProcess(
            RepositoryLayout.WorkerProgram(), arguments: ["--server", Broker.Address.ToString(), "--labels", "ubuntu-latest,self-hosted,linux,arm", "--slots", "8"]);
        worker.Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (worker is not null) await worker.DisposeAsync();
        await Broker.DisposeAsync();
    }
}

/// <summary>
/// Workflow files of shapes in use. Comments at the front say what to expect: inputs, the status of the run and of the jobs, lines of logs. A refused
/// file has its refused lines there.
/// </summary>
public sealed partial class RealFilesTests(RealFiles files) : IClassFixture<RealFiles>
{
    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(RealFiles.Folder).Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_file_runs_as_its_author_means_or_is_refused_with_its_lines(string name)
    {
        var expected = Expectations(name);
        if (expected.Contains("refused"))
        {
            await IsRefusedAsync(name, [.. expected["refused"]]);
            return;
        }

        using var start = new HttpRequestMessage(HttpMethod.Post, $"/api/workflows/{name}/run?wait=120");
        start.Content = new StringContent($$"""{"inputs":{{expected["inputs"].FirstOrDefault("{}")}} }""", Encoding.UTF8, "application/json");
        start.Headers.Add("Idempotency-Key", name);
        using var answer = await files.Broker.Client.SendAsync(start, Ct);
        var run = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;

        Assert.Equal(expected["jobs"].Single(), string.Join(' ', run["jobs"]!.AsArray().Select(job => $"{job!["id"]}={job["status"]}")));
        Assert.Equal(expected["run"].FirstOrDefault("success"), (string)run["status"]!);
        foreach (var line in expected["log"]) Assert.Contains(TextOf(line), await LogAsync(name, JobOf(line)), StringComparison.Ordinal);
        foreach (var line in expected["not-log"]) Assert.DoesNotContain(TextOf(line), await LogAsync(name, JobOf(line)), StringComparison.Ordinal);
    }

    [Fact]
    public void At_least_17_of_20_files_run()
    {
        var run = Names.Select(row => row.Data).Where(name => !Expectations(name).Contains("refused")).ToList();

        Assert.Equal(20, Names.Count);
        Assert.True(run.Count >= 17, $"{run.Count} run");
    }

    private async Task IsRefusedAsync(string name, IReadOnlyList<string> lines)
    {
        var listed = JsonNode.Parse(await files.Broker.Client.GetStringAsync(new Uri("/api/workflow-files", UriKind.Relative), Ct))!.AsArray();
        var problems = ((string)listed.Single(file => (string)file!["workflow_id"]! == name)!["error"]!).Split($"{name}.yml:", StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(lines.Count, problems.Length);
        foreach (var (line, problem) in lines.Zip(problems)) Assert.StartsWith(line, problem, StringComparison.Ordinal);
    }

    private async Task<string> LogAsync(string workflow, string job)
    {
        var chunks = JsonNode.Parse(await files.Broker.Client.GetStringAsync(new Uri($"/api/workflows/{workflow}/jobs/{Uri.EscapeDataString(job)}/logs", UriKind.Relative), Ct))!;
        return string.Concat(chunks.AsArray().Select(chunk => (string)chunk!["data"]!));
    }

    private static ILookup<string, string> Expectations(string name) =>
        File.ReadLines(Path.Combine(RealFiles.Folder, $"{name}.yml")).TakeWhile(line => line.StartsWith('#'))
            .Select(line => Expectation().Match(line)).ToLookup(match => match.Groups["what"].Value, match => match.Groups["value"].Value);

    private static string JobOf(string line) => line[..line.IndexOf(": ", StringComparison.Ordinal)];

    private static string TextOf(string line) => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..];

    [GeneratedRegex("^# (?<what>inputs|run|jobs|refused)?(?<what>(?:not-)?log)?:? (?<value>.*)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Expectation();
}
