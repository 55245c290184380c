using Broker.Api.JobsDialect;
using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.JobsDialect;

public sealed class JobsDocumentTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_file_becomes_a_definition_whose_version_follows_from_its_content()
    {
        var definition = Good(File("make"));

        Assert.Equal(("ci", "CI", "on: push", true), (definition.Name, definition.Jobs!.Name, definition.Jobs.Trigger, definition.Jobs.FromFile));
        Assert.Equal(12, definition.Version.Length);
        Assert.Equal(definition.Version, Good(File("make")).Version);
        Assert.NotEqual(definition.Version, Good(File("make all")).Version);
        Assert.Equal(LostLeaseRule.UseRetry, definition.LostLease);
        Assert.Equal((2, "make"), (definition.Steps[0].Retry.MaxRetries, definition.Steps[0].Command));
    }

    [Fact]
    public void A_file_whose_id_is_too_long_is_a_problem()
    {
        var (definition, problems) = JobsDocument.Read(File("make") with { Id = new string('x', 201) }, fromFile: true);

        Assert.Null(definition);
        Assert.Equal("workflow_id", Assert.Single(problems).Path);
    }

    [Fact]
    public void A_job_that_a_failure_skipped_stays_skipped_when_the_run_is_cancelled()
    {
        var definition = Good(File("make"));
        StepState[] reached =
        [
            new() { Index = 0, Status = StepStatus.Failed, QueuedAt = Noon, GrantedAt = Noon, EndedAt = Noon.AddSeconds(2.9), Error = new("Error", "no") },
            new() { Index = 2, Status = StepStatus.Cancelled, QueuedAt = Noon, EndedAt = Noon },
        ];

        var jobs = JobsStatuses.Of(definition, RunStatus.Cancelled, reached);

        Assert.Equal(["failure", "skipped", "cancelled", "cancelled"], jobs.Select(j => j.Status));
        Assert.Equal((2L, "no", Noon), (jobs[0].DurationSecs, jobs[0].Output, jobs[0].StartedAt));
        Assert.Equal((null, null, null), (jobs[2].DurationSecs, jobs[2].Output, jobs[2].StartedAt));
    }

    [Theory]
    [InlineData(StepStatus.Ready, "queued")]
    [InlineData(StepStatus.Leased, "running")]
    [InlineData(StepStatus.Waiting, "running")]
    [InlineData(StepStatus.Succeeded, "success")]
    [InlineData(StepStatus.Skipped, "skipped")]
    [InlineData(StepStatus.Failed, "failure")]
    [InlineData(StepStatus.Cancelled, "cancelled")]
    public void Every_state_has_its_word(StepStatus status, string word) => Assert.Equal(word, JobsStatuses.Word(status));

    [Fact]
    public void Conditions_inputs_and_priorities_of_a_file_are_those_of_the_definition()
    {
        var (file, problems) = WorkflowFileReader.Read("r.yml", """
            name: r
            on: { workflow_dispatch: { inputs: { target: { type: choice, options: [test, prod], default: test, description: Where to }, count: { type: number, required: true } } } }
            jobs:
              a: { run: a, priority: 5, continue-on-error: true }
              b: { run: b, needs: a, if: failure() }
              c: { run: c, needs: [a, b], if: "always() && needs.a.outputs.v == inputs.target" }
            """);
        Assert.Empty(problems);
        var definition = Good(file!);

        Assert.Equal(["target", "count"], definition.Inputs!.All.Select(input => input.Name));
        Assert.Equal((InputType.Choice, "\"test\"", "Where to"), (definition.Inputs.All[0].Type, definition.Inputs.All[0].DefaultJson, definition.Inputs.All[0].Description));
        Assert.True(definition.Inputs.All[1].Required);
        Assert.Equal((5, true, null), (definition.Steps[0].Priority, definition.Steps[0].Optional, definition.Steps[0].When));
        Assert.Equal(["failure()", "always() && needs.a.outputs.v == inputs.target"], definition.Steps.Skip(1).Select(step => step.When!.ToString()));
    }

    [Fact]
    public void A_fault_that_the_definition_finds_has_the_line_of_its_input_or_job()
    {
        var (file, _) = WorkflowFileReader.Read("r.yml", "name: r\non: push\ninputs:\n  a: { type: choice, default: x }\njobs: {}");

        Assert.Equal(
            ["r.yml:4: inputs.a.options: is required: the values of the choice", "r.yml:4: inputs.a.default: is 'x', expected one of "],
            JobsDocument.Read(file!, fromFile: true).Problems.Select(problem => file!.At(problem).ToString()));
    }

    private static WorkflowDefinition Good(WorkflowFile file)
    {
        var (definition, problems) = JobsDocument.Read(file, fromFile: true);
        Assert.Empty(problems);
        return definition!;
    }

    private static WorkflowFile File(string command) => new("ci", "CI", "on: push",
    [
        new() { Id = "a", Name = "A", Command = command, Retry = new(2) },
        new() { Id = "b", Name = "B", Command = "b", DependsOn = ["a"] },
        new() { Id = "c", Name = "C", Command = "c" },
        new() { Id = "d", Name = "D", Command = "d", DependsOn = ["c"] },
    ]);
}
