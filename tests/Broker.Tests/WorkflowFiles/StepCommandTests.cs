using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>Conditions, continued errors and outputs of steps, as any worker's shell runs them.</summary>
public sealed class StepCommandTests
{
    private static readonly Dictionary<string, string> Inputs = new()
    {
        ["INPUT_TARGET"] = "a 'b' $(touch /tmp/never) \"c\"",
        ["INPUT_DRY"] = "true",
        ["INPUT_COUNT"] = "3.0",
    };

    [Theory]
    [InlineData("true", "ran")]
    [InlineData("false", "")]
    [InlineData("inputs.dry", "ran")]
    [InlineData("!inputs.dry", "")]
    [InlineData("inputs.dry == true && inputs.target != ''", "ran")]
    [InlineData("inputs.count == 3", "ran")]
    [InlineData("inputs.count != 3", "")]
    [InlineData("inputs.count", "ran")]
    [InlineData("contains(inputs.target, '$(touch')", "ran")]
    [InlineData("startsWith(inputs.target, 'a ''b')", "ran")]
    [InlineData("startsWith(inputs.target, 'b')", "")]
    [InlineData("endsWith(inputs.target, '\"c\"')", "ran")]
    [InlineData("contains('*', inputs.target)", "")]
    [InlineData("env.CHANNEL == 'beta'", "ran")]
    [InlineData("env.MISSING == null", "ran")]
    [InlineData("success()", "ran")]
    [InlineData("failure()", "")]
    [InlineData("cancelled()", "")]
    [InlineData("always()", "ran")]
    [InlineData("(inputs.dry == true) == true || false", "ran")]
    [InlineData("steps.first.outcome == 'success'", "ran")]
    [InlineData("steps.first.outputs.hits == 2", "ran")]
    [InlineData("needs.before.outputs.version == ''", "ran")]
    public async Task The_condition_of_a_step_decides(string condition, string said)
    {
        var (output, code) = await RunAsync($$"""
            - { id: first, run: 'echo hits=2 >>"$BROKER_OUTPUT"' }
            - if: {{Yaml(condition)}}
              run: printf ran
            """);

        Assert.Equal(("=== first ===\n" + (said.Length > 0 ? "=== step 2 ===\nran" : ""), 0), (output, code));
    }

    [Theory]
    [InlineData("exit 3", 3)]
    [InlineData("false", 1)]
    [InlineData("if", 2)]
    [InlineData("set -e\nfalse\ntrue", 1)]
    [InlineData(": ${UNSET:?is not set}", 2)]
    [InlineData("exec sh -c 'exit 4'", 4)]
    [InlineData("kill -9 $(exec sh -c 'echo $PPID')", 137)]
    public async Task A_failed_step_skips_those_that_want_success_and_keeps_its_code(string run, int code)
    {
        var (output, exit) = await RunAsync($$"""
            - { name: Bad, id: bad, run: {{Yaml(run)}} }
            - { name: skipped, id: skipped, run: echo never }
            - { name: cleans, if: always(), run: 'echo {% steps.bad.outcome %} "{% steps.skipped.outcome %}"' }
            - { name: tells, if: failure(), run: exit 9 }
            """);

        Assert.Equal(code, exit);
        Assert.Contains("=== cleans ===\nfailure skipped\n=== tells ===\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain("never", output, StringComparison.Ordinal);
        Assert.Contains($"step \"Bad\" failed with exit code {code}\n", output, StringComparison.Ordinal);
        Assert.Contains("step \"tells\" failed with exit code 9\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_that_continues_on_error_fails_nothing()
    {
        var (output, exit) = await RunAsync("""
            - { id: flaky, run: exit 5, continue-on-error: true }
            - { run: 'echo after {% steps.flaky.outcome %}' }
            """);

        Assert.Equal(0, exit);
        Assert.Contains("=== step 2 ===\nafter failure\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exports_and_the_folder_go_on_to_later_steps_also_from_one_that_exits()
    {
        var (output, exit) = await RunAsync("""
            - { run: "export A=\"it's\" && cd /" }
            - { run: export B=two; exit 0 }
            - { if: always(), run: 'echo "$A $B $PWD $S"', env: { S: s } }
            - { run: 'echo "$S"' }
            """);

        Assert.Equal(("=== step 1 ===\n=== step 2 ===\n=== step 3 ===\nit's two / s\n=== step 4 ===\ns\n", 0), (output, exit));
    }

    [Fact]
    public async Task An_output_is_that_of_its_own_step()
    {
        var (output, exit) = await RunAsync("""
            - { id: one, run: 'printf "v=1\nmany<<END\na\n  b = c\nEND\n" >>"$BROKER_OUTPUT"' }
            - { id: two, run: 'printf "v=2\r\nv=it''s \$HOME\n" >>"$BROKER_OUTPUT"' }
            - { id: three, run: 'true' }
            - run: |
                echo "{% steps.one.outputs.v %} {% steps['two'].outputs.v %} [{% steps.three.outputs.v %}]"
                printf '%s\n' {% steps.one.outputs.many %} x{% steps.two.outputs.v %}y
            """);

        Assert.Equal(("=== one ===\n=== two ===\n=== three ===\n=== step 4 ===\n1 it's $HOME []\na\n  b = c\nxit's $HOMEy\n", 0), (output, exit));
    }

    [Fact]
    public async Task Outputs_of_a_job_are_appended_to_its_own()
    {
        using var folder = new TempFolder();
        var file = Path.Combine(folder.Path, "output");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        var job = Job("""
            - { id: build, run: 'printf "digest<<E\nsha\n256\nE\n" >>"$BROKER_OUTPUT"' }
            """, "outputs: { image: 'r/{% inputs.target %}@{% steps.build.outputs.digest %}' }");

        Assert.Equal(0, (await Reading.ShellAsync(job, new Dictionary<string, string>(Inputs) { ["BROKER_OUTPUT"] = file })).ExitCode);

        var lines = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        Assert.Matches($"^digest<<E\nsha\n256\nE\nimage<<(?<end>_broker_end_[0-9]+)\nr/{Regex.Escape(Inputs["INPUT_TARGET"])}@sha\n256\n\\k<end>\n$", lines);
        Assert.Equal(["output"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName));
    }

    // Images have dash, bash or busybox as their sh.
    [Theory]
    [InlineData("/bin/dash")]
    [InlineData("/bin/bash")]
    [InlineData("/bin/busybox")]
    public async Task Every_sh_runs_the_script_alike(string shell)
    {
        Assert.SkipUnless(File.Exists(shell), "there is no such shell");
        using var folder = new TempFolder();
        var sh = Path.Combine(folder.Path, "sh");
        File.CreateSymbolicLink(sh, shell);
        var job = Job("""
            - { id: one, run: 'export A="it''s"; cd /; echo v=1 >>"$BROKER_OUTPUT"; exit 0' }
            - { id: two, run: 'echo "$A $PWD {% steps.one.outputs.v %}"; exit 7', continue-on-error: true }
            - { id: three, if: steps.two.outcome == 'failure' && inputs.count == 3, run: 'if' }
            - { if: always(), run: 'echo {% steps.three.outcome %}', shell: sh, timeout: 5, working-directory: /usr }
            - { run: echo never }
            """);

        var (output, code) = await Reading.ShellAsync(job, Inputs, sh);

        Assert.Equal(2, code);
        Assert.StartsWith("=== one ===\n=== two ===\nit's / 1\n=== three ===\n=== step 4 ===\nfailure\n", output, StringComparison.Ordinal);
        Assert.Contains("step \"two\" failed with exit code 7\n", output, StringComparison.Ordinal);
    }

    private static async Task<(string Output, int ExitCode)> RunAsync(string steps) => await Reading.ShellAsync(Job(steps), Inputs);

    // An interpolated text of the test cannot hold ${{ as it is.
    private static string Job(string steps, string members = "") => Reading.Good($$"""
        name: n
        on: push
        inputs: { target: , dry: { type: boolean }, count: { type: number } }
        env: { CHANNEL: beta }
        jobs:
          before: { run: x }
          only:
            needs: before
            {{members}}
            steps:
        {{string.Concat(steps.Split('\n').Select(line => $"      {line}\n"))}}
        """.Replace("{%", "${{", StringComparison.Ordinal).Replace("%}", "}}", StringComparison.Ordinal)).Jobs[1].Command;

    private static string Yaml(string text) => JsonSerializer.Serialize(text);
}
