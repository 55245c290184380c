using Broker.Settings;
using Broker.Storage;

namespace Broker.Commands;

/// <summary>The stores by themselves, for commands that work on the database and end.</summary>
internal static class CommandStores
{
    public static ServiceProvider Of(BrokerSettings settings) => new ServiceCollection()
        .AddSingleton(TimeProvider.System).AddLogging().AddBrokerStorage(settings.ToStorageOptions()).BuildServiceProvider();
}
