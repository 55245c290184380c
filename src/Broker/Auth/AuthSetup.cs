using Broker.Audit;
using Broker.Settings;
using Broker.Startup;
using Broker.Ui.Routing;

namespace Broker.Auth;

/// <summary>Keys and the audit trail, put together.</summary>
internal static class AuthSetup
{
    /// <summary>After the storage: keys are read when the schema is there.</summary>
    public static void AddAuth(this IServiceCollection services, AuthSettings auth, BrokerSettings settings)
    {
        services.AddSingleton(auth);
        services.AddSingleton<ApiKeyCache>();
        services.AddSingleton<FailureLimiter>();
        services.AddSingleton<SessionCache>();
        services.AddSingleton<ISignIn, SignIn>();
        services.AddSingleton<AllowedHosts>();
        services.AddSingleton<WebPages>();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<IStartStep, KeyStartup>();
        services.AddHostedService<KeyRefresh>();
        services.AddHostedService<KeyUseWriter>();
        services.AddHostedService<AuditWriter>();
        if (!settings.ApiOnly) services.AddHostedService<AuditPruning>();
    }

    /// <summary>After routing, before everything that answers.</summary>
    public static void UseKeys(this IApplicationBuilder app)
    {
        app.UseMiddleware<KeylessGate>();
        app.UseMiddleware<KeyGate>();
    }
}
