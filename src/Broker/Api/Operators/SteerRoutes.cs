using Broker.Engine;
using Broker.Http;
using Broker.Operators;

namespace Broker.Api.Operators;

/// <summary>Commands to runs, events for them, and starts.</summary>
internal static class SteerRoutes
{
    public static Task CancelAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct) => SteerAsync(http, engine, workflow, instance, api.CancelAsync, ct);

    public static Task TerminateAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct) => SteerAsync(http, engine, workflow, instance, api.TerminateAsync, ct);

    public static Task PauseAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct) => SteerAsync(http, engine, workflow, instance, api.PauseAsync, ct);

    public static Task ResumeAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct) => SteerAsync(http, engine, workflow, instance, api.ResumeAsync, ct);

    public static Task RestartAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct) => SteerAsync(http, engine, workflow, instance, api.RestartAsync, ct);

    public static Task DeleteAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct) => SteerAsync(http, engine, workflow, instance, api.DeleteAsync, ct);

    private static async Task SteerAsync(
        HttpContext http, BrokerEngine engine, string workflow, string instance, Func<string, string, RunCommand, CancellationToken, Task<RunChange>> command, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.RunCommand, isOptional: true, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await command(workflow, instance, body, ct), OperatorJson.Default.RunChange);
    }

    public static async Task SendEventAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.NewEvent, isOptional: false, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.SendEventAsync(workflow, instance, body, ct), OperatorJson.Default.EventReceipt);
    }

    public static async Task TagAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, string instance, CancellationToken ct)
    {
        var tags = await OperatorBody.ReadAsync(http, engine, ct);
        await JsonAnswer.SendAsync(http.Response, StatusCodes.Status200OK, await api.SetTagsAsync(RunRoutes.AddressOf(http, workflow, instance), tags, ct), OperatorJson.Default.RunTagSet);
    }

    public static async Task StartAsync(HttpContext http, IOperatorApi api, BrokerEngine engine, string workflow, CancellationToken ct)
    {
        var body = await OperatorBody.ReadAsync(http, engine, OperatorJson.Default.NewRun, isOptional: true, ct);
        var key = http.Request.Headers.TryGetValue(Idempotency.Header, out var given) ? given.ToString() : null;
        var started = await api.StartAsync(workflow, body, key, ct);
        if (started.Replayed) http.Response.Headers[Idempotency.ReplayedHeader] = "true";
        await JsonAnswer.SendAsync(http.Response, started.Started ? StatusCodes.Status201Created : StatusCodes.Status200OK, started, OperatorJson.Default.StartedRun);
    }
}
