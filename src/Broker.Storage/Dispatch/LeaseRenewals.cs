using Broker.Core.Runs;
using Broker.Core.Steps;
using Broker.Storage.Dispatch.Commands;
using Broker.Storage.Tables;

namespace Broker.Storage.Dispatch;

/// <summary>The heartbeats of one transaction: those of its callers, and those for claims that were sent again.</summary>
internal sealed class LeaseRenewals(BatchContext batch, RepeatedClaims? repeated)
{
    private readonly List<HeartbeatCommand> heartbeats = [];

    /// <summary>Adds the leases to the changes, in the order in which all transactions lock steps.</summary>
    public void Collect()
    {
        foreach (var heartbeat in batch.Commands.OfType<HeartbeatCommand>().Concat(repeated?.Renewals ?? []))
        {
            heartbeat.Outcome = HeartbeatVerdict.Gone;
            if (heartbeat.Lease is not null) heartbeats.Add(heartbeat);
        }

        heartbeats.Sort(static (a, b) => a.Lease!.Value.Step.CompareTo(b.Lease!.Value.Step));
        var progress = Progress();
        batch.Changes.Heartbeats.AddRange(heartbeats.Select(h => new LeaseRenewal(h.Lease!.Value, progress?.GetValueOrDefault(h.Lease.Value))));
    }

    // One row is written once, whichever of its heartbeats the statement takes: each carries the progress that came last.
    private Dictionary<LeaseRef, string>? Progress()
    {
        Dictionary<LeaseRef, string>? sent = null;
        foreach (var heartbeat in batch.Commands.OfType<HeartbeatCommand>())
        {
            if (heartbeat is { Progress: { } progress, Lease: { } lease }) (sent ??= [])[lease] = progress;
        }

        return sent;
    }

    /// <summary>Gives each heartbeat its verdict, from what was found of its lease; null: gone.</summary>
    public void Answer(IReadOnlyList<RenewedLease?> renewed)
    {
        RefuseStaleNames(renewed);
        for (var i = 0; i < heartbeats.Count; i++)
        {
            heartbeats[i].Outcome = renewed[i] switch
            {
                null => HeartbeatVerdict.Gone,
                { Status: StepStatus.Cancelled } => HeartbeatVerdict.Cancelled,
                { IsPaused: true } => HeartbeatVerdict.Paused,
                _ => HeartbeatVerdict.Renewed,
            };
        }
    }

    // A lease that is gone under a cached name may be of another run by now: then the name is looked up anew.
    private void RefuseStaleNames(IReadOnlyList<RenewedLease?> renewed)
    {
        var (isStale, names) = (false, batch.Services.Names);
        for (var i = 0; i < heartbeats.Count; i++)
        {
            if (renewed[i] is not null || heartbeats[i].Name is not { } name || !names.TryGet(name, out _)) continue;
            names.Forget(name);
            heartbeats[i].RunId = 0;
            isStale = true;
        }

        if (isStale) throw new StaleNameException();
    }
}
