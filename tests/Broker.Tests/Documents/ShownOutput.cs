using System.Text;
using System.Text.RegularExpressions;

namespace Broker.Tests.Documents;

/// <summary>
/// Output as a page shows it. <c>…</c> stands for any text, and line breaks and spaces do not count. Made ids, times and leases may differ.
/// </summary>
internal static partial class ShownOutput
{
    public static bool Fits(string shown, string actual) =>
        Regex.IsMatch(WithoutBlanks(actual), $"^{PatternOf(shown)}$", RegexOptions.Singleline, TimeSpan.FromSeconds(10));

    private static string PatternOf(string shown)
    {
        var pattern = new StringBuilder();
        var end = 0;
        foreach (Match made in Made().Matches(shown))
        {
            pattern.Append(Regex.Escape(WithoutBlanks(shown[end..made.Index]))).Append(made.Value.Contains('…', StringComparison.Ordinal) ? ".*?" : @"[\w:.-]+?");
            end = made.Index + made.Length;
        }

        return pattern.Append(Regex.Escape(WithoutBlanks(shown[end..]))).ToString();
    }

    private static string WithoutBlanks(string text) => Blank().Replace(text, "");

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();

    // Made text is one of: an ellipsis with the start of the id that it shortens, an instant, a UUID, a long hexadecimal id; a numbered id,
    // seconds or milliseconds since 1970, or an id of digits with letters in both cases.
    [GeneratedRegex(
        @"(?:\b[0-9a-f]{8}(?=…))?…|\b\d{4}-\d\d-\d\dT[\d:.]+Z|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b|\b(?:run|step|event)_[0-9a-f_]+\b|\b\d{10,}(?:\.\d+)?|\b(?=\w*\d)(?=\w*[a-z])(?=\w*[A-Z])[0-9A-Za-z]{10,}\b")]
    private static partial Regex Made();
}
