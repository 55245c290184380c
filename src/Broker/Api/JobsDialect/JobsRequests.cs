using System.Text.Json;
using Broker.Http;
using Broker.Settings;

namespace Broker.Api.JobsDialect;

/// <summary>Reads a body and answers for what cannot be read.</summary>
internal static class JobsRequests
{
    /// <summary>Result of <paramref name="read"/> for the body; not read when the error answer has been sent. An optional body may be empty: the default value.</summary>
    public static async ValueTask<(bool IsRead, T Value)> ReadAsync<T>(
        HttpContext http, BrokerSettings settings, Func<JsonElement, JobsReader, T> read, CancellationToken ct, bool isOptional = false)
    {
        var (isRead, value) = await BodyReader.ReadAsync(http, settings, new JobsReader(settings.Limits), read, ct, isOptional: isOptional);
        return (isRead, value!);
    }
}
