using System.Text.RegularExpressions;

namespace Broker.Core.Schemas;

/// <summary>Makes the patterns of one schema, each once, and stops when they get expensive together.</summary>
internal sealed class PatternCompiler
{
    // Counted after translation. A longer automaton takes long to build (9,000 dots: 10 s, 5 GB), so that one backtracks under the time limit.
    private const int LongestLinear = 4_000;
    private const int LongestTogether = 200_000;
    private const int LongestShown = 200;

    // Backtracking can run away; a linear match of any text a request can carry is far below this.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Regex> known = new(StringComparer.Ordinal);
    private int together;

    public Regex? Compile(string source, out string problem)
    {
        problem = "";
        if (known.TryGetValue(source, out var regex)) return regex;

        var translator = new EcmaTranslator(source, LongestTogether - together);
        if (!translator.TryTranslate(out var translated, out problem))
        {
            problem = $"the pattern \"{Shown(source)}\" cannot be judged: {problem}";
            return null;
        }

        together += translated.Length;
        try
        {
            regex = Create(translated, translator.LooksAround);
            known.Add(source, regex);
            return regex;
        }
        catch (ArgumentException e)
        {
            problem = $"\"{Shown(source)}\" is not a pattern: {e.Message}";
            return null;
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

    private static string Shown(string source) => source.Length <= LongestShown ? source : source[..LongestShown] + "…";

    private static Regex Create(string translated, bool looksAround)
    {
        if (!looksAround && translated.Length <= LongestLinear)
        {
            try
            {
                return new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Patience);
            }
            catch (NotSupportedException)
            {
                // The automaton would be too big, as for long counted repetitions.
            }
        }

        return new Regex(translated, RegexOptions.CultureInvariant, Patience);
    }
}
