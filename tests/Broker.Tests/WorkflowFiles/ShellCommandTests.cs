using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class ShellCommandTests
{
    [Fact]
    public void A_step_is_headed_by_its_name_then_its_id_then_its_place()
    {
        var job = Reading.Job("""
            steps:
              - { name: First, id: one, run: a }
              - { id: two, run: b }
              - { name: not run }
              - { run: d }
            """);

        Assert.Equal("echo '=== First ===' && a && echo '=== two ===' && b && echo '=== step 4 ===' && d", job.Command);
    }

    [Fact]
    public void Exports_go_from_workflow_to_job_to_step()
    {
        var file = Reading.Good("""
            name: n
            on: push
            env: { W: w, BOTH: outer }
            jobs:
              a:
                env: { J: j, BOTH: inner }
                steps:
                  - { run: one, env: { S: s } }
                  - { env: { NEVER: x } }
                  - { run: two }
            """);

        Assert.Equal(
            "export W='w' && export BOTH='outer' && export J='j' && export BOTH='inner' && "
            + "export S='s' && echo '=== step 1 ===' && one && echo '=== step 3 ===' && two",
            file.Jobs[0].Command);
    }

    [Fact]
    public void Steps_with_entries_win_over_run()
    {
        Assert.Equal("echo '=== step 1 ===' && b", Reading.Job("run: a\nsteps: [ { run: b } ]").Command);
        Assert.Equal("a", Reading.Job("run: a\nsteps: []").Command);
    }

    [Theory]
    [InlineData("steps: [ { name: x } ]", "")]
    [InlineData("steps: [ { name: x }, { run: '  ' } ]\nenv: { A: b }", "export A='b'")]
    [InlineData("run: ''", "")]
    [InlineData("run: ''\nenv: { A: b }", "export A='b'")]
    public void Nothing_to_run_leaves_no_dangling_operator(string body, string expected) =>
        Assert.Equal(expected, Reading.Job(body).Command);

    [Fact]
    public void A_run_of_many_lines_keeps_its_inner_lines_and_loses_outer_space()
    {
        var job = Reading.Job("run: |\n\n  first\n\n    second \n  third\n\n");

        Assert.Equal("first\n\n  second \nthird", job.Command);
    }

    [Fact]
    public async Task Quotes_in_values_and_labels_reach_the_shell_unharmed()
    {
        var job = Reading.Job("""
            env: { SAID: "it's '$HOME' `x` \\ \"y\"" }
            steps:
              - name: Don't stop
                run: printf '%s' "$SAID"
            """);

        Assert.Equal(
            """export SAID='it'\''s '\''$HOME'\'' `x` \ "y"' && echo '=== Don'\''t stop ===' && printf '%s' "$SAID" """.TrimEnd(),
            job.Command);
        Assert.Equal(("=== Don't stop ===\nit's '$HOME' `x` \\ \"y\"", 0), await Reading.ShellAsync(job.Command));
    }

    [Fact]
    public async Task A_failing_first_line_of_many_does_not_stop_a_job_and_a_failing_step_does()
    {
        var lines = Reading.Job("run: |\n  false\n  echo on");
        var steps = Reading.Job("steps: [ { run: 'false' }, { run: echo on } ]");

        Assert.Equal(("on\n", 0), await Reading.ShellAsync(lines.Command));
        Assert.Equal(("=== step 1 ===\n", 1), await Reading.ShellAsync(steps.Command));
    }
}
