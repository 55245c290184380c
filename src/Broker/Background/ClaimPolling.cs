using Broker.Storage.Contracts;

namespace Broker.Background;

/// <summary>
/// Polls for steps whose signal was lost. Once a second, one waiting claim of each group looks for work, and the next due time is read anew.
/// While the link between brokers is down it polls twice a second, so that a hand-over takes at most one second there too.
/// </summary>
internal sealed class ClaimPolling(IWaitingClaims waiting, IPeerLink link, TimeProvider clock, ILogger<ClaimPolling> log)
    : PeriodicService(TimeSpan.FromMilliseconds(500), clock, log)
{
    private bool isOdd;

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        isOdd = !isOdd;
        if (isOdd || link.IsDeaf) await waiting.PollAsync(ct);
        return 0;
    }
}
