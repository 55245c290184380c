namespace Broker.Worker.Tests;

/// <summary>The folder in which a job begins.</summary>
public sealed class WorkerWorkspaceTests : IDisposable
{
    private readonly FakeBroker broker = new();
    private readonly string parent = Directory.CreateTempSubdirectory("broker-workspaces-").FullName;

    public void Dispose()
    {
        broker.Dispose();
        Directory.Delete(parent, recursive: true);
    }

    private string Stdout => string.Concat(broker.Logs.Where(c => (string?)c["stream"] == "stdout").Select(c => (string?)c["data"]));

    private string Stderr => string.Concat(broker.Logs.Where(c => (string?)c["stream"] == "stderr").Select(c => (string?)c["data"]));

    [Fact]
    public async Task Each_attempt_begins_in_a_fresh_folder_that_goes_with_it()
    {
        await RunAsync("touch a; ls; echo \"$PWD\"; [ \"$PWD\" = \"$BROKER_WORKSPACE\" ] && echo same; stat -c %a .", KeepWorkspace.Never);

        var lines = Stdout.TrimEnd().Split('\n');
        Assert.Equal(("a", "same", "700"), (lines[0], lines[2], lines[3]));
        Assert.StartsWith($"{parent}/broker-work-", lines[1], StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(parent));
    }

    [Fact]
    public async Task A_folder_that_a_tool_write_protected_goes_too()
    {
        await RunAsync("mkdir -p cache/x; touch cache/x/y; chmod -R a-w cache; ln -s / link", KeepWorkspace.Failed);

        Assert.Empty(Directory.EnumerateFileSystemEntries(parent));
    }

    [Theory]
    [InlineData(KeepWorkspace.Failed, "touch a; exit 3", true)]
    [InlineData(KeepWorkspace.Failed, "touch a", false)]
    [InlineData(KeepWorkspace.Always, "touch a", true)]
    [InlineData(KeepWorkspace.Never, "touch a; exit 3", false)]
    public async Task A_folder_is_kept_by_the_rule_and_the_log_names_it(int keep, string command, bool isKept)
    {
        await RunAsync(command, (KeepWorkspace)keep);

        var kept = Directory.EnumerateDirectories(parent).ToList();
        Assert.Equal(isKept, kept.Count == 1);
        Assert.Equal(isKept ? $"workspace kept: {kept[0]}\n" : "", Stderr);
        Assert.All(kept, folder => Assert.True(File.Exists(Path.Combine(folder, "a"))));
    }

    [Fact]
    public async Task Without_fresh_folders_a_job_begins_in_the_folder_of_the_worker()
    {
        broker.Add("job", "pwd; echo \"$BROKER_WORKSPACE\"");
        await using var worker = new RunningWorker(broker, o => o with { Workspace = new(null, KeepWorkspace.Always) });
        Assert.True((await broker.ReportOf("job")).Ok);

        Assert.Equal($"{Environment.CurrentDirectory}\n{Environment.CurrentDirectory}\n", Stdout);
        Assert.Equal("", Stderr);
    }

    [Fact]
    public async Task Groups_annotations_progress_and_colours_are_kept_as_sent()
    {
        const string sent = "::group::Build\n::error file=a.c,line=5::it's %0A broken\n10 %\r20 %\r100 %\n\e[31mred\e[0m\n::endgroup::\n";
        await RunAsync($"printf '%s' '{sent.Replace("'", "'\\''", StringComparison.Ordinal)}'", KeepWorkspace.Never);

        Assert.Equal(sent, Stdout);
    }

    private async Task RunAsync(string command, KeepWorkspace keep)
    {
        broker.Add("job", command);
        await using var worker = new RunningWorker(broker, o => o with { Workspace = new(parent, keep) });
        await broker.ReportOf("job");
        await worker.StopAsync();
    }
}
