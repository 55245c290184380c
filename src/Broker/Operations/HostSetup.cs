using System.Globalization;
using System.Net;
using Broker.Auth;
using Broker.Operations.Tracing;
using Broker.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Serilog;

namespace Broker.Operations;

/// <summary>Logs, listening, limits and what every request passes through.</summary>
internal static class HostSetup
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HeaderPatience = TimeSpan.FromSeconds(15);

    // Ids of up to 200 characters come percent-encoded, several to a path.
    private const int LongestRequestLine = 16 * 1024;
    private const int LargestHeaders = 32 * 1024;
    private const int DrainFactor = 8;

    public static void AddStructuredLogs(this WebApplicationBuilder builder) => builder.Logging.ClearProviders().AddSerilog(
        // A refusal to start is told to whoever starts the program, without a stack trace.
        new LoggerConfiguration().ReadFrom.Configuration(builder.Configuration).Filter.ByExcluding(entry => entry.Exception is StartRefusedException).CreateLogger(),
        dispose: true);

    public static void ListenAsSet(this WebApplicationBuilder builder, BrokerSettings settings)
    {
        builder.WebHost.UseUrls($"http://{new IPEndPoint(IPAddress.Parse(settings.Host), settings.Port)}");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // The limit itself is judged where bodies are read. Kestrel would cut the connection, and the client would see a broken pipe
            // instead of the 413; so it may go on sending for a while, into nothing.
            kestrel.Limits.MaxRequestBodySize = DrainFactor * (long)settings.MaxBodyBytes;
            kestrel.Limits.MaxRequestLineSize = LongestRequestLine;
            kestrel.Limits.MaxRequestHeadersTotalSize = LargestHeaders;
            kestrel.Limits.RequestHeadersTimeout = HeaderPatience;
        });
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = endpoint =>
            endpoint is IPEndPoint wanted ? PortSearch.Listen(wanted) : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        // Else a request that does not bind has an answer without a body outside development.
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
    }

    /// <summary>What stands around every request; the first is outermost.</summary>
    public static void UseOperations(this WebApplication app)
    {
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<RequestSpans>();
        app.UseMiddleware<ExceptionAnswers>();
        app.UseMiddleware<CorsPolicy>();
        app.UseMiddleware<FallbackAnswers>();
    }

    /// <summary>The line that people and scripts wait for: plain, beside the structured logs.</summary>
    public static void AnnounceAddress(this WebApplication app) => app.Lifetime.ApplicationStarted.Register(() =>
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        foreach (var address in addresses)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Server listening on http://localhost:{new Uri(address).Port}"));
        }
    });
}
