using Broker.Core.Json;

namespace Broker.Api;

/// <summary>Ids that senders give to events, so that one that is sent again is not a second one.</summary>
internal static class EventIds
{
    public const string Expected = "expected 1 to 128 characters, no NUL and no half of a surrogate pair";
    private const int Longest = 128;

    public static bool Fits(string id) => id.Length is > 0 and <= Longest && StorableText.Fits(id);
}
