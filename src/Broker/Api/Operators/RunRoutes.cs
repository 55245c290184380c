using Broker.Http;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>One run.</summary>
internal static class RunRoutes
{
    public static async Task GetAsync(HttpContext http, IOperatorApi api, string workflow, string instance, CancellationToken ct) =>
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.GetRunAsync(AddressOf(http, workflow, instance), ct), OperatorJson.Default.RunDetail);

    /// <summary>The run that path and query name.</summary>
    public static RunAddress AddressOf(HttpContext http, string workflow, string instance) =>
        new(workflow, instance, new OperatorQuery(http.Request).OptionalNumber("run", int.MaxValue));
}
