using System.ComponentModel;

namespace Broker.Worker;

/// <summary>Runs the command of one claim from start to last log line; what becomes of the result is the caller's business.</summary>
internal sealed class JobRunner(BrokerClient client, WorkerTimings timings, WorkerLog log)
{
    /// <summary>Null when the command was stopped and there is nothing to report.</summary>
    public async Task<JobResult?> RunAsync(JobControl control)
    {
        string lease = control.Claim.Lease.LeaseId;
        try
        {
            using var files = new JobFiles(control.Claim.Job);
            using var group = ProcessGroup.Start(control.Claim.Job.Command, files.Environment);
            var failure = new FailureText();
            bool finished = await FollowAsync(control, group, failure);
            if (!finished)
                return control.Reason == StopReason.Cancelled ? JobResult.Failure(lease, "cancelled") : null;
            if (group.ExitCode != 0)
                return JobResult.Failure(lease, failure.For(group.ExitCode));
            return JobResult.Success(lease, OutputFile.Read(files.OutputPath));
        }
        catch (FormatException wrong)
        {
            return JobResult.Failure(lease, wrong.Message);
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            return JobResult.Failure(lease, $"failed to spawn: {e.Message}");
        }
    }

    /// <summary>True when the command ended by itself, false when it was stopped.</summary>
    private async Task<bool> FollowAsync(JobControl control, ProcessGroup group, FailureText failure)
    {
        using var logs = new LogBatcher(control.Claim.Job, timings.LogInterval, TimeProvider.System, PushTo(control.Claim));
        var stdout = new OutputPump(group.StandardOutput, line => Keep("stdout", line));
        var stderr = new OutputPump(group.StandardError, line => Keep("stderr", line));

        bool finished = true;
        try
        {
            await group.WaitForLeaderAsync(control.Stopped);
        }
        catch (OperationCanceledException)
        {
            finished = false;
        }

        await group.EndAsync(timings.Kill);

        // A broker that is away gets time to come back for the lines it has not got; less when the job was stopped, before or meanwhile.
        using var limit = new CancellationTokenSource(timings.ReportLimit);
        using (control.Stopped.Register(() => limit.CancelAfter(timings.StoppedLogs)))
        {
            await Task.WhenAll(stdout.FinishAsync(limit.Token), stderr.FinishAsync(limit.Token));
            if (!await logs.CloseAsync(limit.Token))
                log.Line($"log lines lost, broker away: {control.Claim}");
        }

        return finished;

        bool Keep(string stream, string line)
        {
            failure.Add(line);
            return logs.Write(stream, line);
        }
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
