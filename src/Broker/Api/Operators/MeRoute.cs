using Broker.Http;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>The caller.</summary>
internal static class MeRoute
{
    public static async Task GetAsync(HttpContext http, IOperatorApi api, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.MeAsync(ct), OperatorJson.Default.Me);
}
