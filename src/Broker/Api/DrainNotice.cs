using Broker.Engine;

namespace Broker.Api;

/// <summary>Header that says to a worker that it is drained: it gets no further steps. Stock clients ignore it.</summary>
internal static class DrainNotice
{
    public const string Header = "Broker-Drain";

    /// <summary>Adds the header if the worker is drained.</summary>
    public static void Offer(HttpResponse response, BrokerEngine engine, string workerId)
    {
        if (engine.IsDrained(workerId)) response.Headers[Header] = "true";
    }
}
