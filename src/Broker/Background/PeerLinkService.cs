using Broker.Storage.Changes;

namespace Broker.Background;

/// <summary>Keeps the link to other brokers up.</summary>
internal sealed class PeerLinkService(IPeerLink link) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => link.RunAsync(stoppingToken);
}
