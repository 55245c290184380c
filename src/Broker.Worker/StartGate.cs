namespace Broker.Worker;

/// <summary>Closed while the worker can start no commands: it then claims nothing, says why, and checks itself with growing pauses.</summary>
internal sealed class StartGate(JobLauncher launcher, WorkerTimings timings, WorkerLog log)
{
    private readonly Lock _gate = new();
    private bool _open;
    private int _failures;
    private string? _reason;

    public bool IsOpen
    {
        get
        {
            lock (_gate)
                return _open;
        }
    }

    /// <summary>A job could not be started. A good check does not undo it alone: the pauses grow until a job has started.</summary>
    public void Failed(string reason)
    {
        lock (_gate)
        {
            _open = false;
            _failures++;
        }

        Say(reason);
    }

    public void Started()
    {
        lock (_gate)
            _failures = 0;
    }

    /// <summary>Returns when a check has shown that commands can be started.</summary>
    public async Task WaitUntilOpenAsync(CancellationToken ct)
    {
        while (!IsOpen)
        {
            int failures;
            lock (_gate)
                failures = _failures;
            if (failures > 0)
                await Task.Delay(Pause(failures), ct);

            string? problem = await launcher.ProblemAsync(timings.Check, ct);
            lock (_gate)
            {
                // Another job may have failed to start during the check.
                _open = problem is null && failures == _failures;
                if (problem is not null)
                    _failures++;
            }

            if (problem is not null)
                Say(problem);
            else if (IsOpen)
                Recovered();
        }
    }

    private TimeSpan Pause(int failures)
    {
        var grown = timings.CheckFirst * Math.Pow(2, Math.Min(failures - 1, 30));
        return grown < timings.CheckMost ? grown : timings.CheckMost;
    }

    private void Say(string reason)
    {
        lock (_gate)
        {
            if (_reason == reason)
                return;
            _reason = reason;
        }

        log.Line($"cannot start commands, claiming nothing: {reason}");
    }

    private void Recovered()
    {
        lock (_gate)
        {
            if (_reason is null)
                return;
            _reason = null;
        }

        log.Line("commands can be started again");
    }
}
