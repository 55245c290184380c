using Broker.Testing;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>Steps of a file as claims hand them out, beside the command for stock workers.</summary>
public abstract class JobStepsSuite(PostgresCluster? cluster) : FolderBroker(cluster)
{
    [Fact]
    public async Task A_claim_of_a_job_with_steps_carries_them_and_its_variables()
    {
        WriteText("s.yml", """
            name: s
            on: push
            env: { CHANNEL: beta build }
            jobs:
              sign:
                env: { EMPTY: }
                steps:
                  - { name: Sign, run: ./sign, env: { KEY: k1 } }
                  - run: |
                      ./upload # all
                      ./check
            """);
        var broker = await StartAsync();
        Assert.Equal(202, await RunAsync(broker, "s"));

        var job = (await ClaimAsync(broker))!["job"]!;

        Assert.Equal("""[{"name":"Sign","run":"./sign","env":{"KEY":"k1"}},{"name":"step 2","run":"./upload # all\n./check"}]""", job["steps"]!.ToJsonString());
        Assert.Equal("""{"CHANNEL":"beta build","EMPTY":""}""", job["env"]!.ToJsonString());
        Assert.Equal(
            "export CHANNEL='beta build' && export EMPTY='' && export KEY='k1' && echo '=== Sign ===' && ./sign && echo '=== step 2 ===' && eval './upload # all\n./check'",
            (string)job["command"]!);
    }

    [Fact]
    public async Task A_claim_of_a_job_without_steps_has_no_further_members()
    {
        WriteText("r.yml", "name: r\non: push\nenv: { A: b }\njobs: { r: { run: make } }");
        var broker = await StartAsync();
        Assert.Equal(202, await RunAsync(broker, "r"));

        var job = (await ClaimAsync(broker))!["job"]!.AsObject();

        Assert.Equal("export A='b' && make", (string)job["command"]!);
        Assert.False(job.ContainsKey("steps") || job.ContainsKey("env"));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("""{"steps":[{"run":5}],"env":{}}""")]
    [InlineData("""{"steps":[{"run":"x","env":[]}],"env":{}}""")]
    [InlineData("""{"steps":[{"run":"x"}],"env":{"A":1}}""")]
    [InlineData("""{"steps":[{"run":"x"}]}""")]
    public async Task Steps_of_another_shape_in_a_registered_document_are_not_handed_out(string script)
    {
        var broker = await StartAsync("/nonexistent");
        var document = """{"workflow_id":"odd","version":"1","jobs":{"name":"odd"},"steps":{"a":{"depends_on":[],"command":"make","script":SCRIPT}}}"""
            .Replace("SCRIPT", script, StringComparison.Ordinal);
        Assert.Equal(200, (await CallAsync(broker, "POST", "/workflow/dispatch", $$$"""{"workflow":{{{document}}},"inputs":{}}""")).Status);

        var job = (await ClaimAsync(broker))!["job"]!.AsObject();

        Assert.Equal("make", (string)job["command"]!);
        Assert.False(job.ContainsKey("steps") || job.ContainsKey("env"));
    }
}

public sealed class PostgresJobStepsTests(PostgresCluster cluster) : JobStepsSuite(cluster);

public sealed class SqliteJobStepsTests() : JobStepsSuite(null);
