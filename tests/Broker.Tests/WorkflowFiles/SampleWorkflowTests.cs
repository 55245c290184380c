using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class SampleWorkflowTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("broker-sample-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void The_built_in_sample_is_the_graph_of_the_contract() // jobs contract 3
    {
        var sample = SampleWorkflow.Create();

        Assert.Equal(("ci-1", "ci.yml", "on: push"), (sample.Id, sample.Name, sample.Trigger));
        Assert.Equal(
            [
                "unit-tests: ", "lint: ", "typecheck: ", "build: unit-tests lint typecheck",
                "deploy-db: build", "e2e-tests: build", "deploy-preview: build", "deploy-web: deploy-db",
            ],
            sample.Jobs.Select(j => $"{j.Id}: {string.Join(' ', j.DependsOn)}"));
        Assert.All(sample.Jobs, j => Assert.Matches("^echo '[^']+' && sleep [1-5]$", j.Command));
    }

    [Fact]
    public async Task The_sample_file_loads_and_its_jobs_run()
    {
        var (files, problems) = new WorkflowFolder(Path.Combine(RepositoryRoot(), "src", "Broker", "workflows"), TimeProvider.System).Read();

        Assert.Empty(problems);
        var ci = Assert.Single(files);
        Assert.Equal("ci", ci.Id);
        Assert.Equal(["lint: ", "test: ", "build: lint test", "report: build"], ci.Jobs.Select(j => $"{j.Id}: {string.Join(' ', j.DependsOn)}"));

        var upstream = Path.Combine(folder.FullName, "upstream");
        await File.WriteAllTextAsync(upstream, """{"build":{"version":"1.4.2"}}""", TestContext.Current.CancellationToken);
        var outputs = new List<string>();
        foreach (var job in ci.Jobs)
        {
            var output = Path.Combine(folder.FullName, job.Id);
            await File.WriteAllTextAsync(output, "", TestContext.Current.CancellationToken);
            var (printed, exitCode) = await Reading.ShellAsync(
                job.Command, new Dictionary<string, string> { ["BROKER_OUTPUT"] = output, ["BROKER_UPSTREAM"] = upstream });

            Assert.Equal(0, exitCode);
            Assert.NotEmpty(printed);
            Assert.Equal(job.Id == "report", printed.Contains("1.4.2\"}", StringComparison.Ordinal));
            outputs.AddRange(await File.ReadAllLinesAsync(output, TestContext.Current.CancellationToken));
        }

        Assert.Equal(["warnings=0", "passed=128", "version=1.4.2"], outputs);
    }

    [Fact]
    public async Task The_sample_file_runs_on_a_worker_without_outputs()
    {
        var (files, _) = new WorkflowFolder(Path.Combine(RepositoryRoot(), "src", "Broker", "workflows"), TimeProvider.System).Read();

        foreach (var job in files[0].Jobs) Assert.Equal(0, (await Reading.ShellAsync(job.Command)).ExitCode);
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Broker.sln"))) folder = folder.Parent!;

        return folder.FullName;
    }
}
