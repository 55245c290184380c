using System.Globalization;
using System.Text.Json;

namespace Broker.Core.Runs;

/// <summary>Result of a wait, for its successors: <c>{"type", "payload", "timestamp"}</c> (instances contract 8).</summary>
public static class WaitResult
{
    public static string Of(InboxEvent message) =>
        $$"""{"type":{{JsonSerializer.Serialize(message.Type)}},"payload":{{message.PayloadJson ?? "null"}},"timestamp":"{{Timestamp(message.CreatedAt)}}"}""";

    /// <summary>ISO 8601, UTC, milliseconds, <c>Z</c>.</summary>
    public static string Timestamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
