using Broker.Startup;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Keeps the link to other brokers up.</summary>
internal sealed class PeerLinkService(IPeerLink link) : BackgroundService, IWaitsForStart
{
    public Task Opened { private get; set; } = Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Opened.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stoppingToken.IsCancellationRequested) await link.RunAsync(stoppingToken);
    }
}
