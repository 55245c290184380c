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

    private static WorkflowDefinition Good(WorkflowFile file)
    {
        var (definition, problems) = JobsDocument.Read(file, fromFile: true);
        Assert.Empty(problems);
        return definition!;
    }

    private static WorkflowFile File(string command) => new("ci", "CI", "on: push",
    [
        new() { Id = "a", Name = "A", Command = command, MaxRetries = 2 },
        new() { Id = "b", Name = "B", Command = "b", DependsOn = ["a"] },
        new() { Id = "c", Name = "C", Command = "c" },
        new() { Id = "d", Name = "D", Command = "d", DependsOn = ["c"] },
    ]);
}
