using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class JsonFileTests
{
    [Fact]
    public void A_json_file_has_the_same_fields()
    {
        var file = Reading.Good(
            """
            {
              "name": "Release", "on": { "push": {}, "workflow_dispatch": null }, "env": { "CHANNEL": "it's" },
              "jobs": {
                "compile": { "run": "make", "retries": 1, "timeout": 60, "if": "always()" },
                "publish": {
                  "name": "Publish it", "needs": ["compile"], "labels": ["linux"],
                  "steps": [ { "id": "sign", "run": "./sign\n./check", "env": { "KEY": "k1" } } ]
                }
              }
            }
            """, "release.json");

        Assert.Equal(("release", "Release", "on: [push, workflow_dispatch]"), (file.Id, file.Name, file.Trigger));
        Assert.Equal(@"export CHANNEL='it'\''s' && make", file.Jobs[0].Command);
        Assert.Equal((1, 60_000, "always"), (file.Jobs[0].Retry.Max, file.Jobs[0].TimeoutMs, file.Jobs[0].When));
        Assert.Equal(
            "export CHANNEL='it'\\''s' && export KEY='k1' && echo '=== sign ===' && eval './sign\n./check'",
            file.Jobs[1].Command);
        Assert.Equal(["compile"], file.Jobs[1].DependsOn);
        Assert.Equal(["linux"], file.Jobs[1].RequiredLabels);
    }

    [Fact]
    public void Numbers_and_booleans_are_taken_as_text_where_text_is_expected()
    {
        var file = Reading.Good(
            """{"name":1.10,"on":["push",true],"env":{"A":1e3,"B":false,"C":null},"jobs":{"a":{"name":true,"run":5,"labels":[64]}}}""", "n.json");

        Assert.Equal(("1.10", "on: [push, true]"), (file.Name, file.Trigger));
        Assert.Equal(("true", "export A='1e3' && export B='false' && export C='' && 5"), (file.Jobs[0].Name, file.Jobs[0].Command));
        Assert.Equal(["64"], file.Jobs[0].RequiredLabels);
    }

    [Fact]
    public void Null_counts_as_absent()
    {
        var file = Reading.Good("""{"name":"n","on":"push","env":null,"jobs":{"a":{"run":"x","steps":null,"needs":null,"retries":null}}}""", "n.json");

        Assert.Equal("x", file.Jobs[0].Command);
    }

    [Fact]
    public void A_key_that_comes_twice_has_its_last_value_in_its_first_place()
    {
        var file = Reading.Good("""{"name":"n","on":"push","jobs":{"a":5,"b":{"run":"b"},"a":{"run":"new"}}}""", "n.json");

        Assert.Equal([("a", "new"), ("b", "b")], file.Jobs.Select(j => (j.Id, j.Command)));
    }

    [Fact]
    public void A_merge_key_is_an_ordinary_key()
    {
        var file = Reading.Good("""{"name":"n","on":"push","jobs":{"<<":{"run":"b"}}}""", "n.json");

        Assert.Equal("<<", Assert.Single(file.Jobs).Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("name: n\non: push\njobs: {}")]
    [InlineData("{} {}")]
    [InlineData("""{"name":"n",}""")]
    [InlineData("""{"name":"n"} // comment""")]
    [InlineData("""{"name":"\ud800"}""")]
    [InlineData("""{"\udc00":1}""")]
    [InlineData("""{"name":"a\u0000"}""")]
    public void A_text_that_is_not_json_is_refused(string text) =>
        Assert.Contains(": is not readable JSON: ", Assert.Single(Reading.Problems(text, "n.json")), StringComparison.Ordinal);

    // Not in the list above: an attribute's text cannot hold half a pair.
    [Fact]
    public void Half_a_surrogate_pair_is_refused() =>
        Assert.StartsWith(
            "n.json: is not readable JSON: ", Assert.Single(Reading.Problems($"{{\"name\":\"{'\uD800'}\"}}", "n.json")), StringComparison.Ordinal);

    [Fact]
    public void Nesting_is_bounded() =>
        Assert.Contains("depth", Assert.Single(Reading.Problems(new string('[', 100_000), "n.json")), StringComparison.Ordinal);

    [Theory]
    [InlineData("null", "n.json: must be a mapping with name, on and jobs, not nothing")]
    [InlineData("""{"name":"n","on":5,"jobs":{}}""", "n.json:1: on: must be text, a list of texts or a mapping, not the number 5")]
    [InlineData("""{"name":"n","on":"p","jobs":[]}""", "n.json:1: jobs: must be a mapping, not a list")]
    [InlineData("""{"name":"n","on":"p","jobs":{"a":{"run":"x","retries":"1"}}}""", "n.json:1: jobs.a.retries: must be a whole number, not text")]
    [InlineData("""{"name":"n","on":"p","jobs":{"a":{"run":"x","labels":"linux"}}}""", "n.json:1: jobs.a.labels: must be a list of texts, not text")]
    public void Problems_read_as_in_yaml(string text, string expected) =>
        Assert.Equal([expected], Reading.Problems(text, "n.json"));
}
