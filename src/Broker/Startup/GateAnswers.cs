using Broker.Api;
using Broker.Operations;

namespace Broker.Startup;

/// <summary>On a route that answers while the broker waits for its database: it tells so itself.</summary>
internal sealed class AnswersBeforeStart
{
    public static readonly AnswersBeforeStart Mark = new();
}

/// <summary>Answers 503 in the form of the dialect that was asked until the gate is open: before that no key can be checked.</summary>
internal sealed class GateAnswers(RequestDelegate next, StartGate gate)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (gate.IsOpen || http.GetEndpoint()?.Metadata.GetMetadata<AnswersBeforeStart>() is not null) return next(http);
        http.Response.Headers.RetryAfter = Unavailability.RetryAfterSecs;
        http.Response.Headers.CacheControl = "no-store";
        return RefusalForm.SendAsync(http, StatusCodes.Status503ServiceUnavailable, StartGate.Reason);
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
    public static void UseStartGate(this IApplicationBuilder app) => app.UseMiddleware<GateAnswers>();
}
