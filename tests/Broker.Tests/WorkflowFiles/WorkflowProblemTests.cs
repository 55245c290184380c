using System.Diagnostics;
using System.Globalization;
using System.Text;
using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class WorkflowProblemTests
{
    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    [InlineData("---\n")]
    public void A_file_without_content_says_what_belongs_there(string text) =>
        Assert.Equal(["release.yml: must be a mapping with name, on and jobs, not nothing"], Reading.Problems(text));

    [Fact]
    public void A_list_at_the_top_is_refused() =>
        Assert.Equal(["release.yml: must be a mapping with name, on and jobs, not a list"], Reading.Problems("- a\n"));

    [Fact]
    public void Every_missing_member_is_listed()
    {
        string[] missing =
        [
            "release.yml: name: is missing",
            "release.yml: on: is missing",
            "release.yml: jobs: is missing; write {} for none",
        ];

        Assert.Equal(missing, Reading.Problems("env: {}\n"));
        Assert.Equal(
            ["release.yml:1: name: is missing", "release.yml:2: on: is missing", "release.yml:3: jobs: is missing; write {} for none"],
            Reading.Problems("name:\non: ~\njobs: null\n"));
    }

    [Theory]
    [InlineData("name: [a]", "name: must be text, not a list")]
    [InlineData("on: 5", "on: must be text, a list of texts or a mapping, not the number 5")]
    [InlineData("on: true", "on: must be text, a list of texts or a mapping, not the boolean true")]
    [InlineData("on: [push, {}]", "on: entry 2 must be text, not a mapping")]
    [InlineData("env: [A]", "env: must be a mapping, not a list")]
    [InlineData("env: { A: [1] }", "env.A: must be text, not a list")]
    [InlineData("jobs: []", "jobs: must be a mapping, not a list")]
    [InlineData("jobs: text", "jobs: must be a mapping, not text")]
    [InlineData("jobs: { a: }", "jobs.a: must be a mapping, not nothing")]
    [InlineData("jobs: { a: make }", "jobs.a: must be a mapping, not text")]
    [InlineData("jobs: { '': { run: x } }", "jobs: holds a job with an empty key")]
    public void A_wrong_type_names_its_field(string line, string expected) =>
        Assert.Equal([$"release.yml:4: {expected}"], Reading.Problems($"name: n\non: push\njobs: {{}}\n{line}\n"));

    [Theory]
    [InlineData("''")]
    [InlineData("1X")]
    [InlineData("my.setting")]
    [InlineData("A-B")]
    [InlineData("'A B'")]
    [InlineData("'A=B'")]
    [InlineData("'A;touch'")]
    [InlineData("Ä")]
    [InlineData("'A\u0009'")]
    public void A_name_that_a_shell_cannot_set_is_refused_with_its_place(string name)
    {
        var said = $"holds the name '{name.Trim('\'')}', which a shell cannot set: write letters, digits and _, and no digit first";
        var env = $"env: {{ {name}: v, A_1: v, _b: v }}";

        Assert.Equal([$"release.yml:4: env: {said}"], Reading.Problems($"name: n\non: push\njobs: {{}}\n{env}\n"));
        Assert.Equal([$"release.yml:6: jobs.only.env: {said}"], Reading.JobProblems($"run: x\n{env}"));
        Assert.Equal([$"release.yml:7: jobs.only.steps[1].env: {said}"], Reading.JobProblems($"steps:\n  - run: x\n  - {{ run: y, {env} }}"));
    }

    [Theory]
    [InlineData("name: {}", "name: must be text, not a mapping")]
    [InlineData("run: [a]", "run: must be text, not a list")]
    [InlineData("needs: {}", "needs: must be text or a list of texts, not a mapping")]
    [InlineData("needs: [[a]]", "needs: entry 1 must be text, not a list")]
    [InlineData("labels: linux", "labels: must be a list of texts, not text")]
    [InlineData("labels: [linux, ~]", "labels: entry 2 must be text, not nothing")]
    [InlineData("retries: -1", "retries: must be from 0 to 2147483647, not -1")]
    [InlineData("retries: 99999999999", "retries: must be from 0 to 2147483647, not 99999999999")]
    [InlineData("retries: 1.5", "retries: must be a whole number, not the number 1.5")]
    [InlineData("retries: many", "retries: must be a whole number, not text")]
    [InlineData("retries: true", "retries: must be a whole number, not the boolean true")]
    [InlineData("timeout: 5m", "timeout: must be a whole number, not text")]
    [InlineData("timeout: [5]", "timeout: must be a whole number, not a list")]
    [InlineData("if: []", "if: must be text, not a list")]
    [InlineData("env: text", "env: must be a mapping, not text")]
    [InlineData("env: { A: {} }", "env.A: must be text, not a mapping")]
    [InlineData("steps: make", "steps: must be a list, not text")]
    [InlineData("steps: [ { run: x }, make ]", "steps[1]: must be a mapping, not text")]
    [InlineData("steps: [ { run: [] } ]", "steps[0].run: must be text, not a list")]
    [InlineData("steps: [ { name: [] } ]", "steps[0].name: must be text, not a list")]
    [InlineData("steps: [ { id: [] } ]", "steps[0].id: must be text, not a list")]
    [InlineData("steps: [ { if: [] } ]", "steps[0].if: must be text, not a list")]
    [InlineData("steps: [ { env: [] } ]", "steps[0].env: must be a mapping, not a list")]
    [InlineData("steps: [ { env: { A: [] } } ]", "steps[0].env.A: must be text, not a list")]
    public void A_wrong_type_in_a_job_names_job_and_field(string line, string expected) =>
        Assert.Equal([$"release.yml:6: jobs.only.{expected}"], Reading.JobProblems($"run: make\n{line}"));

    [Theory]
    [InlineData("name: x")]
    [InlineData("run:")]
    [InlineData("steps: []")]
    public void A_job_with_nothing_to_do_is_refused(string body) =>
        Assert.Equal(
            ["release.yml:4: jobs.only: has nothing to do: write run, or steps with at least one entry"],
            Reading.JobProblems(body));

    [Fact]
    public void A_need_that_is_not_there_names_both_jobs() =>
        Assert.Equal(
            ["release.yml:6: jobs.only.needs: 'only' needs 'tset', and this file has no such job"],
            Reading.JobProblems("run: x\nneeds: tset"));

    [Fact]
    public void A_job_with_problems_is_still_there_to_be_needed() =>
        Assert.Equal(
            ["release.yml:3: jobs.a: must be a mapping, not text"],
            Reading.Problems("name: n\non: push\njobs: { a: text, b: { run: x, needs: a } }"));

    [Theory]
    [InlineData("a: { run: x, needs: a }", "jobs.a.needs: a cycle, in which no job could start: a → a")]
    [InlineData(
        "z: { run: x, needs: b }, a: { run: x, needs: [ok, c] }, b: { run: x, needs: a }, c: { run: x, needs: b }, ok: { run: x }",
        "jobs.b.needs: a cycle, in which no job could start: b → a → c → b")]
    public void A_cycle_is_refused_and_named(string jobs, string expected) =>
        Assert.Equal([$"release.yml:3: {expected}"], Reading.Problems($"name: n\non: push\njobs: {{ {jobs} }}"));

    [Fact]
    public void Cycles_that_share_no_job_are_all_named()
    {
        var problems = Reading.Problems("""
            name: n
            on: push
            jobs:
              a: { run: x, needs: [c, b] }
              b: { run: x, needs: a }
              c: { run: x, needs: d }
              d: { run: x, needs: c }
              after: { run: x, needs: [a, d] }
            """);

        Assert.Equal(2, problems.Length);
        Assert.EndsWith("a → b → a", problems[0], StringComparison.Ordinal);
        Assert.EndsWith("c → d → c", problems[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_problem_of_a_file_is_listed()
    {
        var problems = Reading.Problems("""
            on: 7
            env: { A: [] }
            jobs:
              a: { labels: linux, retries: -2 }
              b: { run: x, needs: [a, gone] }
              c: { run: x, needs: c }
            """);

        Assert.Equal(
            [
                "release.yml: name: is missing",
                "release.yml:1: on: must be text, a list of texts or a mapping, not the number 7",
                "release.yml:2: env.A: must be text, not a list",
                "release.yml:4: jobs.a: has nothing to do: write run, or steps with at least one entry",
                "release.yml:4: jobs.a.labels: must be a list of texts, not text",
                "release.yml:4: jobs.a.retries: must be from 0 to 2147483647, not -2",
                "release.yml:5: jobs.b.needs: 'b' needs 'gone', and this file has no such job",
                "release.yml:6: jobs.c.needs: a cycle, in which no job could start: c → c",
            ],
            problems);
    }

    [Fact]
    public void A_file_beyond_the_size_limit_is_refused()
    {
        var problem = Assert.Single(Reading.Problems(new string('#', WorkflowFileReader.MaxCharacters + 1)));

        Assert.Equal("release.yml: is longer than 1048576 characters", problem);
    }

    [Fact]
    public void Commands_that_multiply_the_environment_are_refused()
    {
        var text = new StringBuilder("name: n\non: push\nenv: { A: ").Append('x', 500_000).Append(" }\njobs:\n");
        for (var i = 0; i < 40; i++) text.Append(CultureInfo.InvariantCulture, $"  j{i}: {{ run: x }}\n");

        Assert.EndsWith("add up to more than 16777216 characters", Assert.Single(Reading.Problems(text.ToString())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$(", " ${{ env.A }}")]
    [InlineData("${A:-", "'${{ env.A }}")]
    [InlineData("`\"", "${{ env.A }}")]
    [InlineData("<<A ", "${{ env.A }}\n")]
    [InlineData("${{ '", "${{ env.A }}")]
    public void A_hostile_text_of_references_is_judged_in_seconds(string opening, string reference)
    {
        var run = string.Concat(Enumerable.Repeat(opening, 80_000)) + string.Concat(Enumerable.Repeat(reference, 25_000));
        var started = Stopwatch.GetTimestamp();

        WorkflowFileReader.Read("r.yml", $"name: n\non: push\njobs: {{ a: {{ run: {System.Text.Json.JsonSerializer.Serialize(run)} }} }}");

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void Many_computed_variables_in_many_jobs_are_read_in_seconds()
    {
        var text = new StringBuilder("name: n\non: push\nenv:\n");
        for (var i = 0; i < 20_000; i++) text.Append(CultureInfo.InvariantCulture, $"  A{i}: ${{{{ env.B }}}}\n");
        text.Append("jobs:\n");
        for (var i = 0; i < 10_000; i++) text.Append(CultureInfo.InvariantCulture, $"  j{i}: {{ steps: [ {{ run: x }} ] }}\n");
        var started = Stopwatch.GetTimestamp();

        Assert.EndsWith("add up to more than 16777216 characters", Assert.Single(Reading.Problems(text.ToString())), StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void A_chain_of_many_thousand_jobs_is_followed_without_recursion()
    {
        const int jobs = 20_000;
        var text = new StringBuilder("{\"name\":\"n\",\"on\":\"push\",\"jobs\":{\"0\":{\"run\":\"x\"}");
        for (var i = 1; i < jobs; i++) text.Append(CultureInfo.InvariantCulture, $",\"{i}\":{{\"run\":\"x\",\"needs\":\"{i - 1}\"}}");

        Assert.Equal(jobs, Reading.Good(text.Append("}}").ToString(), "chain.json").Jobs.Count);
    }
}
