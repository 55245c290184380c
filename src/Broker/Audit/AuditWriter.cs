using Broker.Background;

namespace Broker.Audit;

/// <summary>Writes the notes of a second in one transaction.</summary>
internal sealed class AuditWriter(AuditTrail trail, TimeProvider clock, ILogger<AuditWriter> log) : FlushingService(TimeSpan.FromSeconds(1), clock, log)
{
    protected override Task<int> FlushAsync(CancellationToken ct) => trail.FlushAsync(ct);
}
