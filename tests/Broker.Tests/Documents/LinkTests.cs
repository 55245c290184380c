using System.Text.RegularExpressions;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Documents;

/// <summary>Checks that the targets of pages exist: files, and the tests that prove a guarantee.</summary>
public sealed partial class LinkTests
{
    [Fact]
    public void Each_link_of_a_page_leads_to_a_file()
    {
        var broken = Page.Read().SelectMany(page => Link().Matches(page.Text).Select(link => (page.Path, Target: link.Groups["target"].Value)))
            .Where(link => !link.Target.Contains("://", StringComparison.Ordinal) && !Path.Exists(TargetOf(link.Path, link.Target)))
            .Select(link => $"{link.Path}: {link.Target}");
        Assert.Empty(broken);
    }

    [Fact]
    public void Each_test_that_the_guarantees_name_exists()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(RepositoryLayout.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText).ToList();
        var names = TestName().Matches(new Page("docs/guarantees.md").Text).SelectMany(name => new[] { name.Groups["class"], name.Groups["method"] })
            .Where(name => name.Length > 0).Select(name => name.Value).Distinct().ToList();

        Assert.NotEmpty(names);
        Assert.DoesNotContain(names, name => !sources.Exists(source => Declares(source, name)));
    }

    private static bool Declares(string source, string name) => Regex.IsMatch(source, $@"\bclass {name}\b|\b{name}\(");

    private static string TargetOf(string page, string target) => target.Split('#')[0] is { Length: > 0 } file
        ? Path.Combine(RepositoryLayout.Root, Path.GetDirectoryName(page)!, file)
        : Path.Combine(RepositoryLayout.Root, page);

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    // `Folder.ClassTests.Method`, `ClassSuite`, or `.Method` of the class before.
    [GeneratedRegex(@"`(?:\w+\.)?(?<class>\w+(?:Tests|Suite|Conformance|Properties))?(?:\.(?<method>[A-Z]\w*_\w+))?`")]
    private static partial Regex TestName();
}
