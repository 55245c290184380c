using Broker.Settings;

namespace Broker.Webhooks;

/// <summary>Registers the outbox's services and those of webhooks.</summary>
internal static class WebhookSetup
{
    public static IServiceCollection AddWebhooks(this IServiceCollection services, BrokerSettings settings)
    {
        // Before the services that use it: its first round reads the subscriptions.
        services.AddSingleton<WebhookSubscriptions>();
        services.AddHostedService(provider => provider.GetRequiredService<WebhookSubscriptions>());
        services.AddSingleton<WebhookCaller>();
        services.AddSingleton<NoticeHandler>();
        services.AddSingleton<IOutboxHandler>(provider => provider.GetRequiredService<NoticeHandler>());
        if (settings.ApiOnly) return services;

        services.AddHostedService<OutboxDrain>();
        services.AddHostedService<WebhookSender>();
        services.AddHostedService<StarvationWatch>();
        services.AddHostedService<DeliveryPruning>();
        return services;
    }
}
