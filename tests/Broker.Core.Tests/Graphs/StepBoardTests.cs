using Broker.Core.Graphs;
using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Core.Tests.Definitions;
using Xunit;

namespace Broker.Core.Tests.Graphs;

/// <summary>Fate of steps that were never reached: broker contract 4.5.</summary>
public sealed class StepBoardTests
{
    private static string Fates(string steps, RunStatus status, params (int Step, StepStatus Status)[] reached) => string.Join(' ',
        StepBoard.Of(Doc.Steps(steps), status, reached.Select(r => new StepState { Index = r.Step, Status = r.Status })).Select(b => b.Fate));

    private const string Chain = """ "a":{"successors":{"default":["b"]}},"b":{"successors":{"default":["c"]}},"c":{},"d":{} """;
    private const string Groups = """
        "a":{"successors":{"default":["c"]}},"b":{"successors":{"default":["c"]}},"c":{"or_groups":{"g":["a","b"]},"successors":{"default":["e"]}},
        "d":{"successors":{"default":["e"]}},"e":{"or_groups":{"g":["c"],"h":["d","c"]}}
        """;

    [Theory]
    [InlineData(StepStatus.Failed)]
    [InlineData(StepStatus.Cancelled)]
    public void A_failure_kills_everything_below_it_and_nothing_else(StepStatus status) =>
        Assert.Equal("Reached Dead Dead Reached", Fates(Chain, RunStatus.Running, (0, status), (3, StepStatus.Ready)));

    [Theory]
    [InlineData(StepStatus.Skipped)]
    [InlineData(StepStatus.Leased)]
    public void A_skipped_or_active_step_kills_no_successor(StepStatus status) =>
        Assert.Equal("Reached Open Open Reached", Fates(Chain, RunStatus.Running, (0, status), (3, StepStatus.Succeeded)));

    [Fact]
    public void A_group_lives_as_long_as_one_member_may_finish() =>
        Assert.Equal("Reached Reached Open Reached Open", Fates(Groups, RunStatus.Running, (0, StepStatus.Failed), (1, StepStatus.Ready), (3, StepStatus.Ready)));

    [Fact]
    public void A_group_dies_with_its_last_member_and_takes_along_what_needs_it() =>
        Assert.Equal("Reached Reached Dead Reached Dead", Fates(Groups, RunStatus.Running, (0, StepStatus.Failed), (1, StepStatus.Failed), (3, StepStatus.Ready)));

    [Theory]
    [InlineData(RunStatus.Succeeded, "Reached NotTaken NotTaken Reached")]
    [InlineData(RunStatus.Failed, "Reached NotTaken NotTaken Reached")]
    [InlineData(RunStatus.Cancelled, "Reached Dead Dead Reached")]
    public void The_end_of_the_run_settles_what_was_open(RunStatus status, string fates) =>
        Assert.Equal(fates, Fates(Chain, status, (0, StepStatus.Succeeded), (3, StepStatus.Succeeded)));
}
