using System.Text.Json;
using Broker.WorkflowFiles;
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

    [Theory]
    [InlineData("make all")]
    [InlineData("a && b | c 2>&1 >> log")]
    [InlineData("! grep -q 'x; y' \"$FILE\" ${DIR:-/tmp}/f")]
    [InlineData("echo a\\;b#c done if")]
    [InlineData("curl -s http://h/p?x=1#y")]
    public void A_simple_line_is_joined_as_it_is_written(string run) =>
        Assert.Equal($"echo '=== step 1 ===' && {run}", Steps(run));

    [Theory]
    [InlineData("a || b")]
    [InlineData("a; b")]
    [InlineData("a &")]
    [InlineData("a |& b")]
    [InlineData("a &> log")]
    [InlineData("a # why")]
    [InlineData("cat <<E\nx\nE")]
    [InlineData("a\nb")]
    [InlineData("a \\")]
    [InlineData("echo 'a")]
    [InlineData("echo \"a")]
    [InlineData("echo `date`")]
    [InlineData("echo $(date)")]
    [InlineData("echo ${A:-$(date)}")]
    [InlineData("(a")]
    [InlineData("{ a")]
    [InlineData("if a")]
    [InlineData("a && while b")]
    [InlineData("f() x")]
    [InlineData("a &&")]
    [InlineData("&& a")]
    [InlineData("a | | b")]
    [InlineData("a >")]
    [InlineData("!")]
    [InlineData("! ! a")]
    [InlineData("a 2>&1>log")]
    [InlineData("a > 2>&1")]
    public void Any_other_run_is_joined_by_eval(string run) =>
        Assert.Equal($"echo '=== step 1 ===' && eval '{run.Replace("'", @"'\''", StringComparison.Ordinal)}'", Steps(run));

    // The second step ends with 9 or prints "after": whatever the first is, the second runs exactly if the first succeeds.
    [Theory]
    [InlineData("echo one # x", "one\n", true)]
    [InlineData("cat <<E\none\nE", "one\n", true)]
    [InlineData("cat <<E\none", "one", true)]
    [InlineData("true &", "", true)]
    [InlineData("echo one;", "one\n", true)]
    [InlineData("true one \\", "", true)]
    [InlineData("true || echo b", "", true)]
    [InlineData("false || false", "", false)]
    [InlineData("false # x", "", false)]
    [InlineData("false &&", null, false)]
    [InlineData("echo 'one", null, false)]
    [InlineData("if true", null, false)]
    [InlineData("( echo one", null, false)]
    [InlineData("cd / && X=1", "", true)]
    [InlineData("true 2>&1>/dev/null", null, false)]
    [InlineData("! ! true", null, false)]
    public async Task No_step_swallows_breaks_or_masks_its_neighbour(string run, string? printed, bool succeeds)
    {
        var (first, _) = await Reading.ShellAsync(Steps("echo before", run, "echo after $X; exit 9"));
        var (second, code) = await Reading.ShellAsync(Steps(run, "exit 9"));

        Assert.StartsWith("=== step 1 ===\nbefore\n=== step 2 ===\n" + printed, first, StringComparison.Ordinal);
        Assert.Equal(succeeds, first.Contains("=== step 3 ===\nafter", StringComparison.Ordinal));
        Assert.Equal(run.Contains("X=1", StringComparison.Ordinal), first.Contains("after 1", StringComparison.Ordinal));
        Assert.Equal(succeeds, second.Contains("=== step 2 ===", StringComparison.Ordinal));
        if (succeeds) Assert.Equal(9, code);
        else Assert.NotEqual(0, code);
    }

    [Fact]
    public async Task A_run_beside_variables_is_joined_by_eval_and_sees_them()
    {
        var command = Reading.Job("run: true & echo $A\nenv: { A: b }").Command;

        Assert.Equal("export A='b' && eval 'true & echo $A'", command);
        Assert.Equal(("b\n", 0), await Reading.ShellAsync(command));
    }

    [Fact]
    public void A_value_that_no_program_can_be_given_stays_a_variable_of_the_shell()
    {
        string Command(int length) => Reading.Job($"run: a\nenv: {{ A: {new string('x', length)} }}").Command;

        Assert.StartsWith("export A='xxx", Command(ShellVariable.MostExported - 3), StringComparison.Ordinal);
        Assert.StartsWith("A='xxx", Command(ShellVariable.MostExported - 2), StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_are_kept_beside_the_command_with_the_variables_of_all()
    {
        var job = Reading.Good("""
            name: n
            on: push
            env: { W: w, BOTH: outer }
            jobs:
              a:
                env: { BOTH: inner, J: }
                steps:
                  - { name: Sign, run: " one ", env: { S: s } }
                  - { name: not run }
                  - { run: two }
            """).Jobs[0];

        Assert.Equal([("W", "w"), ("BOTH", "inner"), ("J", "")], job.Script!.Environment.Select(v => (v.Key, v.Value)));
        Assert.Equal([("Sign", "one"), ("step 3", "two")], job.Script.Steps.Select(s => (s.Label, s.Run!)));
        Assert.Equal("s", Assert.Single(job.Script.Steps[0].Environment).Value);
        Assert.Null(Reading.Job("run: a").Script);
        Assert.Null(Reading.Job("steps: [ { name: x } ]").Script);
    }

    [Theory]
    [InlineData("make $INPUT_A", "export INPUT_A='it'\\''s' && make $INPUT_A")]
    [InlineData("export B='c' && make", "export INPUT_A='it'\\''s' && export B='c' && make")]
    [InlineData("one & two", "export INPUT_A='it'\\''s' && eval 'one & two'")]
    [InlineData("one || two", "export INPUT_A='it'\\''s' && eval 'one || two'")]
    [InlineData("# only\n", "export INPUT_A='it'\\''s' && eval '# only\n'")]
    [InlineData("", "export INPUT_A='it'\\''s'")]
    public void Variables_are_set_before_any_command(string command, string expected) =>
        Assert.Equal(expected, ShellCommand.WithVariables([KeyValuePair.Create("INPUT_A", "it's")], command));

    private static string Steps(params string[] runs)
    {
        var steps = JsonSerializer.Serialize(runs.Select(run => new Dictionary<string, string> { ["run"] = run }));
        return Reading.Good($$$$"""{"name":"n","on":"push","jobs":{"a":{"steps":{{{{steps}}}}}}}""", "n.json").Jobs[0].Command;
    }
}
