using System.Globalization;
using System.Net;
using Broker.Operations.Tracing;
using Broker.Settings;
using Broker.Startup;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Serilog;
using Serilog.Configuration;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Json;

namespace Broker.Operations;

/// <summary>Logs, listening, limits and the middleware of every request.</summary>
internal static class HostSetup
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SlowBodyGrace = TimeSpan.FromSeconds(5);
    private const int DrainFactor = 8;

    public static void AddStructuredLogs(this WebApplicationBuilder builder)
    {
        var logs = new LoggerConfiguration().ReadFrom.Configuration(builder.Configuration).Filter.ByExcluding(IsRefusedStart);
        if (!builder.Configuration.GetSection("Serilog:WriteTo").GetChildren().Any()) WriteToConsole(logs.WriteTo);
        builder.Logging.ClearProviders().AddSerilog(logs.CreateLogger(), dispose: true);

        // The framework's own request log makes an activity and a scope for each request, also where neither is written. It cost 3 % of the
        // broker's processor time. RequestLog logs requests; a span is made where a tracer is configured.
        builder.Logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    public static void ListenAsSet(this WebApplicationBuilder builder, BrokerSettings settings)
    {
        builder.WebHost.UseUrls($"http://{new IPEndPoint(IPAddress.Parse(settings.Host), settings.Port)}");

        // Measured: 4 to 11 % more steps a second than by way of two more queues of the thread pool. A handler that blocks would be unsafe; none does.
        // The socket engine passes the next event to another thread first, so a blocked handler would delay its own connection alone.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Body readers check the limit. Kestrel's own check would cut the connection, and the client would see a broken pipe instead of the
            // 413. So the client may go on sending for a while, and the bytes are dropped.
            kestrel.Limits.MaxRequestBodySize = DrainFactor * (long)settings.MaxBodyBytes;
            kestrel.Limits.MaxRequestLineSize = settings.Limits.RequestLineBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = settings.Limits.HeaderBytes;
            kestrel.Limits.MaxRequestHeaderCount = settings.Limits.HeaderCount;
            kestrel.Limits.RequestHeadersTimeout = settings.Limits.HeaderTimeout;
            kestrel.Limits.MaxConcurrentConnections = settings.Limits.Connections == 0 ? null : settings.Limits.Connections;
            kestrel.Limits.MinRequestBodyDataRate =
                settings.Limits.BodyBytesPerSecond == 0 ? null : new MinDataRate(settings.Limits.BodyBytesPerSecond, SlowBodyGrace);
        });
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = endpoint =>
            endpoint is IPEndPoint wanted ? PortSearch.Listen(wanted) : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
    }

    // Readable text at a terminal; elsewhere one JSON object a line.
    private static void WriteToConsole(LoggerSinkConfiguration sinks)
    {
        if (Console.IsOutputRedirected) sinks.Console(new JsonFormatter(renderMessage: true));
        else sinks.Console(outputTemplate: "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}", formatProvider: CultureInfo.InvariantCulture);
    }

    // The program itself prints the reason of a refused start, in one message; host and server would add a stack trace each.
    private static bool IsRefusedStart(LogEvent entry) =>
        entry.Exception is not null && entry.MessageTemplate.Text is "Hosting failed to start" or "Unable to start Kestrel.";

    /// <summary>Adds the middleware of every request; the first is outermost.</summary>
    public static void UseOperations(this IApplicationBuilder app)
    {
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<RequestSpans>();
        app.UseMiddleware<ExceptionMiddleware>();
        app.UseMiddleware<CorsPolicy>();
        app.UseMiddleware<FallbackMiddleware>();
    }

    /// <summary>The line that people and scripts wait for, plain beside the structured logs; at a terminal with the banner below it.</summary>
    public static void AnnounceAddress(this WebApplication app, Action<string>? listening = null) => app.Lifetime.ApplicationStarted.Register(() =>
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        foreach (var address in addresses)
        {
            var shown = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{new Uri(address).Port}");
            Console.Out.WriteLine($"Server listening on {shown}");
            if (listening is not null) listening(shown);
            else if (!Console.IsOutputRedirected) app.Services.GetRequiredService<Banner>().Write(Console.Out, shown);
        }
    });
}
