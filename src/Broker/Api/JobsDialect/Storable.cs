using System.Text;
using Broker.WorkflowFiles;

namespace Broker.Api.JobsDialect;

/// <summary>Text as a database column and a JSON answer can hold it.</summary>
internal static class Storable
{
    /// <summary>Longest id or label (characters).</summary>
    public const int MaxLength = Core.Definitions.DefinitionReader.MaxNameLength;

    /// <summary>Could it be the name of something we know? Anything else is unknown without asking the store.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= (2 * MaxLength) + 1 && StorableText.Is(text);

    /// <summary>
    /// What cannot be held is replaced: an error text is cut from the output of some program, and refusing it would cost the job its
    /// report, for workers do not look at the answer.
    /// </summary>
    public static string Text(string text)
    {
        if (StorableText.Is(text)) return text;
        var kept = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) kept.Append((rune.Value == 0 ? Rune.ReplacementChar : rune).ToString());
        return kept.ToString();
    }
}
