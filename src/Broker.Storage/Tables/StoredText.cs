using System.Text;

namespace Broker.Storage.Tables;

/// <summary>Plain text columns: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates.</summary>
internal static class StoredText
{
    /// <summary>Whether a column can hold the text; what it cannot hold is in no row, so a look-up need not ask.</summary>
    public static bool Fits(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var length) is not System.Buffers.OperationStatus.Done || rune.Value == 0) return false;
            rest = rest[length..];
        }

        return true;
    }

    /// <summary>The text with U+FFFD for what a column cannot hold.</summary>
    public static string Fitting(string text)
    {
        if (Fits(text)) return text;
        var fitting = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) fitting.Append((rune.Value == 0 ? Rune.ReplacementChar : rune).ToString());
        return fitting.ToString();
    }
}
