using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class WorkflowFormatTests
{
    [Fact]
    public void The_example_of_the_contract_reads_byte_for_byte() // jobs contract 9.2
    {
        var file = Reading.Good("""
            name: Release
            on: { push: {}, workflow_dispatch: {} }
            env: { CHANNEL: beta build }
            jobs:
              compile:
                run: make all
                retries: 1
              publish:
                name: Publish it
                needs: compile
                labels: [linux]
                steps:
                  - name: Sign
                    run: ./sign
                    env: { KEY: k1 }
                  - run: ./upload
            """);

        Assert.Equal("release", file.Id);
        Assert.Equal("Release", file.Name);
        Assert.Equal("on: [push, workflow_dispatch]", file.Trigger);
        Assert.Equal(["compile", "publish"], file.Jobs.Select(j => j.Id));
        Assert.Equal(["compile", "Publish it"], file.Jobs.Select(j => j.Name));
        Assert.Equal("export CHANNEL='beta build' && make all", file.Jobs[0].Command);
        Assert.Equal(
            "export CHANNEL='beta build' && export KEY='k1' && echo '=== Sign ===' && ./sign && echo '=== step 2 ===' && ./upload",
            file.Jobs[1].Command);
        Assert.Equal([1, 0], file.Jobs.Select(j => j.Retry.Max));
        Assert.Empty(file.Jobs[0].DependsOn);
        Assert.Equal(["compile"], file.Jobs[1].DependsOn);
        Assert.Empty(file.Jobs[0].RequiredLabels);
        Assert.Equal(["linux"], file.Jobs[1].RequiredLabels);
    }

    [Fact]
    public void A_job_with_only_a_run_gets_every_default()
    {
        var job = Reading.Job("run: make");

        Assert.Equal(("only", "only", "make"), (job.Id, job.Name, job.Command));
        Assert.Empty(job.DependsOn);
        Assert.Empty(job.RequiredLabels);
        Assert.Equal(JobRetry.None, job.Retry);
        Assert.Null(job.TimeoutMs);
        Assert.Null(job.When);
        Assert.False(job.IsOptional);
    }

    [Fact]
    public void Every_field_of_a_job_is_taken()
    {
        var job = Reading.Job("""
            name: Only one
            run: make
            labels: [linux, arm64]
            retries: 3
            timeout: 90
            if: env.A == 1 && always()
            env: { A: 1 }
            """);

        Assert.Equal("Only one", job.Name);
        Assert.Equal("export A='1' && make", job.Command);
        Assert.Equal(["linux", "arm64"], job.RequiredLabels);
        Assert.Equal(3, job.Retry.Max);
        Assert.Equal(90_000, job.TimeoutMs);
        Assert.Equal("'1' == 1 && always()", job.When);
    }

    [Theory]
    [InlineData("push", "on: push")]
    [InlineData("'5'", "on: 5")]
    [InlineData("[push, pull_request]", "on: [push, pull_request]")]
    [InlineData("[push]", "on: [push]")]
    [InlineData("[]", "on: []")]
    [InlineData("{ push: { branches: [main] }, workflow_dispatch: }", "on: [push, workflow_dispatch]")]
    [InlineData("{ schedule: [ { cron: '0 4 * * *' } ], push: {} }", "on: [schedule, push]")]
    public void A_trigger_is_shown_in_one_line(string on, string expected) =>
        Assert.Equal(expected, Reading.Good($"name: n\non: {on}\njobs: {{}}").Trigger);

    [Fact]
    public void Jobs_may_be_none()
    {
        Assert.Empty(Reading.Good("name: n\non: push\njobs: {}").Jobs);
    }

    [Theory]
    [InlineData("a", new[] { "a" })]
    [InlineData("[a]", new[] { "a" })]
    [InlineData("[b, a, b]", new[] { "b", "a" })]
    [InlineData("", new string[0])]
    [InlineData("[]", new string[0])]
    public void Needs_are_one_name_or_a_list(string needs, string[] expected)
    {
        var file = Reading.Good($"name: n\non: push\njobs:\n  c: {{ run: c, needs: {needs} }}\n  a: {{ run: a }}\n  b: {{ run: b }}\n");

        Assert.Equal(["c", "a", "b"], file.Jobs.Select(j => j.Id));
        Assert.Equal(expected, file.Jobs[0].DependsOn);
    }

    [Fact]
    public void Empty_fields_count_as_absent()
    {
        var file = Reading.Good("""
            name: n
            on: push
            env:
            jobs:
              a:
                name:
                run: make
                needs:
                env:
                labels:
                steps:
                retries:
                timeout: ~
                if: null
            """);

        var job = Assert.Single(file.Jobs);
        Assert.Equal(("a", "make", 0), (job.Name, job.Command, job.Retry.Max));
        Assert.Null(job.TimeoutMs);
        Assert.Null(job.When);
    }

    [Theory]
    [InlineData("ci.yml", "ci")]
    [InlineData("night.ly.yaml", "night.ly")]
    public void The_id_is_the_file_name_without_its_last_extension(string fileName, string id) =>
        Assert.Equal(id, Reading.Good("name: n\non: push\njobs: {}", fileName).Id);
}
