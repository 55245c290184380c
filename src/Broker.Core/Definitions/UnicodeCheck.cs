using System.Runtime.InteropServices;
using System.Text.Json;
using Broker.Core.Json;

namespace Broker.Core.Definitions;

/// <summary>
/// Search for lone surrogates, before any other part of a document is read. JSON text may hold them as escapes, and reading such a string
/// or member name as text throws.
/// </summary>
public static class UnicodeCheck
{
    /// <summary>The first one below <paramref name="path"/>, or null.</summary>
    public static DefinitionProblem? Problem(JsonElement value, string path)
    {
        var problems = new ProblemList();
        return Refuses(value, path, problems) ? problems.All[0] : null;
    }

    /// <summary>Adds the first one as a problem and says whether there is one.</summary>
    internal static bool Refuses(JsonElement document, string path, ProblemList problems)
    {
        var raw = JsonMarshal.GetRawUtf8Value(document);
        return (raw.IndexOf("\\ud"u8) >= 0 || raw.IndexOf("\\uD"u8) >= 0) && Find(document, path, problems);
    }

    private static bool Find(JsonElement value, string path, ProblemList problems)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String when !StorableText.IsUnicode(JsonText.StringOf(value)):
                problems.Add(path, "is not valid Unicode text");
                return true;
            case JsonValueKind.Array:
                return value.EnumerateArray().Any(item => Find(item, path, problems));
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    var name = JsonText.NameOf(member);
                    if (!StorableText.IsUnicode(name))
                    {
                        problems.Add(path, "has a member whose name is not valid Unicode text");
                        return true;
                    }

                    if (Find(member.Value, ProblemList.Join(path, name), problems)) return true;
                }

                return false;
            default:
                return false;
        }
    }
}
