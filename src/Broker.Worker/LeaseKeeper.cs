using System.Collections.Concurrent;

namespace Broker.Worker;

/// <summary>Keeps the leases of all running jobs alive, and stops jobs that were cancelled or whose lease is gone.</summary>
internal sealed class LeaseKeeper(BrokerClient client, WorkerOptions options, WorkerTimings timings, WorkerLog log)
{
    private readonly ConcurrentDictionary<string, JobControl> held = new(StringComparer.Ordinal);
    private int shortestTtl = options.LeaseTtlSecs;

    public IReadOnlyCollection<JobControl> Held => [.. held.Values];

    private TimeSpan Period => TimeSpan.FromSeconds(shortestTtl / 3.0);

    public void Hold(JobControl job)
    {
        // A broker may grant less than was asked for.
        if (job.Claim.Lease.TtlSecs > 0) shortestTtl = Math.Min(shortestTtl, job.Claim.Lease.TtlSecs);
        held[job.Claim.Lease.LeaseId] = job;
    }

    public void Drop(JobControl job) => held.TryRemove(job.Claim.Lease.LeaseId, out _);

    public Task RunAsync(CancellationToken ct) => Task.WhenAll(KeepAliveAsync(ct), WatchForCancelAsync(ct));

    private async Task KeepAliveAsync(CancellationToken ct)
    {
        var retry = Retrying.Forever(timings, e => log.Line($"heartbeat failed, trying again: {e.Message}"));
        while (await PauseAsync(Period, ct))
        {
            try
            {
                await retry.ExecuteAsync(BeatAsync, ct);
            }
            catch (BrokerRefusedException refused)
            {
                log.Line($"heartbeat refused with {refused.Message}");
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async ValueTask BeatAsync(CancellationToken ct)
    {
        string[] leases = [.. held.Keys];
        if (leases.Length == 0) return;

        foreach (var state in await client.HeartbeatAsync(leases, ct))
        {
            if (!state.Alive) Stop(state.LeaseId, StopReason.Lost);
            else if (state.Cancelled) Stop(state.LeaseId, StopReason.Cancelled);
        }
    }

    // Heartbeats of long leases come too rarely to notice a cancel by.
    private async Task WatchForCancelAsync(CancellationToken ct)
    {
        while (await PauseAsync(timings.CancelCheck, ct))
        {
            if (client.BatchHeartbeats && Period <= timings.CancelCheck) continue;
            await Task.WhenAll(held.Values.Select(job => CheckCancelledAsync(job, ct)));
        }
    }

    private async Task CheckCancelledAsync(JobControl job, CancellationToken ct)
    {
        try
        {
            if (await client.IsCancelledAsync(job.Claim.Job, ct)) Stop(job.Claim.Lease.LeaseId, StopReason.Cancelled);
        }
        catch (Exception e) when (e is BrokerUnavailableException or BrokerRefusedException or OperationCanceledException)
        {
            // The next round asks again; heartbeats report an outage.
        }
    }

    private void Stop(string leaseId, StopReason reason)
    {
        if (held.TryGetValue(leaseId, out var job) && job.Stop(reason))
            log.Line($"{(reason == StopReason.Lost ? "lease lost" : "cancelled")}, stopping: {job.Claim}");
    }

    private static async Task<bool> PauseAsync(TimeSpan pause, CancellationToken ct)
    {
        await Task.Delay(pause, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !ct.IsCancellationRequested;
    }
}
