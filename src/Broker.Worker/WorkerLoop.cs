using System.Diagnostics;
using Polly;

namespace Broker.Worker;

/// <summary>Claims jobs for the free slots, runs them, and at the end lets them finish or hands them back.</summary>
internal sealed class WorkerLoop(BrokerClient client, JobLauncher launcher, WorkerOptions options, WorkerTimings timings, WorkerLog log) : IDisposable
{
    private readonly SemaphoreSlim free = new(options.Slots);
    private readonly LeaseKeeper keeper = new(client, options, timings, log);
    private readonly JobRunner runner = new(client, launcher, timings, log);
    private readonly CommandGate gate = new(launcher, timings, log);
    private bool registered;
    private bool unanswered;
    private bool drained;

    /// <summary>Ends some time after <paramref name="stopping"/>; <paramref name="hurry"/> cuts the grace time short.</summary>
    public async Task RunAsync(CancellationToken stopping, CancellationToken hurry = default)
    {
        log.Line($"worker {options.Id}: slots {options.Slots}, labels [{string.Join(", ", options.Labels)}], broker {options.Server}");
        using var lifetime = new CancellationTokenSource();
        var reporter = new Reporter(client, timings, log, mayClaim: () => !stopping.IsCancellationRequested && gate.IsOpen && !client.IsDrained);
        var services = Task.WhenAll(keeper.RunAsync(lifetime.Token), reporter.RunAsync(lifetime.Token));

        await ClaimAsync(reporter, stopping, lifetime.Token);

        var idle = AllSlotsFreeAsync();
        log.Line("stopping");
        await Task.WhenAny(idle, Task.Delay(TimeSpan.FromSeconds(options.GraceSecs), TimeProvider.System, hurry));
        lifetime.CancelAfter(timings.Kill + timings.StoppedLogs + timings.LastReports);
        // The loop stops jobs repeatedly: a job claimed in the last moment may start only now.
        while (!idle.IsCompleted)
        {
            foreach (var job in keeper.Held.Where(job => job.Stop(StopReason.Shutdown))) log.Line($"grace time over, stopping: {job.Claim}");
            await Task.WhenAny(idle, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System));
        }

        await lifetime.CancelAsync();
        await services;
        log.Line("stopped");
    }

    public void Dispose() => free.Dispose();

    private async Task ClaimAsync(Reporter reporter, CancellationToken stopping, CancellationToken lifetime)
    {
        // The worker retries on every answer: an operator can mend the broker, and the waiting worker goes on.
        var retry = Retrying.Forever(
            timings,
            e => log.Line($"no work to be had, trying again: {e.Message}"),
            new PredicateBuilder().Handle<BrokerUnavailableException>().Handle<BrokerRefusedException>());
        try
        {
            while (true)
            {
                var slots = await TakeFreeSlotsAsync(stopping);
                // One claim for all tries: leases granted in an answer that was lost come with the next.
                var request = client.ClaimFor(slots, options.WaitSecs);
                IReadOnlyList<Claim> claims = [];
                var asked = Stopwatch.GetTimestamp();
                try
                {
                    // After the wait for a slot: the job that held it may have shown that no other can start.
                    await gate.WaitUntilOpenAsync(stopping);
                    claims = await retry.ExecuteAsync(async ct => await RegisterAndClaimAsync(request, ct), stopping);
                    NoteDrain();
                }
                catch (OperationCanceledException) when (unanswered)
                {
                    await ReleaseUnansweredAsync(request, lifetime);
                    throw;
                }
                finally
                {
                    if (claims.Count < slots) free.Release(slots - claims.Count);
                }

                for (var i = 0; i < claims.Count; i++)
                    _ = i < slots ? RunSlotAsync(claims[i], reporter, stopping, lifetime) : ReleaseAsync(claims[i], lifetime);
                if (claims.Count == 0 && Stopwatch.GetElapsedTime(asked) < timings.IdlePause)
                    await Task.Delay(timings.IdlePause * (1 + Random.Shared.NextDouble()), TimeProvider.System, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    // The broker hands out no jobs while it lasts. The worker asks on, so that it sees the end.
    private void NoteDrain()
    {
        if (drained == client.IsDrained) return;
        drained = client.IsDrained;
        log.Line(drained ? "drained by an operator: jobs that run are finished, no others are taken" : "taking jobs again");
    }

    private async Task<IReadOnlyList<Claim>> RegisterAndClaimAsync(JobClaim request, CancellationToken ct)
    {
        try
        {
            if (!registered)
            {
                await client.RegisterAsync(ct);
                registered = true;
                log.Line("registered");
            }

            unanswered = true;
            var claims = await client.ClaimAsync(request, ct);
            unanswered = false;
            return claims;
        }
        catch (Exception e) when (e is BrokerUnavailableException or BrokerRefusedException)
        {
            // A broker that comes back may have removed this worker's registration.
            registered = false;
            throw;
        }
    }

    /// <summary>Hands back leases of a claim that the shutdown cut off: they would expire, which costs each job a retry.</summary>
    private async Task ReleaseUnansweredAsync(JobClaim request, CancellationToken lifetime)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(lifetime);
        limit.CancelAfter(timings.LastReports);
        try
        {
            var claims = await client.ClaimAsync(request with { Wait = 0 }, limit.Token);
            await Task.WhenAll(claims.Select(claim => ReleaseAsync(claim, limit.Token)));
        }
        catch (Exception e) when (e is BrokerUnavailableException or BrokerRefusedException or OperationCanceledException)
        {
            log.Line($"no answer to the last claim: {e.Message}");
        }
    }

    /// <summary>Runs one job after the other for as long as reports bring new ones.</summary>
    private async Task RunSlotAsync(Claim first, Reporter reporter, CancellationToken stopping, CancellationToken lifetime)
    {
        await Task.Yield();
        try
        {
            for (var claim = first; claim is not null;)
            {
                if (stopping.IsCancellationRequested)
                {
                    await ReleaseAsync(claim, lifetime);
                    return;
                }

                claim = await RunJobAsync(claim, reporter, lifetime);
            }
        }
        catch (Exception defect)
        {
            // A fault of one slot must not end the other jobs, and is logged. The lease of its job expires.
            log.Line($"given up after an internal error: {first.Job.WorkflowId}: {defect.GetType().Name}: {defect.Message}");
        }
        finally
        {
            free.Release();
        }
    }

    private async Task<Claim?> RunJobAsync(Claim claim, Reporter reporter, CancellationToken lifetime)
    {
        log.Line($"started: {claim}");
        using var control = new JobControl(claim);
        keeper.Hold(control);
        try
        {
            if (await runner.RunAsync(control) is { } result)
            {
                gate.Started();
                return await reporter.ReportAsync(claim, result);
            }

            if (control.Reason == StopReason.Shutdown) await ReleaseAsync(claim, lifetime);
            return null;
        }
        catch (CannotStartException cannot)
        {
            gate.Failed(cannot.Message);
            await ReleaseAsync(claim, lifetime, $"failed to spawn: {cannot.Message}");
            return null;
        }
        finally
        {
            keeper.Drop(control);
        }
    }

    /// <summary>Releases an unfinished job. A broker without releases gets a failure instead, so that it need not wait for the lease.</summary>
    private async Task ReleaseAsync(Claim claim, CancellationToken lifetime, string reason = "the worker was stopped")
    {
        var retry = Retrying.Forever(timings, e => log.Line($"not handed back, trying again: {claim}: {e.Message}"));
        try
        {
            await retry.ExecuteAsync(
                async ct =>
                {
                    if (!await client.ReleaseAsync(claim.Lease.LeaseId, ct))
                        await client.ReportAsync(JobResult.Failure(claim.Lease.LeaseId, reason), ct);
                },
                lifetime);
            log.Line($"handed back: {claim}");
        }
        catch (Exception e) when (e is BrokerRefusedException or OperationCanceledException)
        {
            log.Line($"not handed back: {claim}: {e.Message}");
        }
    }

    private async Task<int> TakeFreeSlotsAsync(CancellationToken ct)
    {
        await free.WaitAsync(ct);
        var count = 1;
        while (free.Wait(0, CancellationToken.None)) count++;
        return count;
    }

    private async Task AllSlotsFreeAsync()
    {
        for (var i = 0; i < options.Slots; i++) await free.WaitAsync();
    }
}
