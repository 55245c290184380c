namespace Broker.Worker;

/// <summary>Closed while the worker can start no commands: it then claims nothing, says why, and checks itself with growing pauses.</summary>
internal sealed class CommandGate(JobLauncher launcher, WorkerTimings timings, WorkerLog log)
{
    private readonly Lock gate = new();
    private bool open;
    private int failures;
    private string? reason;

    public bool IsOpen
    {
        get
        {
            lock (gate) return open;
        }
    }

    /// <summary>A job could not be started. A good check does not undo it alone: the pauses grow until a job has started.</summary>
    public void Failed(string reason)
    {
        lock (gate)
        {
            open = false;
            failures++;
        }

        Say(reason);
    }

    public void Started()
    {
        lock (gate) failures = 0;
    }

    /// <summary>Returns when a check has shown that commands can be started.</summary>
    public async Task WaitUntilOpenAsync(CancellationToken ct)
    {
        while (!IsOpen)
        {
            int failures;
            lock (gate) failures = this.failures;
            if (failures > 0) await Task.Delay(Pause(failures), TimeProvider.System, ct);

            var problem = await launcher.ProblemAsync(timings.Check, ct);
            lock (gate)
            {
                // Another job may have failed to start during the check.
                open = problem is null && failures == this.failures;
                if (problem is not null) this.failures++;
            }

            if (problem is not null) Say(problem);
            else if (IsOpen) Recovered();
        }
    }

    private TimeSpan Pause(int failures)
    {
        var grown = timings.CheckFirst * Math.Pow(2, Math.Min(failures - 1, 30));
        return grown < timings.CheckMost ? grown : timings.CheckMost;
    }

    private void Say(string reason)
    {
        lock (gate)
        {
            if (this.reason == reason) return;
            this.reason = reason;
        }

        log.Line($"cannot start commands, claiming nothing: {reason}");
    }

    private void Recovered()
    {
        lock (gate)
        {
            if (reason is null) return;
            reason = null;
        }

        log.Line("commands can be started again");
    }
}
