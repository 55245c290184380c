using System.Text.Json;
using Broker.Http;

namespace Broker.Api.BrokerDialect;

/// <summary>Reads a body and answers for what cannot be read.</summary>
internal static class BrokerRequests
{
    /// <summary>What <paramref name="read"/> makes of the body; null when the error answer has been sent.</summary>
    public static async ValueTask<T?> ReadAsync<T>(HttpContext http, Func<JsonElement, BrokerReader, T?> read, DefinitionTurn? turn = null)
        where T : class
    {
        var settings = http.Engine().Settings;
        using var body = await JsonBody.ReadAsync(http.Request, settings, http.RequestAborted, turn);
        if (body.Fault is not BodyFault.None)
        {
            await BrokerResponses.Fail(http, StatusOf(body.Fault), body.Reason);
            return null;
        }

        var reader = new BrokerReader(settings.Limits);
        T? value = null;
        try
        {
            value = read(body.Root, reader);
        }
        catch (InvalidOperationException)
        {
            // JsonElement throws it for a member name, or raw text, that is no valid Unicode. What merely passes through may hold
            // lone surrogates as escapes; only what must be read as text comes here.
            reader.Add("", "holds text that is not valid Unicode");
        }

        if (!reader.IsBroken) return value;
        var first = reader.Problems[0].ToString();
        await BrokerResponses.Fail(
            http,
            StatusCodes.Status422UnprocessableEntity,
            reader.Problems.Count == 1 ? first : $"{first} (and {reader.Problems.Count - 1} more)",
            reader.Problems);
        return null;
    }

    private static int StatusOf(BodyFault fault) =>
        fault is BodyFault.TooLarge ? StatusCodes.Status413PayloadTooLarge : StatusCodes.Status400BadRequest;
}
