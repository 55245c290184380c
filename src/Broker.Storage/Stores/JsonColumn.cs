using System.Text;
using System.Text.Json;

namespace Broker.Storage.Stores;

/// <summary>Small values kept as JSON text, so that any text inside them fits, NUL too.</summary>
internal static class JsonColumn
{
    public static string Write<T>(T value) => JsonSerializer.Serialize(value);

    public static T Read<T>(string stored) => JsonSerializer.Deserialize<T>(stored)!;
}

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
