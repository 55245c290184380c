using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>Names in <c>${{ }}</c> become references to variables; no value is ever shell text.</summary>
public sealed class TemplateTextTests
{
    [Theory]
    [InlineData("deploy ${{ inputs.target }}", "deploy \"${INPUT_TARGET}\"")]
    [InlineData("deploy --to=${{inputs.target}}.x", "deploy --to=\"${INPUT_TARGET}\".x")]
    [InlineData("deploy \"to ${{ inputs.target }}\"", "deploy \"to ${INPUT_TARGET}\"")]
    [InlineData("A=${{ inputs.target }} deploy", "A=\"${INPUT_TARGET}\" deploy")]
    [InlineData("echo $(deploy ${{ inputs.target }})", "echo $(deploy \"${INPUT_TARGET}\")")]
    [InlineData("echo \"$(deploy ${{ inputs.target }})\"", "echo \"$(deploy \"${INPUT_TARGET}\")\"")]
    [InlineData("echo \"${A:-${{ inputs.target }}}\"", "echo \"${A:-${INPUT_TARGET}}\"")]
    [InlineData("echo ${A:-${{ inputs.target }}}", "echo ${A:-\"${INPUT_TARGET}\"}")]
    [InlineData("echo 'it''s' \"don't\" ${{ inputs.target }}", "echo 'it''s' \"don't\" \"${INPUT_TARGET}\"")]
    [InlineData("echo \\\" ${{ inputs.target }} \\\"", "echo \\\" \"${INPUT_TARGET}\" \\\"")]
    [InlineData("cat <<E\n'${{ inputs.target }}'\nE\necho ${{ inputs.target }}", "cat <<E\n'${INPUT_TARGET}'\nE\necho \"${INPUT_TARGET}\"")]
    [InlineData("cat <<-E <<F\n\tE\n'${{ inputs.target }}'\nF", "cat <<-E <<F\n\tE\n'${INPUT_TARGET}'\nF")]
    [InlineData("cat <<<${{ inputs.target }}", "cat <<<\"${INPUT_TARGET}\"")]
    [InlineData("x # it's ${{ inputs.target }}\ny ${{ inputs.target }}", "x # it's ${INPUT_TARGET}\ny \"${INPUT_TARGET}\"")]
    [InlineData("case ${{ inputs.target }} in a) x ;; esac", "case \"${INPUT_TARGET}\" in a) x ;; esac")]
    [InlineData("echo ${{ env.CI }} ${{ needs.a-b.outputs.v }}", "echo \"${CI}\" \"${NEEDS_A_B_V}\"")]
    [InlineData("echo $${{ inputs.target }}", "echo $\"${INPUT_TARGET}\"")]
    public void A_name_in_a_run_becomes_a_variable_in_the_quotes_around_it(string run, string command) => Assert.Equal(command, Job(run));

    [Theory]
    [InlineData("echo '${{ inputs.target }}'", "is not replaced within single quotes")]
    [InlineData("sh -c 'x \"${{ inputs.target }}\"'", "is not replaced within single quotes")]
    [InlineData("echo $'a\\'${{ inputs.target }}'", "is not replaced within single quotes")]
    [InlineData("cat <<'E'\n${{ inputs.target }}\nE", "in a here-document with a quoted end mark")]
    [InlineData("cat <<\\E\n${{ inputs.target }}\nE", "in a here-document with a quoted end mark")]
    [InlineData("echo `x ${{ inputs.target }}`", "between backticks")]
    [InlineData("echo $((1 + ${{ inputs.target }}))", "is not replaced in $(( ))")]
    [InlineData("echo \\${{ inputs.target }}", "behind a backslash")]
    public void A_name_that_no_shell_would_expand_is_refused(string run, string said) =>
        Assert.Contains(said, Assert.Single(Reading.Problems(FileOf(run))), StringComparison.Ordinal);

    [Theory]
    [InlineData("printf '%s|' ${{ inputs.target }} x${{ inputs.target }}y \"${{ inputs.target }}\"", "T|xTy|T|")]
    [InlineData("cat <<E\n[${{ inputs.target }}]\nE", "[T]\n")]
    [InlineData("A=${{ inputs.target }}; printf %s \"$A\"", "T")]
    public async Task The_value_arrives_whatever_it_holds(string run, string printed)
    {
        const string value = "a  'b' \"c\" $(echo d) `e` \\ * ; f #";

        Assert.Equal((printed.Replace("T", value, StringComparison.Ordinal), 0), await Reading.ShellAsync(Job(run), new Dictionary<string, string> { ["INPUT_TARGET"] = value }));
    }

    [Fact]
    public async Task Variables_take_values_of_the_run_at_three_levels()
    {
        var file = Reading.Good("""
            name: n
            on: push
            inputs: { target: }
            env: { W: 'w ${{ inputs.target }}', BOTH: workflow }
            jobs:
              a:
                env: { J: '${{ env.W }}!', BOTH: job }
                steps:
                  - { run: 'echo "$W|$J|$S|$BOTH"', env: { S: "it's ${{ env.J }}", BOTH: step } }
            """);
        var job = file.Jobs[0];

        Assert.Equal(
            "export W='w '\"${INPUT_TARGET}\" && export BOTH='workflow' && export J=\"${W}\"'!' && export BOTH='job' && export S='it'\\''s '\"${J}\" && export BOTH='step'"
            + " && echo '=== step 1 ===' && echo \"$W|$J|$S|$BOTH\"",
            job.Command);
        Assert.Equal(("=== step 1 ===\nw $x|w $x!|it's w $x!|step\n", 0), await Reading.ShellAsync(job.Command, new Dictionary<string, string> { ["INPUT_TARGET"] = "$x" }));
        Assert.Equal([("BOTH", "job")], job.Script!.Environment.Select(v => (v.Key, v.Value)));
        Assert.Equal("export W='w '\"${INPUT_TARGET}\"\nexport J=\"${W}\"'!'\nexport S='it'\\''s '\"${J}\"\necho \"$W|$J|$S|$BOTH\"", job.Script.Steps[0].Run);
    }

    [Fact]
    public void Another_shell_reads_the_environment_itself() => Assert.Equal(
        ["release.yml:6: jobs.only.run: ${{ }} is replaced in sh and shells like it; read the variable CI from the environment"],
        Reading.JobProblems("shell: python\nrun: print(${{ env.CI }})"));

    [Fact]
    public void Two_names_that_become_one_variable_are_refused() => Assert.EndsWith(
        "becomes the variable STEPS_A_B_C, as steps.a.outputs.b-c does; rename one of them",
        Assert.Single(Reading.JobProblems("""
            steps:
              - { id: a, run: x }
              - { id: a-b, run: x }
              - { run: 'echo ${{ steps.a.outputs.b-c }} ${{ steps.a-b.outputs.c }}' }
            """)),
        StringComparison.Ordinal);

    [Fact]
    public void Outputs_of_other_jobs_are_named_for_the_claim()
    {
        var job = Reading.Good(FileOf("echo ${{ needs.a-b.outputs.v }} ${{ needs['a-b'].outputs['v'] }}")).Jobs[1];

        Assert.Equal([("NEEDS_A_B_V", "a-b", "v")], job.Upstream);
    }

    [Fact]
    public void Results_of_other_jobs_are_named_for_the_claim()
    {
        var job = Reading.Good(FileOf("echo ${{ needs.a-b.result }}")).Jobs[1];

        Assert.Equal("echo \"${NEEDS_A_B_RESULT}\"", job.Command);
        Assert.Equal([("NEEDS_A_B_RESULT", "a-b", null)], job.Upstream);
    }

    [Theory]
    [InlineData("echo ${{ needs.other.result }}", "'other' is not among the needs of this job")]
    [InlineData("echo ${{ needs.a-b.result }} ${{ needs.a-b.outputs.result }}", "becomes the variable NEEDS_A_B_RESULT, as needs.a-b.result does")]
    public void A_result_that_is_not_there_or_has_the_name_of_an_output_is_refused(string run, string said) =>
        Assert.Contains(said, Assert.Single(Reading.Problems(FileOf(run))), StringComparison.Ordinal);

    [Fact]
    public void The_jobs_of_a_matrix_have_one_result()
    {
        const string file = "name: n\non: push\njobs:\n  t: { run: x, strategy: { matrix: { a: [1, 2] } } }\n  u: { needs: t, if: needs.t.result == 'success', run: \"echo ${{ needs.t.result }}\" }";

        Assert.Equal([("NEEDS_T_RESULT", "t", null)], Reading.Good(file).Jobs[2].Upstream);
    }

    private static string Job(string run) => Reading.Good(FileOf(run)).Jobs[1].Command;

    private static string FileOf(string run) =>
        $"name: n\non: push\ninputs: {{ target: }}\njobs:\n  a-b: {{ run: x }}\n  only:\n    needs: a-b\n    run: {System.Text.Json.JsonSerializer.Serialize(run)}\n";
}
