using System.Text.Json;
using Broker.Http;
using Broker.Settings;

namespace Broker.Api.JobsDialect;

/// <summary>Reads a body and answers for what cannot be read.</summary>
internal static class JobsRequests
{
    /// <summary>What <paramref name="read"/> makes of the body; not read when the error answer has been sent. An optional body may be empty: the default value.</summary>
    public static async ValueTask<(bool IsRead, T Value)> ReadAsync<T>(
        HttpContext http, BrokerSettings settings, Func<JsonElement, JobsReader, T> read, CancellationToken ct, bool isOptional = false)
    {
        using var body = await JsonBody.ReadAsync(http.Request, settings, ct);
        if (isOptional && body.Fault is BodyFault.Empty) return (true, default!);
        if (body.Fault is not BodyFault.None)
        {
            await JobsErrors.BadBodyAsync(http.Response, body);
            return (false, default!);
        }

        var reader = new JobsReader(settings.Limits);
        var value = read(body.Root, reader);
        if (!reader.Any) return (true, value);
        await JobsErrors.WrongShapeAsync(http.Response, reader.Problems);
        return (false, default!);
    }
}
