using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>Collects expired leases; the definition of a step says whether that uses up a retry.</summary>
internal sealed partial class LeaseReaper(IRunStore runs, BrokerSettings settings, TimeProvider clock, ILogger<LeaseReaper> log)
    : PeriodicService(settings.ReapInterval, clock, log)
{
    private const int Batch = 500;
    private readonly ILogger<LeaseReaper> log = log;

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var all = await DrainAsync(Batch, runs.ExpireLeasesAsync, ct);
        if (all > 0) LogExpired(log, all);
        return all;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Collected {Count} expired leases")]
    private static partial void LogExpired(ILogger logger, int count);
}
