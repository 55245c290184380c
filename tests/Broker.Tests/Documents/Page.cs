using System.Text.RegularExpressions;
using Broker.Testing;

namespace Broker.Tests.Documents;

/// <summary>A fenced block of commands, and the output that the page shows below it; null: none.</summary>
internal sealed record CommandBlock(string Commands, string? Output)
{
    public string FirstLine { get; } = Commands[..Commands.IndexOf('\n', StringComparison.Ordinal)];
}

/// <summary>A Markdown page of the repository.</summary>
internal sealed partial class Page(string path)
{
    private static readonly string[] Shells = ["sh", "bash", "console", "shell"];

    /// <summary>Path below the repository's root.</summary>
    public string Path { get; } = path;

    public string Text { get; } = File.ReadAllText(System.IO.Path.Combine(RepositoryLayout.Root, path));

    /// <summary>Every page at the root, under docs and beside the sources.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Directory.EnumerateFiles(RepositoryLayout.Root, "*.md"),
        .. Directory.EnumerateFiles(System.IO.Path.Combine(RepositoryLayout.Root, "docs"), "*.md", SearchOption.AllDirectories),
        .. Directory.EnumerateDirectories(System.IO.Path.Combine(RepositoryLayout.Root, "src")).SelectMany(project => Directory.EnumerateFiles(project, "*.md")),
    ];

    public static IEnumerable<Page> Read() => All.Select(path => new Page(System.IO.Path.GetRelativePath(RepositoryLayout.Root, path)));

    /// <summary>The page's blocks of shell commands. A block without a language that follows at once is the output of one.</summary>
    public IEnumerable<CommandBlock> Blocks() => Fence().Matches(Text)
        .Where(block => Shells.Contains(block.Groups["language"].Value))
        .Select(block => new CommandBlock(block.Groups["commands"].Value, block.Groups["output"] is { Success: true } output ? output.Value : null));

    [GeneratedRegex(@"^```(?<language>\w*)\n(?<commands>.*?\n)```\n(?:```\n(?<output>.*?\n)```\n)?", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
