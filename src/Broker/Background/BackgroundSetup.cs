using Broker.Engine;
using Broker.Settings;

namespace Broker.Background;

/// <summary>Registers the services that run without a request.</summary>
internal static class BackgroundSetup
{
    public static IServiceCollection AddBackgroundServices(this IServiceCollection services, BrokerSettings settings)
    {
        services.AddHostedService<PeerLinkService>();
        services.AddHostedService<ClaimPolling>();
        services.AddHostedService<SeenWriter>();
        services.AddHostedService<HoldRefresh>();
        if (settings.Limits.Backlog > 0) services.AddHostedService<BacklogCount>();
        services.AddHostedService<CredentialRenewal>();
        services.AddHostedService<EpochFollower>();
        if (settings.ApiOnly) return services;

        services.AddHostedService<LeaseReaper>();
        services.AddHostedService<DueTimers>();
        services.AddHostedService<WorkerPruning>();
        services.AddHostedService<Retention>();
        services.AddHostedService<StrayLinePruning>();
        services.AddHostedService<StartKeyPruning>();
        services.AddHostedService<DefinitionPruning>();
        return services;
    }
}
