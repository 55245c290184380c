using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class JobMatrixTests
{
    [Fact]
    public void Every_combination_is_a_job_and_needs_join_them_all()
    {
        var file = Reading.Good("""
            name: n
            on: push
            jobs:
              test:
                name: Test ${{ matrix.py }}
                runs-on: ${{ matrix.os }}
                strategy: { fail-fast: false, matrix: { py: [3.10, 3.11], os: [linux, arm], include: [ { odd: false }, { py: 3.11, odd: true } ] } }
                continue-on-error: ${{ matrix.odd }}
                if: matrix.os == 'linux' || inputs.all
                env: { PY: '${{ matrix.py }}' }
                steps:
                  - { name: 'On ${{ matrix.os }}', run: "echo '${{ matrix.py }}'" }
              ship: { needs: test, run: ship }
            inputs: { all: { type: boolean } }
            """);

        Assert.Equal(["test (3.10, linux)", "test (3.10, arm)", "test (3.11, linux)", "test (3.11, arm)", "ship"], file.Jobs.Select(j => j.Id));
        Assert.Equal(file.Jobs.Take(4).Select(j => j.Id), file.Jobs[4].DependsOn);
        Assert.Equal(("Test 3.10", "'arm' == 'linux' || inputs.all"), (file.Jobs[1].Name, file.Jobs[1].When));
        Assert.Equal([false, false, true, true, false], file.Jobs.Select(j => j.IsOptional));
        Assert.Equal(["arm"], file.Jobs[1].RequiredLabels);
        Assert.Equal("export PY='3.10' && echo '=== On arm ===' && echo '3.10'", file.Jobs[1].Command);
    }

    [Theory]
    [InlineData("fail-fast: true, ", "only")]
    [InlineData("fail-fast: false, ", null)]
    [InlineData("", null)]
    public void Jobs_of_a_matrix_fail_together_where_the_file_says_so(string key, string? group) => Assert.Equal(
        [group, group], Reading.Good($"name: n\non: push\njobs: {{ only: {{ run: x, strategy: {{ {key}matrix: {{ a: [1, 2] }} }} }} }}").Jobs.Select(job => job.FailFast));

    [Theory]
    [InlineData("{ a: [1, 2], b: [x, y], exclude: [ { a: 1, b: x }, { b: y, a: 2 } ] }", new[] { "1, y", "2, x" })]
    [InlineData("{ a: [1, 2], exclude: [ { a: 1 } ], include: [ { a: 3 } ] }", new[] { "2", "3" })]
    [InlineData("{ include: [ { a: 1, b: x }, { a: 2 } ] }", new[] { "1, x", "2" })]
    [InlineData("{ a: [1, 2], include: [ { color: red }, { a: 2, color: blue }, { a: 3, b: x } ] }", new[] { "1", "2", "3" })]
    public void Entries_are_excluded_and_included(string matrix, string[] expected) =>
        Assert.Equal(expected.Select(values => $"only ({values})"), Jobs(matrix, "x").Select(j => j.Id));

    [Fact]
    public void An_included_entry_adds_its_values_to_the_combinations_that_it_does_not_change() => Assert.Equal(
        ["1 red", "2 blue"], Jobs("{ a: [1, 2], include: [ { color: red }, { a: 2, color: blue } ] }", "${{ matrix.a }} ${{ matrix.color }}").Select(j => j.Command));

    [Theory]
    [InlineData("{ a: [] }", "matrix.a: must be a list of at least one value")]
    [InlineData("{ a: x }", "matrix.a: must be a list of texts, not text")]
    [InlineData("{ a: [ { b: 1 } ] }", "matrix.a: entry 1 must be text, not a mapping")]
    [InlineData("{ a: [1, 1] }", "matrix: makes 'only (1)' twice")]
    [InlineData("{ a: [1], exclude: [ { a: 1 } ] }", "matrix: makes no job")]
    [InlineData("{}", "matrix: makes no job")]
    [InlineData("{ include: [ 5 ] }", "matrix.include[0]: must be a mapping, not the number 5")]
    [InlineData("'${{ x }}'", "matrix: must be a mapping, not text")]
    public void A_matrix_that_makes_no_sound_jobs_is_refused(string matrix, string expected)
    {
        var problems = Reading.JobProblems($"run: x\nstrategy: {{ matrix: {matrix} }}");

        Assert.Contains($"release.yml:6: jobs.only.strategy.{expected}", problems);
    }

    [Fact]
    public void A_matrix_has_at_most_256_jobs()
    {
        var axis = string.Join(", ", Enumerable.Range(0, 257));
        var hundred = string.Join(", ", Enumerable.Range(0, 100));

        Assert.Equal(256, Jobs($"{{ a: [{string.Join(", ", Enumerable.Range(0, 256))}] }}", "x").Count);
        Assert.EndsWith("makes more than 256 jobs", Assert.Single(Reading.JobProblems($"run: x\nstrategy: {{ matrix: {{ a: [{axis}] }} }}")), StringComparison.Ordinal);
        Assert.EndsWith(
            "makes more than 256 jobs",
            Assert.Single(Reading.JobProblems($"run: x\nstrategy: {{ matrix: {{ a: [{hundred}], b: [{hundred}], c: [{hundred}], d: [{hundred}], e: [{hundred}], f: [{hundred}] }} }}")), StringComparison.Ordinal);
    }

    [Fact]
    public void One_job_of_a_matrix_is_read_by_its_id()
    {
        const string file = "name: n\non: push\njobs:\n  t: { run: x, strategy: { matrix: { a: [1, 2] } } }\n  u: { needs: t, run: \"echo ${{ needs.t.outputs.v }}\" }";

        Assert.Equal(
            ["release.yml:5: jobs.u.run: ${{ needs.t.outputs.v }}: 't' is a matrix of 2 jobs; name one of them: needs['t (1)']"], Reading.Problems(file));
        Assert.Equal([("NEEDS_T__1__V", "t (1)", "v")], Reading.Good(file.Replace("needs.t.", "needs['t (1)'].", StringComparison.Ordinal)).Jobs[2].Upstream);
    }

    private static IReadOnlyList<Broker.WorkflowFiles.JobDocument> Jobs(string matrix, string run) =>
        Reading.Good($"name: n\non: push\njobs:\n  only:\n    run: \"{run}\"\n    strategy: {{ matrix: {matrix} }}").Jobs;
}
