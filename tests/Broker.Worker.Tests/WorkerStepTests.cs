using System.Text.Json.Nodes;

namespace Broker.Worker.Tests;

/// <summary>Steps of one job: each a script of its own, in order, in one shell.</summary>
public sealed class WorkerStepTests : IDisposable
{
    private readonly FakeBroker broker = new();

    public void Dispose() => broker.Dispose();

    private Task<Report> Run(params string[] steps) => RunNamed([.. steps.Select(s => ((string?)null, s))]);

    private async Task<Report> RunNamed(params (string? Name, string Run)[] steps)
    {
        broker.AddSteps("job", steps);
        await using var worker = new RunningWorker(broker);
        return await broker.ReportOf("job");
    }

    private string Stdout => string.Concat(broker.Logs.Where(c => (string?)c["stream"] == "stdout").Select(c => (string?)c["data"]));

    [Fact]
    public async Task Steps_run_in_order_under_their_names()
    {
        Assert.True((await RunNamed(("Sign it's", "echo one"), (null, "echo two"))).Ok);

        Assert.Equal("=== Sign it's ===\none\n=== step 2 ===\ntwo\n", Stdout);
    }

    [Theory]
    [InlineData("echo one # comment")]
    [InlineData("cat <<X\nline\nX")]
    [InlineData("cat <<X\nline")]
    [InlineData("true &")]
    [InlineData("true;")]
    [InlineData("echo a \\")]
    [InlineData("false || true")]
    [InlineData("true && true ||")]
    [InlineData("exit 0")]
    [InlineData("exit")]
    [InlineData("(exit 0)")]
    [InlineData("return 0")]
    [InlineData("exec true")]
    [InlineData("exec >/dev/null 2>&1")]
    [InlineData("exec >/dev/null 2>&1; exit 0")]
    [InlineData("exec 6>/dev/null 7>/dev/null 9>/dev/null")]
    [InlineData("set -e")]
    [InlineData("set -n")]
    [InlineData("set -eufx; set -- a b c")]
    [InlineData("trap 'echo bye' EXIT")]
    [InlineData("trap 'echo bye' EXIT; exit 0")]
    [InlineData("trap '' TERM INT; trap 'true' 0")]
    [InlineData("leave() { exit 0; }; leave")]
    [InlineData("echo() { :; }; printf() { :; }; cd() { :; }")]
    [InlineData("read() { :; }; test() { :; }; unalias() { :; }")]
    [InlineData("alias command=true echo=false")]
    [InlineData("IFS=123; PATH=/nowhere")]
    [InlineData("readonly IFS=/")]
    [InlineData("IFS=_end; exit 0")]
    [InlineData("export PATH=/nowhere; eval 'ex''it'")]
    [InlineData("trap 'true' HUP; kill -HUP $$")]
    [InlineData("set -a; X=1; exit 0")]
    [InlineData("alias exit=true")]
    [InlineData("break; continue")]
    [InlineData("f=\"$(mktemp)\"; echo 'exit 0' > $f; . $f")]
    [InlineData("! true; :")]
    [InlineData("if true; then exit 0; fi")]
    [InlineData("{ true; }")]
    [InlineData("")]
    [InlineData("# only a comment")]
    [InlineData("cat")]
    public async Task No_step_skips_or_masks_the_next(string step)
    {
        var report = await Run(step, "PATH=/usr/bin:/bin; command echo reached; sh -c 'exit 9'");

        // One of the first steps is no shell: it fails, and the second does not run.
        if (step == "true && true ||")
        {
            Assert.StartsWith("exit code 2: step \"step 1\": ", report.Error, StringComparison.Ordinal);
            return;
        }

        Assert.StartsWith("exit code 9: step \"step 2\": ", report.Error, StringComparison.Ordinal);
        Assert.Contains("=== step 2 ===\nreached\n", Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo 'open", 2)]
    [InlineData("echo $(", 2)]
    [InlineData("if true", 2)]
    [InlineData("false", 1)]
    [InlineData("true; false", 1)]
    [InlineData("exit 7 # comment", 7)]
    [InlineData("set -e; false; true", 1)]
    [InlineData("exec sh -c 'exit 5'", 5)]
    [InlineData("return 4", 4)]
    [InlineData("trap 'true' EXIT; exit 6", 6)]
    [InlineData("trap 'true' EXIT; false", 1)]
    [InlineData("no-such-program", 127)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("kill $$", 143)]
    [InlineData("kill -INT $$; sleep 1; true", 130)]
    [InlineData("p=$$; kill -9 $p; true", 137)]
    [InlineData("sh -c 'kill -9 $PPID'; true", 137)]
    [InlineData("kill -9 $$; exit 0", 137)]
    [InlineData("kill -9 0", 137)]
    public async Task A_failed_step_is_named_and_ends_the_job(string step, int exitCode)
    {
        var report = await RunNamed((null, "echo before"), ("Break it", step), (null, "echo after"));

        Assert.StartsWith($"exit code {exitCode}: step \"Break it\": ", report.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("after", broker.Output("job"), StringComparison.Ordinal);
        Assert.Contains($"step \"Break it\" failed with exit code {exitCode}\n", broker.Output("job"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("; exit 0")]
    [InlineData("; trap 'true' EXIT")]
    [InlineData("; (exit 3); true && exit")]
    public async Task Exports_and_the_folder_carry_over(string end)
    {
        Assert.True((await Run($"export A=\"it's\n2\"; cd /proc{end}", "echo \"$A\"; pwd; sh -c 'echo $A'")).Ok);

        Assert.EndsWith("=== step 2 ===\nit's\n2\n/proc\nits 2\n".Replace("its 2", "it's 2", StringComparison.Ordinal), Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("exit 0")]
    [InlineData("exec true")]
    [InlineData("trap 'echo bye' EXIT")]
    public async Task Functions_and_shell_variables_carry_over_another_step(string between)
    {
        Assert.True((await Run("f() { echo \"f $1 $v\"; }; v=2; umask 027", between, "f 1; umask")).Ok);

        Assert.EndsWith("=== step 3 ===\nf 1 2\n0027\n", Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("; exit 0")]
    [InlineData("; trap 'true' EXIT")]
    public async Task The_umask_carries_over(string end)
    {
        Assert.True((await Run($"umask 027{end}", "umask")).Ok);

        Assert.EndsWith("=== step 2 ===\n0027\n", Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_may_exit_carries_over()
    {
        var report = await Run("die() { echo \"$1\"; exit 3; }", "die gone");

        Assert.StartsWith("exit code 3: step \"step 2\": ", report.Error, StringComparison.Ordinal);
        Assert.Contains("gone\n", Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_of_one_step_are_not_those_of_the_next()
    {
        Assert.True((await Run("set -efux; set -- a b", "false; echo \"$#$unset_variable\" /pro*")).Ok);

        Assert.EndsWith("=== step 2 ===\n0 /proc\n", Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trap_for_the_end_of_a_step_runs_at_its_end()
    {
        Assert.True((await Run("trap 'echo bye' EXIT; echo hello", "echo next")).Ok);

        Assert.Equal("=== step 1 ===\nhello\nbye\n=== step 2 ===\nnext\n", Stdout);
    }

    [Fact]
    public async Task A_trap_of_several_lines_for_the_end_of_a_step_runs_at_its_end()
    {
        Assert.True((await Run("trap '\necho bye\n' EXIT\necho hello", "echo next")).Ok);

        Assert.Equal("=== step 1 ===\nhello\nbye\n=== step 2 ===\nnext\n", Stdout);
    }

    [Fact]
    public async Task A_trap_for_a_signal_of_the_shell_runs_in_its_step()
    {
        Assert.True((await Run("trap 'echo caught' HUP; kill -HUP $$; echo alive", "echo next")).Ok);

        Assert.Equal("=== step 1 ===\ncaught\nalive\n=== step 2 ===\nnext\n", Stdout);
    }

    [Theory]
    [InlineData("ulimit -f 0")]
    [InlineData("ulimit -f 0; exit 0")]
    [InlineData(": >\"$(dirname \"$BROKER_OUTPUT\")/step\"; kill -9 $$")]
    public async Task A_step_after_which_no_progress_can_be_written_fails_the_job_and_not_the_worker(string step)
    {
        var report = await Run(step, "echo next");

        Assert.False(report.Ok);
        Assert.Empty(broker.Released);
    }

    [Fact]
    public async Task A_later_step_may_wait_for_what_an_earlier_one_started()
    {
        Assert.True((await Run("sh -c 'sleep 0.2; exit 0' & p=$!", "wait $p && echo waited")).Ok);

        Assert.EndsWith("waited\n", Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_hundred_steps_that_leave_their_shell_run()
    {
        Assert.True((await Run([.. Enumerable.Range(1, 200).Select(i => i % 2 == 0 ? $"export N={i}; exit 0" : $"export N={i}; exec >/dev/null"), "echo last $N"])).Ok);

        Assert.EndsWith("last 200\n", Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_removes_its_folder_is_not_a_success_with_steps_left()
    {
        var report = await Run("rm -rf \"$(dirname \"$BROKER_OUTPUT\")\"; exit 0", "echo next");

        Assert.False(report.Ok);
    }

    [Fact]
    public async Task Variables_of_a_job_are_there_before_the_first_step()
    {
        string large = new('y', 140_000);
        broker.Add(
            "job", "exit 99", steps: new JsonArray(new JsonObject { ["run"] = "sh -c 'echo $SMALL'; echo ${#LARGE}; ls / >/dev/null && echo programs start" }),
            env: new JsonObject { ["SMALL"] = "it's\nsmall", ["LARGE"] = large });
        await using var worker = new RunningWorker(broker);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal("=== step 1 ===\nit's small\n140000\nprograms start\n", Stdout);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("exit 0")]
    [InlineData("exec true")]
    [InlineData("set -n")]
    public async Task Variables_of_a_step_are_there_from_it_on(string run)
    {
        broker.Add("job", "exit 99", steps: new JsonArray(
            new JsonObject { ["run"] = "echo \"1 $A\"" },
            new JsonObject { ["name"] = "second", ["run"] = run, ["env"] = new JsonObject { ["A"] = "it's\nset", ["LARGE"] = new string('y', 140_000) } },
            new JsonObject { ["run"] = "echo \"3 $A ${#LARGE}\"; sh -c 'echo $A'" }));
        await using var worker = new RunningWorker(broker);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Equal("=== step 1 ===\n1 \n=== second ===\n=== step 3 ===\n3 it's\nset 140000\nit's set\n", Stdout);
    }

    [Fact]
    public async Task A_long_step_runs()
    {
        Assert.True((await Run("echo ran # " + new string('x', 500_000))).Ok);

        Assert.EndsWith("ran\n", Stdout, StringComparison.Ordinal);
    }
}
