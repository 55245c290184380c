using Broker.Engine;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Retries and forks.</summary>
internal static class RerunRoutes
{
    public static async Task RetryAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.RunRetry, isOptional: true, ct);
        await SendAsync(http, await api.RetryAsync(workflow, instance, body, ct));
    }

    public static async Task ForkAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct)
    {
        var address = RunRoutes.AddressOf(http, workflow, instance);
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.RunFork, isOptional: true, ct);
        await SendAsync(http, await api.ForkAsync(address, body, ct));
    }

    private static Task SendAsync(HttpContext http, RunRerun outcome) => JsonAnswer.SendAsync(
        http.Response, outcome.DryRun ? StatusCodes.Status200OK : StatusCodes.Status201Created, outcome, OperatorJson.Default.RunRerun);
}
