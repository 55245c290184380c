using System.Globalization;

namespace Broker.Worker;

/// <summary>Runs one claimed job from start to last log line; the caller reports the result.</summary>
internal sealed class JobRunner(BrokerClient client, JobLauncher launcher, WorkerTimings timings, WorkerLog log)
{
    /// <summary>Null when the job was stopped and there is nothing to report.</summary>
    /// <exception cref="CannotStartException">Nothing of the job has run.</exception>
    public async Task<JobResult?> RunAsync(JobControl control)
    {
        var lease = control.Claim.Lease.LeaseId;
        try
        {
            await using var job = launcher.Start(control.Claim.Job);
            return await FollowAsync(control, job);
        }
        catch (Exception wrong) when (wrong is FormatException or IOException)
        {
            return JobResult.Failure(lease, wrong.Message);
        }
    }

    private async Task<JobResult?> FollowAsync(JobControl control, StartedJob job)
    {
        var claim = control.Claim;
        var failure = new FailureText();
        using var logs = new LogBatcher(claim.Job, timings.LogInterval, TimeProvider.System, PushTo(claim));
        var output = new OutputReader(job.Group.StandardOutput, job.Group.StandardError, job.Secrets, (stream, line) =>
        {
            failure.Add(line);
            return logs.Write(stream, line);
        });

        var finished = await WaitForScriptAsync(control, job, output);
        var failedStep = finished && job.Group.ExitCode != 0 ? JobScript.NameOf(claim.Job, job.Files.Progress) : null;

        string? summary = null;

        // A broker that is away gets time to come back for the lines it has not got; less when the job was stopped, before or meanwhile.
        using var limit = new CancellationTokenSource(timings.ReportLimit);
        using (control.Stopped.Register(() => limit.CancelAfter(timings.StoppedLogs)))
        {
            await output.FinishAsync(limit.Token);
            if (failedStep is not null) logs.Write("stderr", $"step \"{failedStep}\" failed with exit code {job.Group.ExitCode}\n");
            if (control.Reason is StopReason.TimedOut && !finished) logs.Write("stderr", $"{LimitText(claim)}\n");
            if (finished) summary = SummaryOf(job, logs);
            if (job.Workspace.KeptAfter(failure: finished && job.Group.ExitCode != 0) is { } kept) logs.Write("stderr", $"workspace kept: {kept}\n");
            if (!await logs.CloseAsync(limit.Token)) log.Line($"log lines lost, broker away: {claim}");
        }

        var lease = claim.Lease.LeaseId;
        if (!finished) return StoppedResult(control);
        if (!job.HasStarted) throw new CannotStartException(failure.For(job.Group.ExitCode));
        return WithOutputs(job, lease, failure.For(job.Group.ExitCode, failedStep)) with { Summary = summary };
    }

    private static JobResult? StoppedResult(JobControl control) => control.Reason switch
    {
        StopReason.Cancelled => JobResult.Failure(control.Claim.Lease.LeaseId, "cancelled"),
        StopReason.TimedOut => JobResult.Failure(control.Claim.Lease.LeaseId, LimitText(control.Claim)),
        StopReason.Lost or StopReason.Shutdown or null => null,
    };

    private static string LimitText(Claim claim) =>
        string.Create(CultureInfo.InvariantCulture, $"stopped at the limit of its attempt, {claim.Lease.Limit!.Value.TotalMilliseconds:f0} ms");

    private static JobResult WithOutputs(StartedJob job, string lease, string failure)
    {
        try
        {
            return job.Group.ExitCode == 0 ? JobResult.Success(lease, OutputFile.Read(job.Files.OutputPath)) : JobResult.Failure(lease, failure);
        }
        catch (FormatException wrong)
        {
            return JobResult.Failure(lease, wrong.Message);
        }
    }

    // A summary that cannot be kept is no reason to fail the job: its log says so.
    private static string? SummaryOf(StartedJob job, LogBatcher logs)
    {
        try
        {
            return SummaryFile.Read(job.Files.SummaryPath, job.Secrets);
        }
        catch (FormatException wrong)
        {
            logs.Write("stderr", $"{wrong.Message}\n");
            return null;
        }
    }

    /// <summary>True when the script ended by itself, false when it was stopped. No process of the script is left.</summary>
    private async Task<bool> WaitForScriptAsync(JobControl control, StartedJob job, OutputReader output)
    {
        var finished = true;
        try
        {
            await job.Group.WaitForLeaderAsync(control.Stopped);
            await output.WaitForEndAsync(timings.LastOutput);
        }
        catch (OperationCanceledException)
        {
            finished = false;
        }

        await job.Group.EndAsync(timings.Kill);
        return finished;
    }

    private Func<IReadOnlyList<LogChunk>, CancellationToken, Task> PushTo(Claim claim)
    {
        var retry = Retrying.Forever(timings, e => log.Line($"logs not taken, trying again: {claim}: {e.Message}"));
        return async (chunks, ct) =>
        {
            try
            {
                await retry.ExecuteAsync(async token => await client.PushLogsAsync(claim.Lease.LeaseId, chunks, token), ct);
            }
            catch (BrokerRefusedException refused)
            {
                log.Line($"{chunks.Count} log lines refused with {refused.Message}: {claim}");
            }
        };
    }
}
