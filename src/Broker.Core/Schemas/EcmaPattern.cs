using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Broker.Core.Schemas;

/// <summary>Patterns as JSON Schema means them: ECMA-262 with code points, found anywhere in the text.</summary>
internal static class EcmaPattern
{
    // Far above any pattern a model has; the translation may be ten times as long.
    private const int LongestPattern = 10_000;

    // Only patterns that look around can run away; the others take linear time.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static bool TryCompile(string source, [NotNullWhen(true)] out Regex? regex, out string problem)
    {
        regex = null;
        if (source.Length > LongestPattern)
        {
            problem = $"the pattern is longer than {LongestPattern} characters";
            return false;
        }

        var translation = new EcmaTranslator(source);
        if (!translation.TryTranslate(out var translated, out problem))
        {
            problem = $"the pattern \"{source}\" cannot be judged: {problem}";
            return false;
        }

        try
        {
            regex = translation.LooksAround ? Backtracking(translated) : Linear(translated);
            return true;
        }
        catch (ArgumentException e)
        {
            problem = $"\"{source}\" is not a pattern: {e.Message}";
            return false;
        }
    }

    /// <summary>A match that takes too long ends the whole run: the next text would take as long again.</summary>
    public static bool IsMatch(Regex regex, string text, Evaluation run)
    {
        if (!run.Spend(text.Length / 8)) return false;
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return run.Abandon("the pattern takes too long on this text");
        }
    }

    private static Regex Linear(string translated)
    {
        try
        {
            return new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Patience);
        }
        catch (NotSupportedException)
        {
            // Thrown when the automaton would be too big, as for long counted repetitions.
            return Backtracking(translated);
        }
    }

    private static Regex Backtracking(string translated) => new(translated, RegexOptions.CultureInvariant, Patience);
}
