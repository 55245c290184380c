using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>Every key is honoured or refused with its place, and a hint where there is one.</summary>
public sealed class KnownKeyTests
{
    [Theory]
    [InlineData("permissions: { contents: read }", "permissions: not supported: jobs get no token")]
    [InlineData("concurrency: x", "concurrency: not supported: runs and jobs are not limited")]
    [InlineData("enviroment: {}", "enviroment: not supported; a file has name, on, inputs, env, defaults, jobs")]
    [InlineData("input: {}", "input: not supported; did you mean inputs?")]
    [InlineData("defaults: { shell: sh }", "defaults.shell: not supported; defaults has run")]
    [InlineData("defaults: { run: { directory: x } }", "defaults.run.directory: not supported; defaults.run has shell, working-directory")]
    [InlineData("inputs: { a: { typ: string } }", "inputs.a.typ: not supported; did you mean type?")]
    public void An_unknown_key_of_a_file_is_refused(string line, string expected) =>
        Assert.StartsWith($"release.yml:4: {expected}", Assert.Single(Reading.Problems($"name: n\non: push\njobs: {{}}\n{line}")), StringComparison.Ordinal);

    [Theory]
    [InlineData("runsOn: x", "runsOn: not supported; did you mean runs-on?")]
    [InlineData("runs_on: x", "runs_on: not supported; did you mean runs-on?")]
    [InlineData("need: x", "need: not supported; did you mean needs?")]
    [InlineData("timeout_minutes: 5", "timeout_minutes: not supported; did you mean timeout-minutes?")]
    [InlineData("container: alpine", "container: not supported: a job runs in its worker's system")]
    [InlineData("services: {}", "services: not supported: a job runs in its worker's system")]
    [InlineData("uses: ./x.yml", "uses: not supported: steps run shell commands, and no actions")]
    [InlineData("permissions: {}", "permissions: not supported: jobs get no token")]
    [InlineData("concurrency: {}", "concurrency: not supported: runs and jobs are not limited")]
    [InlineData("strategy: { matrix: { a: [1] }, max-parallel: 2 }", "strategy.max-parallel: not supported: jobs of a matrix are not limited")]
    [InlineData("retry: { limit: 5 }", "retry.limit: not supported; a retry has max, backoff, jitter, retry_on_exit")]
    [InlineData("x-note: 5", "x-note: not supported; a job has name")]
    [InlineData("steps: [ { run: x, uses: actions/checkout@v4 } ]", "steps[0].uses: not supported: steps run shell commands, and no actions")]
    [InlineData("steps: [ { run: x, with: { a: b } } ]", "steps[0].with: not supported: steps run shell commands")]
    [InlineData("steps: [ { run: x, continue_on_error: true } ]", "steps[0].continue_on_error: not supported; did you mean continue-on-error?")]
    public void An_unknown_key_of_a_job_is_refused(string line, string expected) =>
        Assert.StartsWith($"release.yml:6: jobs.only.{expected}", Assert.Single(Reading.JobProblems($"run: make\n{line}")), StringComparison.Ordinal);

    [Theory]
    [InlineData("runs-on: a\nlabels: [b]", "runs-on: means labels; write one of them")]
    [InlineData("timeout: 5\ntimeout-minutes: 5", "timeout-minutes: means timeout; write one of them")]
    [InlineData("retries: 5\nretry: { max: 5 }", "retries: means retry.max; write one of them")]
    [InlineData("timeout: 0", "timeout: must be from 1 to 31536000, not 0")]
    [InlineData("timeout-minutes: 0", "timeout-minutes: must be a number from")]
    [InlineData("retry: { backoff: soon }", "retry.backoff: must be none, seconds, or base and max in seconds, not text")]
    [InlineData("retry: { backoff: { max: 5 } }", "retry.backoff.base: is missing")]
    [InlineData("retry: { jitter: 2 }", "retry.jitter: must be a number from 0 to 1, not the number 2")]
    [InlineData("retry: { retry_on_exit: [0] }", "retry.retry_on_exit: entry 1 must be an exit code from 1 to 255, not the number 0")]
    [InlineData("priority: 1001", "priority: must be from -1000 to 1000, not 1001")]
    [InlineData("continue-on-error: maybe", "continue-on-error: must be true or false")]
    [InlineData("shell: sh; rm", "shell: must be a command, such as bash -e or python3 {0}")]
    [InlineData("if: github.ref == 'x'", "if: column 1: there is no 'github'; there are inputs, env, needs, steps and matrix")]
    [InlineData("if: inputs.x", "if: inputs.x: the file declares no input 'x'")]
    [InlineData("if: env.X", "if: env.X: the file gives this variable no fixed value")]
    [InlineData("if: matrix.x", "if: matrix.x: the job has no strategy.matrix")]
    [InlineData("if: needs.a.result == 'x'", "if: needs.a.result: 'a' is not among the needs of this job")]
    [InlineData("if: steps.a.outcome == 'x'", "if: steps.a.outcome: the job's steps have not run")]
    [InlineData("outputs: { a: [] }", "outputs.a: must be text, not a list")]
    [InlineData("outputs: { 'a=b': x }", "outputs.a=b: a name of an output has no =")]
    [InlineData("outputs: { a: '${{ steps.x.outputs.y }}' }", "outputs.a: ${{ steps.x.outputs.y }}: there is no step 'x' before this place")]
    [InlineData("env: { A: '${{ secrets.X }}' }", "env.A: ${{ secrets.X }}: column 5: there is no 'secrets'")]
    [InlineData("env: { A: '${{ needs.x.outputs.y }}' }", "env.A: ${{ needs.x.outputs.y }}: 'x' is not among the needs of this job")]
    [InlineData("env: { A: '${{ inputs.a || 1 }}' }", "env.A: ${{ inputs.a || 1 }}: only names can stand here")]
    [InlineData("env: { A: '${{ inputs.a' }", "env.A: ${{ is not closed by }}")]
    [InlineData("name: a ${{ env.X }}", "name: ${{ }} is replaced here by values of a matrix only")]
    public void A_value_that_cannot_be_honoured_is_refused(string lines, string expected)
    {
        var problem = Assert.Single(Reading.JobProblems($"run: make\n{lines}"));

        Assert.Matches("^release.yml:[67]: ", problem);
        Assert.StartsWith($"jobs.only.{expected}", problem["release.yml:6: ".Length..], StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_in_a_block_has_the_line_of_the_block_where_it_stands() =>
        Assert.Equal(
            [
                "release.yml:9: jobs.only.steps[0].run: ${{ runner.os }}: column 5: there is no 'runner'; there are inputs, env, needs, steps and matrix, and text stands in single quotes: 'text'",
                "release.yml:11: jobs.only.steps[0].run: ${{ steps.later.outcome }}: there is no step 'later' before this place",
            ],
            Reading.JobProblems("""
                steps:
                  - name: x
                    run: |
                      echo
                      echo ${{ runner.os }}

                      echo ${{ steps.later.outcome }}
                  - { id: later, run: x }
                """));

    [Fact]
    public void A_file_of_GitHub_is_refused_with_every_place()
    {
        var problems = Reading.Problems("""
            name: CI
            on:
              push: { branches: [main] }
            permissions:
              contents: read
            jobs:
              test:
                runs-on: ubuntu-latest
                services:
                  postgres: { image: postgres }
                steps:
                  - uses: actions/checkout@v4
                  - name: Test
                    run: make test
            """);

        Assert.Equal(["release.yml:4", "release.yml:9", "release.yml:12"], problems.Select(p => p[..p.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Fact]
    public void Problems_of_a_matrix_are_listed_once() => Assert.Single(Reading.JobProblems("strategy: { matrix: { a: [1, 2, 3] } }\nrun: echo ${{ inputs.x }}"));

    [Fact]
    public void A_json_file_has_lines_too() => Assert.Equal(
        ["n.json:4: jobs.a.runs: not supported; did you mean run?", "n.json:4: jobs.a: has nothing to do: write run, or steps with at least one entry"],
        Reading.Problems("{\"name\": \"n\",\n \"on\": [\"push\"],\n \"jobs\": {\n  \"a\": {\"runs\": \"x\"}}}", "n.json"));
}
