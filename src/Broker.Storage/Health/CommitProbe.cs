using Broker.Storage.Tables;

namespace Broker.Storage.Health;

/// <summary>Checks for readiness whether commits are confirmed. One probe at a time, and its answer is shared for a second: probes come from anywhere.</summary>
internal sealed class CommitProbe(IDatabase database, StoreHealth health, TimeProvider clock)
{
    private static readonly TimeSpan Shared = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Task<string?>? last;
    private long begun;

    /// <summary>Null when they are, else the reason.</summary>
    public Task<string?> FaultAsync(CancellationToken ct)
    {
        lock (gate)
        {
            if (last is null || (last.IsCompleted && clock.GetElapsedTime(begun) >= Shared)) (last, begun) = (ProbeAsync(), clock.GetTimestamp());
            return last.WaitAsync(ct);
        }
    }

    private async Task<string?> ProbeAsync()
    {
        try
        {
            var fault = await database.CommitFaultAsync(health.IsCommitInDoubt, CancellationToken.None);
            if (fault is null) health.CommitConfirmed();
            return fault;
        }
        catch (Exception)
        {
            return "The database does not answer.";
        }
    }
}
