using System.Text.Json;
using Broker.Http;

namespace Broker.Api.BrokerDialect;

/// <summary>Reads a body and answers for what cannot be read.</summary>
internal static class BrokerRequests
{
    /// <summary>Result of <paramref name="read"/> for the body; null when the error answer has been sent.</summary>
    public static async ValueTask<T?> ReadAsync<T>(HttpContext http, Func<JsonElement, BrokerReader, T?> read, DefinitionTurn? turn = null)
        where T : class
    {
        var settings = http.Engine().Settings;
        return (await BodyReader.ReadAsync(http, settings, new BrokerReader(settings.Limits), read, http.RequestAborted, turn)).Value;
    }
}
