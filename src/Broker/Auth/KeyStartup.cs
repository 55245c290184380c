using System.Net;
using Broker.Settings;

namespace Broker.Auth;

/// <summary>Reads the keys before the port opens, and refuses to open it to everybody without any.</summary>
internal sealed class KeyStartup(KeyRing ring, AuthSettings auth, BrokerSettings settings) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await ring.RefreshAsync(cancellationToken);
        if (ring.AreRequired || auth.AllowAnonymous || IPAddress.IsLoopback(IPAddress.Parse(settings.Host))) return;
        throw new StartRefusedException(
            $"""
            The broker does not listen on {settings.Host} without API keys: whoever reaches the port could do everything. Do one of these:
              - create a key, which the broker asks for from then on:  broker keys create --name admin --scopes admin
              - write keys into the configuration:                     Broker:Auth:Keys:0:Id, :Hash, :Scopes (broker keys create --print-config)
              - listen on this machine only:                           HOST=127.0.0.1
              - let everybody in, behind a gateway that knows them:    Broker__Auth__AllowAnonymous=true
            """);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
