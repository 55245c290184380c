using Broker.Http;
using Broker.Operations;

namespace Broker.Startup;

/// <summary>Mark of a route that answers while the broker waits for its database, and reports that itself.</summary>
internal sealed class AnswersBeforeStart
{
    public static readonly AnswersBeforeStart Mark = new();
}

/// <summary>Answers 503 in the dialect's form until the gate is open: before that no key can be checked.</summary>
internal sealed class StartGateMiddleware(RequestDelegate next, StartGate gate)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (gate.IsOpen || http.GetEndpoint()?.Metadata.GetMetadata<AnswersBeforeStart>() is not null) return next(http);
        http.Response.Headers.RetryAfter = DatabaseOutage.RetryAfterSecs;
        http.Response.Headers.CacheControl = "no-store";
        return DialectErrorFormat.SendAsync(http, StatusCodes.Status503ServiceUnavailable, StartGate.Reason);
    }
}

internal static class GateSetup
{
    public static void AddStartGate(this IServiceCollection services)
    {
        services.AddSingleton<StartGate>();
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<StartGate>());
        services.AddHostedService<StartSequence>();
    }

    /// <summary>After routing, which knows the dialect, and before keys are asked for.</summary>
    public static void UseStartGate(this IApplicationBuilder app) => app.UseMiddleware<StartGateMiddleware>();
}
