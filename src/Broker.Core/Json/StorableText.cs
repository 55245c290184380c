using System.Text;

namespace Broker.Core.Json;

/// <summary>Text that a database column and a shell's argument can hold: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates.</summary>
public static class StorableText
{
    public const string Message = "holds a NUL character or half of a surrogate pair";

    /// <summary>Whether a column can hold the text. Text that does not fit is in no row, so a look-up need not ask the database.</summary>
    public static bool Fits(string text) => !text.Contains('\0', StringComparison.Ordinal) && IsUnicode(text);

    /// <summary>Whether the text holds no lone surrogate. NUL passes: JSON text keeps it as an escape.</summary>
    public static bool IsUnicode(string text)
    {
        for (var rest = text.AsSpan(); rest.IndexOfAnyInRange('\uD800', '\uDFFF') is var at and >= 0; rest = rest[(at + 2)..])
        {
            if (at + 1 == rest.Length || !char.IsSurrogatePair(rest[at], rest[at + 1])) return false;
        }

        return true;
    }

    /// <summary>The text with U+FFFD in place of each NUL and each lone surrogate.</summary>
    public static string Fitting(string text)
    {
        if (Fits(text)) return text;
        var fitting = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) fitting.Append((rune.Value == 0 ? Rune.ReplacementChar : rune).ToString());
        return fitting.ToString();
    }
}
