using System.Globalization;
using System.Text;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class YamlFileTests
{
    [Theory]
    [InlineData("on: push")]
    [InlineData("\"on\": push")]
    [InlineData("'on': push")]
    [InlineData("? on\n: push")]
    public void On_is_a_word_and_no_boolean(string line) =>
        Assert.Equal("on: push", Reading.Good($"name: n\n{line}\njobs: {{}}").Trigger);

    [Fact]
    public void The_key_true_is_not_the_key_on() =>
        Assert.Equal(
            ["release.yml: on: is missing", "release.yml:2: true: not supported; a file has name, on, inputs, env, defaults, jobs"],
            Reading.Problems("name: n\ntrue: push\njobs: {}"));

    [Fact]
    public void Scalars_where_text_is_expected_are_taken_as_they_are_written()
    {
        var file = Reading.Good("""
            name: 5
            on: [true, 1.10]
            env: { A: 1.0, B: true, C: 0x1F, D: 010, E: no, F: 2024-01-02, G: , H: ~, I: 1e3, J: null, K: '~' }
            jobs:
              2024-01-02: { name: 007, run: 5, labels: [1, true], if: true }
              true: { run: true, needs: 2024-01-02 }
            """);

        Assert.Equal("5", file.Name);
        Assert.Equal("on: [true, 1.10]", file.Trigger);
        Assert.Equal(["2024-01-02", "true"], file.Jobs.Select(j => j.Id));
        Assert.Equal(("007", "true"), (file.Jobs[0].Name, file.Jobs[0].When));
        Assert.Equal(["1", "true"], file.Jobs[0].RequiredLabels);
        Assert.Equal(["2024-01-02"], file.Jobs[1].DependsOn);
        Assert.Equal(
            "export A='1.0' && export B='true' && export C='0x1F' && export D='010' && export E='no' && export F='2024-01-02'"
            + " && export G='' && export H='' && export I='1e3' && export J='' && export K='~' && true",
            file.Jobs[1].Command);
    }

    [Fact]
    public void Quoting_makes_text_of_numbers_and_of_nothing()
    {
        Assert.Equal("", Reading.Good("name: ''\non: push\njobs: {}").Name);
        Assert.Equal("~", Reading.Good("name: !!str ~\non: push\njobs: {}").Name);
        Assert.Contains("retries: must be a whole number, not text", Assert.Single(Reading.JobProblems("run: x\nretries: '3'")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run: |\n  a\n  b\n", "a\nb")]
    [InlineData("run: |+\n  a\n\n\n", "a")]
    [InlineData("run: |2\n    a\n  b\n", "a\nb")]
    [InlineData("run: >\n  a\n  b\n\n  c\n", "a b\nc")]
    [InlineData("run: \"a\\nb\"", "a\nb")]
    [InlineData("run: |\n  if x; then\n    y # why\n  fi\n", "if x; then\n  y # why\nfi")]
    public void Block_scalars_keep_their_inner_lines(string body, string command) =>
        Assert.Equal(command, Reading.Job(body).Command);

    [Fact]
    public void Windows_line_endings_and_a_byte_order_mark_are_understood()
    {
        var file = Reading.Good("\uFEFFname: n\r\non: push\r\njobs:\r\n  a:\r\n    run: |\r\n      one\r\n      two\r\n");

        Assert.Equal("one\ntwo", file.Jobs[0].Command);
    }

    [Fact]
    public void A_key_that_comes_twice_has_its_last_value_in_its_first_place()
    {
        var file = Reading.Good("""
            name: first
            name: last
            on: push
            jobs:
              a: { run: old, labels: broken }
              b: { run: b, run: c }
              a: { run: new }
            """);

        Assert.Equal("last", file.Name);
        Assert.Equal([("a", "new"), ("b", "c")], file.Jobs.Select(j => (j.Id, j.Command)));
    }

    [Fact]
    public void Aliases_and_merge_keys_share_what_jobs_have_in_common()
    {
        var file = Reading.Good("""
            name: n
            on: push
            x-common: &common { labels: [linux], retries: 2, run: base }
            x-other: &other { retries: 9, timeout: 5 }
            jobs:
              a: *common
              b: { run: own, <<: *common }
              c: { <<: [*common, *other], run: own, retries: 0 }
            """);

        Assert.Equal(["base", "own", "own"], file.Jobs.Select(j => j.Command));
        Assert.Equal([2, 2, 0], file.Jobs.Select(j => j.Retry.Max));
        Assert.Equal([null, null, 5000], file.Jobs.Select(j => j.TimeoutMs));
        Assert.All(file.Jobs, j => Assert.Equal(["linux"], j.RequiredLabels));
    }

    [Fact]
    public void A_quoted_merge_key_is_a_key_like_any_other() => Assert.StartsWith(
        "release.yml:5: jobs.only.<<: not supported", Assert.Single(Reading.JobProblems("\"<<\": { run: x }\nrun: y")), StringComparison.Ordinal);

    [Fact]
    public void A_merge_key_can_bring_jobs_in_its_place()
    {
        var file = Reading.Good("name: n\non: push\nx-x: &x { b: { run: b }, c: { run: c } }\njobs: { a: { run: a }, <<: *x, d: { run: d }, c: { run: own } }");

        Assert.Equal([("a", "a"), ("b", "b"), ("c", "own"), ("d", "d")], file.Jobs.Select(j => (j.Id, j.Command)));
    }

    [Theory]
    [InlineData("name: [", "release.yml:2: is not readable YAML: column ")]
    [InlineData("name: 'x", "release.yml:1: is not readable YAML: column 7")]
    [InlineData("name: n\n\ton: push", "release.yml:1: is not readable YAML: column ")]
    [InlineData("a: b: c", "release.yml:1: is not readable YAML: column ")]
    [InlineData("name: \"\\ud800\"", "release.yml:1: is not readable YAML: column ")]
    [InlineData("name: \"a\\0\"", "holds a NUL character")]
    [InlineData("name: *gone", "the alias *gone has no complete anchor before it")]
    [InlineData("a: &a [ *a ]", "the alias *a has no complete anchor before it")]
    [InlineData("{ [a, b]: c }", "release.yml:1: is not readable YAML: column 3: a key must be plain text, not a list or a mapping")]
    [InlineData("<<: text", "<< merges a mapping or a list of mappings, not text")]
    [InlineData("<<: [ {}, 5 ]", "<< merges a mapping or a list of mappings, not the number 5")]
    [InlineData("name: a\n---\nname: b\n", "release.yml:2: is not readable YAML: column 1: a second document begins here, and a file holds one workflow")]
    [InlineData("name: [a\nb: |\n", "release.yml:1: is not readable YAML: column ")]
    [InlineData("...\n...\n...\n", "is not readable YAML: column")]
    [InlineData("name: !<a b> x", "release.yml:1: is not readable YAML: column ")]
    [InlineData("%YAML 9.0\n---\nname: a", "release.yml:1: is not readable YAML: column ")]
    public void A_problem_of_unreadable_text_names_its_place(string text, string expected)
    {
        var problem = Assert.Single(Reading.Problems(text));

        Assert.Contains(": is not readable YAML: column ", problem, StringComparison.Ordinal);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    public void Nesting_is_bounded(string opening)
    {
        var problem = Assert.Single(Reading.Problems(string.Concat(Enumerable.Repeat(opening, 100_000))));

        Assert.Contains("release.yml:1: is not readable YAML: column ", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void An_alias_bomb_is_refused()
    {
        var text = new StringBuilder("a0: &a0 [lol, lol, lol]\n");
        for (var i = 1; i < 40; i++) text.Append(CultureInfo.InvariantCulture, $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n");

        Assert.Contains("aliases repeat more than 1048576 characters", Assert.Single(Reading.Problems(text.ToString())), StringComparison.Ordinal);
    }

    [Fact]
    public void A_merge_bomb_is_refused()
    {
        var text = new StringBuilder("x-base: &base {");
        for (var i = 0; i < 10_000; i++) text.Append(CultureInfo.InvariantCulture, $"k{i}: v,");

        text.Append("}\nname: n\non: push\njobs:\n");
        for (var i = 0; i < 10_000; i++) text.Append(CultureInfo.InvariantCulture, $"  j{i}: {{ run: x, env: {{ <<: *base }} }}\n");

        Assert.Contains("aliases repeat more than", Assert.Single(Reading.Problems(text.ToString())), StringComparison.Ordinal);
    }
}
