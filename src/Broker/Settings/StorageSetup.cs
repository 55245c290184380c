namespace Broker.Settings;

/// <summary>The one place where the host meets the database: stores, engine, scheduler and what tells readiness.</summary>
internal static class StorageSetup
{
    public static IServiceCollection AddBrokerStorage(this IServiceCollection services, BrokerSettings settings) => services;
}
