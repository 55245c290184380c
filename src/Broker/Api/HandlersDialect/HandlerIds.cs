using Broker.Core.Json;

namespace Broker.Api.HandlersDialect;

/// <summary>Which ids a client may choose.</summary>
internal static class HandlerIds
{
    public const string Expected = "expected 1 to 200 characters, no control characters, none of / and ~, no number after a last dot, and neither . nor ..";
    private const int Longest = 200;

    /// <summary>
    /// Whether the id fits into a path. It must be neither the name of a later run as workers see it (<c>ID.1</c>) nor of the exact form
    /// <c>WORKFLOW~ID</c>.
    /// </summary>
    public static bool MayBeChosen(string id) =>
        id.Length is > 0 and <= Longest
        && StorableText.Fits(id)
        && !id.AsSpan().ContainsAny('/', '~')
        && !id.Any(char.IsControl)
        && Core.Definitions.PathNames.Fits(id)
        && Core.Runs.RunRef.Split(id).Number == 0;
}
