using Broker.Storage.Contracts;
using Broker.Storage.Matching;

namespace Broker.Background;

/// <summary>
/// The net below lost signals: lets one idle claim of each kind look. Every second, which also has what falls due next looked for anew, and twice
/// a second while brokers do not hear each other, so that a step is handed over within one second there too.
/// </summary>
internal sealed class ClaimPolling(WaitingClaims gate, IPeerLink link, TimeProvider clock, ILogger<ClaimPolling> log)
    : PeriodicService(TimeSpan.FromMilliseconds(500), clock, log)
{
    private bool isOdd;

    internal override async Task<int> RunOnceAsync(CancellationToken ct)
    {
        isOdd = !isOdd;
        if (isOdd || link.IsDeaf) await gate.PollAsync(ct);
        return 0;
    }
}
