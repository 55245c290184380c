namespace Broker.Sdk;

/// <summary>Marks requests that may be sent twice: reads, starts with an idempotency key, events with an id.</summary>
internal static class Repeats
{
    private static readonly HttpRequestOptionsKey<bool> Key = new("Broker.Repeats");

    public static void Allow(HttpRequestMessage request) => request.Options.Set(Key, true);

    public static bool AreAllowed(HttpRequestMessage? request) => request is not null && request.Options.TryGetValue(Key, out var allowed) && allowed;
}
