using System.Text.RegularExpressions;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.Documents;

/// <summary>Holds comments, test names and pages against the rules for words in CONTRIBUTING.md.</summary>
public sealed partial class WordsTests
{
    private const int MostWords = 25;

    private static readonly string[] Sources =
    [
        .. new[] { "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(RepositoryLayout.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(RepositoryLayout.Root, file))
            .Where(file => !Generated().IsMatch(file))
            .Order(StringComparer.Ordinal),
    ];

    [Fact]
    public void Sentences_of_comments_have_a_named_subject_and_at_most_25_words() => Assert.Empty(
        from file in Sources
        from comment in Comments(Read(file))
        from sentence in Sentences(comment)
        let fault = FaultOf(sentence)
        where fault is not null
        select $"{file}: {fault}: {sentence}");

    [Fact]
    public void Names_of_tests_have_a_named_subject() => Assert.Empty(
        from file in Sources
        from name in TestName().Matches(Read(file)).Select(match => match.Groups["name"].Value.Replace('_', ' '))
        where People().IsMatch(name) || Riddle().IsMatch(name)
        select $"{file}: {name}");

    [Fact]
    public void Pages_name_no_unknown_people() => Assert.Empty(
        from page in Page.Read()
        from Match word in Nobody().Matches(page.Text)
        select $"{page.Path}: {word.Value}");

    [Theory]
    [InlineData("Nobody has collected it.", "names people")]
    [InlineData("The client is told of the end.", "names people")]
    [InlineData("What is left is removed.", "has no subject")]
    [InlineData("A lease that has expired is collected by the reaper.", null)]
    [InlineData("a b c d e f g h i j k l m n o p q r s t u v w x y z", "has 26 words")]
    public void A_faulty_sentence_is_found(string sentence, string? fault) => Assert.Equal(fault, FaultOf(sentence));

    [Fact]
    public void A_comment_of_several_lines_is_read_as_one() => Assert.Equal(
        ["One fact", "A second fact, see Held"],
        Comments("    // One\n    // fact. A second fact,\n    // see <see cref=\"Lease.Held\"/>.\n    var a = 1;\n").SelectMany(Sentences));

    private static string? FaultOf(string sentence)
    {
        var words = sentence.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        if (words > MostWords) return $"has {words} words";
        if (People().IsMatch(sentence)) return "names people";
        return Riddle().IsMatch(sentence) ? "has no subject" : null;
    }

    private static IEnumerable<string> Comments(string source) =>
        CommentBlock().Matches(source).Select(block => Plain(Blank().Replace(LineStart().Replace(block.Value, ""), " ")));

    private static IEnumerable<string> Sentences(string comment) =>
        SentenceEnd().Split(comment).Select(sentence => sentence.Trim(' ', '.')).Where(sentence => sentence.Length > 0);

    // References are one word each, code is one word, and other tags end a sentence.
    private static string Plain(string comment) =>
        Tag().Replace(Code().Replace(Reference().Replace(comment, "$1"), code => code.Groups["code"].Value.Replace(' ', '_')), ". ");

    private static string Read(string file) => File.ReadAllText(Path.Combine(RepositoryLayout.Root, file));

    [GeneratedRegex(@"(^|/)(obj|bin|Migrations)/")]
    private static partial Regex Generated();

    [GeneratedRegex(@"(?:^[ \t]*///?[^\n]*\n)+|(?<=[;{,)] )// [^\n]*$", RegexOptions.Multiline)]
    private static partial Regex CommentBlock();

    [GeneratedRegex(@"^[ \t]*///? ?", RegexOptions.Multiline)]
    private static partial Regex LineStart();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();

    [GeneratedRegex("""<(?:see|seealso|paramref|typeparamref|inheritdoc) \w+="(?:[^"]*\.)?([^".]*)"\s*/>""")]
    private static partial Regex Reference();

    [GeneratedRegex("<c>(?<code>.*?)</c>", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"</?[a-z]+(?: [^<>]*)?/?>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"(?<=[.!?:])\s+(?=[A-Z`<(])|\.\s*\.\s|;\s|(?<=\.)\s+")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"public (?:async )?(?:void|Task) (?<name>[A-Z]\w*_\w+)\(")]
    private static partial Regex TestName();

    [GeneratedRegex(@"\b(?:somebody|nobody|whoever|anybody|everybody|someone|anyone|everyone|told|tells?|hears?|heard|believe[sd]?|habit|patience|mail)\b", RegexOptions.IgnoreCase)]
    private static partial Regex People();

    [GeneratedRegex(@"\b(?:somebody|nobody|whoever|anybody)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Nobody();

    [GeneratedRegex("^(?:Who|What|Whoever|Whatever|Whichever|Whose)\\b")]
    private static partial Regex Riddle();
}
