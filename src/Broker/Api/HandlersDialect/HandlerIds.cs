namespace Broker.Api.HandlersDialect;

/// <summary>Which ids may be looked up, and which a client may choose.</summary>
internal static class HandlerIds
{
    public const string Expected = "expected 1 to 200 characters, no control characters, none of / and ~, no number after a last dot, and neither . nor ..";
    private const int Longest = 200;

    /// <summary>Text that a database can hold: anything else names nothing, and is not asked for.</summary>
    public static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0') return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }

        return true;
    }

    /// <summary>
    /// What fits into a path, and is neither the name of a later run as workers see it (<c>ID.1</c>) nor the exact form
    /// <c>WORKFLOW~ID</c>.
    /// </summary>
    public static bool MayBeChosen(string id) =>
        id.Length is > 0 and <= Longest
        && IsStorable(id)
        && !id.AsSpan().ContainsAny('/', '~')
        && !id.Any(char.IsControl)
        && Core.Definitions.PathNames.Fits(id)
        && Core.Runs.RunRef.Split(id).Number == 0;
}
