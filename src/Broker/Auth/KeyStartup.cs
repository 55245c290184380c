using Broker.Settings;
using Broker.Startup;

namespace Broker.Auth;

/// <summary>Reads the keys before the first request is answered, and refuses to serve a network without any.</summary>
internal sealed partial class KeyStartup(ApiKeyCache keys, AuthSettings auth, BrokerSettings settings, ILogger<KeyStartup> log) : IStartStep
{
    public async Task RunAsync(CancellationToken ct)
    {
        await keys.RefreshAsync(ct);
        if (keys.AreRequired) return;
        if (ListenAddress.BeyondLoopback(settings) is { } address)
        {
            if (!auth.AllowAnonymous) throw new StartRefusedException(NeedsKeys(address, settings.IsEmbedded));
            if (settings.AllowedHosts.Count == 0) throw new StartRefusedException(NeedsHosts(address, settings.IsEmbedded));
        }

        if (auth.AllowAnonymous && settings.CorsOrigins is null) LogReadable();
        if (settings.AllowedHosts.Contains(AllowedHosts.Any)) LogAnyHost();
    }

    private static string NeedsKeys(string host, bool isEmbedded) =>
        $"""
        The broker does not listen on {host} without API keys: whoever reaches the port could do everything. Do one of these:
          - create a key, which the broker asks for from then on:  broker keys create --name admin --scopes admin
          - write keys into the configuration:                     Broker:Auth:Keys:0:Id, :Hash, :Scopes (broker keys create --print-config)
          - listen on this machine only:                           {ThisMachine(isEmbedded)}
          - let everybody in, behind a gateway that knows them:    Broker__Auth__AllowAnonymous=true and Broker__AllowedHosts=NAME
        """;

    private static string NeedsHosts(string host, bool isEmbedded) =>
        $"""
        The broker does not listen on {host} without API keys and without the names that it is called by: a web page whose DNS name is
        pointed at the broker (DNS rebinding) could do everything. Do one of these:
          - write the names in its addresses, ports left out:      Broker__AllowedHosts=broker,broker.example.org
            (IP addresses and localhost always work; where clients use nothing else, write Broker__AllowedHosts=localhost)
          - create a key, which the broker asks for from then on:  broker keys create --name admin --scopes admin
          - listen on this machine only:                           {ThisMachine(isEmbedded)}
        """;

    private static string ThisMachine(bool isEmbedded) => isEmbedded ? "ASPNETCORE_URLS=http://127.0.0.1:5000" : "HOST=127.0.0.1";

    [LoggerMessage(
        EventId = 1,
        Level = LogLevel.Warning,
        Message = "Broker:Auth:AllowAnonymous is set and CORS_ORIGINS is not: any web page may read runs, results and logs through the browser of a "
            + "person who reaches this broker, also with that person's login at a gateway. Write the origins of your pages into CORS_ORIGINS "
            + "(one of this broker's own when there are none)")]
    private partial void LogReadable();

    [LoggerMessage(
        EventId = 2,
        Level = LogLevel.Warning,
        Message = "Broker:AllowedHosts is *: a web page whose DNS name is pointed at this broker can do everything. Write the broker's names instead, or create a key")]
    private partial void LogAnyHost();
}
