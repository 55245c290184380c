using System.Globalization;
using Broker.Http;
using Broker.Settings;

namespace Broker.Operations;

/// <summary>
/// Counts the open streams of each API key, and of all callers without one together. A stream holds a connection and one page of its rows
/// until its client leaves.
/// </summary>
internal sealed class StreamSlots(BrokerSettings settings)
{
    private const int RetryAfterSecs = 5;

    private readonly Dictionary<string, int> open = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    public int Limit => settings.Limits.Streams;

    public bool TryTake(string client)
    {
        lock (gate)
        {
            var count = open.GetValueOrDefault(client);
            if (count >= Limit) return false;
            open[client] = count + 1;
            return true;
        }
    }

    public void Return(string client)
    {
        lock (gate)
        {
            if (open[client] == 1) open.Remove(client);
            else open[client]--;
        }
    }

    /// <summary>For routes that stream.</summary>
    public static async ValueTask<object?> FilterAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        var slots = http.RequestServices.GetRequiredService<StreamSlots>();
        if (slots.Limit == 0) return await next(call);

        // Addresses are free to choose for an anonymous caller, and behind a proxy all have one: they share their slots.
        var client = Clients.KeyOf();
        if (!slots.TryTake(client))
        {
            http.Response.Headers.RetryAfter = RetryAfterSecs.ToString(CultureInfo.InvariantCulture);
            await DialectErrorFormat.SendAsync(
                http, StatusCodes.Status429TooManyRequests, $"Too many streams: at most {slots.Limit} may be open for one API key, or without one; close some, or raise Broker:Limits:Streams");
            return Results.Empty;
        }

        try
        {
            return await next(call);
        }
        finally
        {
            slots.Return(client);
        }
    }
}
