using System.Net;
using Broker.Audit;
using Broker.Background;
using Broker.Settings;

namespace Broker.Auth;

/// <summary>Keys and the audit trail, put together.</summary>
internal static class AuthSetup
{
    /// <summary>After the storage: keys are read when the schema is there.</summary>
    public static void AddAuth(this IServiceCollection services, AuthSettings auth, BrokerSettings settings)
    {
        services.AddSingleton(auth);
        services.AddSingleton<KeyRing>();
        services.AddSingleton<FailureLimiter>();
        services.AddSingleton<AuditTrail>();
        services.AddHostedService<KeyStartup>();
        services.AddHostedService<KeyRefresh>();
        services.AddHostedService<KeyUseWriter>();
        services.AddHostedService<AuditWriter>();
        if (!settings.ApiOnly) services.AddHostedService<AuditPruning>();
    }

    /// <summary>After routing, before everything that answers.</summary>
    public static void UseKeys(this IApplicationBuilder app) => app.UseMiddleware<KeyGate>();
}

/// <summary>The settings are in order, and starting with them would be a mistake all the same: the message says what to write.</summary>
internal sealed class StartRefusedException(string message) : Exception(message);

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

/// <summary>Learns of keys that were created or revoked elsewhere: nothing is valid for longer than that after its end.</summary>
internal sealed class KeyRefresh(KeyRing ring, TimeProvider clock, ILogger<KeyRefresh> log) : PeriodicService(TimeSpan.FromSeconds(2), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await ring.RefreshAsync(ct);
        return 0;
    }
}

/// <summary>Writes when keys were last used: with every request in memory, every few seconds in the database.</summary>
internal sealed class KeyUseWriter(KeyRing ring, TimeProvider clock, ILogger<KeyUseWriter> log) : PeriodicService(TimeSpan.FromSeconds(10), clock, log)
{
    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        await ring.FlushUseAsync(ct);
        return 0;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await ring.FlushUseAsync(cancellationToken);
    }
}
