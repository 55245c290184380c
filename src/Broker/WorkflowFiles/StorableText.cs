namespace Broker.WorkflowFiles;

/// <summary>Text that a database column and a shell's argument can hold; both formats can escape what they cannot.</summary>
internal static class StorableText
{
    internal const string Message = "holds a NUL character or half of a surrogate pair";

    public static bool Is(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i]))))
            {
                return false;
            }
        }

        return true;
    }
}
