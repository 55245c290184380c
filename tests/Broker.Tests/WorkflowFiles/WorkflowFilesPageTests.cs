using System.Text.RegularExpressions;
using Broker.Testing;
using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

/// <summary>docs/workflow-files.md names every key, and its examples are sound.</summary>
public sealed partial class WorkflowFilesPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(RepositoryLayout.Root, "docs", "workflow-files.md"));

    [Fact]
    public void Every_example_is_a_sound_file()
    {
        var examples = Example().Matches(Page).Select(match => match.Groups["text"].Value).Where(text => text.StartsWith("name:", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(examples);
        Assert.All(examples, text => Reading.Good(text));
    }

    [Fact]
    public void The_tables_have_the_keys_of_the_reader()
    {
        Assert.Equal(KnownKeys.Workflow.All.Order(), Rows("file"));
        Assert.Equal(KnownKeys.Input.All.Order(), Rows("input"));
        Assert.Equal(KnownKeys.Job.All.Order(), Rows("job"));
        Assert.Equal(KnownKeys.Step.All.Order(), Rows("step"));
    }

    private static IEnumerable<string> Rows(string owner)
    {
        var table = Page[Page.IndexOf(owner == "input" ? "| of an input |" : $"| of a {owner} |", StringComparison.Ordinal)..];
        return table[..table.IndexOf("\n\n", StringComparison.Ordinal)].Split('\n').Skip(2)
            .SelectMany(row => Key().Matches(row.Split('|')[1]).Select(match => match.Groups["key"].Value)).Order();
    }

    [GeneratedRegex("```yaml\\n(?<text>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Example();

    [GeneratedRegex("`(?<key>[^`]+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Key();
}
