using System.ComponentModel;

namespace Broker.Worker;

/// <summary>The worker cannot run a job for a reason that lies in its machine; the job is as it was.</summary>
internal sealed class CannotStartException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Makes the files of a job and starts its script.</summary>
internal sealed class JobLauncher(EnvironmentPolicy policy, WorkspacePolicy workspaces, Descendants descendants)
{
    // A disk with less room fails a check, not a job.
    private const int CheckBytes = 64 * 1024;

    private static readonly ClaimedJob CheckJob = new("", "", ":");

    /// <exception cref="CannotStartException">No job can be started now.</exception>
    /// <exception cref="FormatException">This job cannot be started anywhere.</exception>
    public StartedJob Start(ClaimedJob job)
    {
        JobFiles? files = null;
        Workspace? workspace = null;
        try
        {
            files = new JobFiles(job, policy.Account);
            workspace = workspaces.Open(policy.Account);
            var environment = new JobEnvironment(policy, job, files, workspace.Path);
            JobScript.Write(files, job, environment);
            return new StartedJob(files, workspace, ProcessGroup.Start(files.ScriptPath, workspace.Path, environment, descendants), environment.Secrets);
        }
        catch (Exception e)
        {
            files?.Dispose();
            workspace?.Dispose();
            if (e is Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException)
                throw new CannotStartException(e.Message, e);
            throw;
        }
    }

    /// <summary>Why no job can be started; null when one can.</summary>
    public async Task<string?> ProblemAsync(TimeSpan limit, CancellationToken ct)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(ct);
        time.CancelAfter(limit);
        var said = new FailureText();
        try
        {
            await using var job = Start(CheckJob);
            job.Files.Write(job.Files.PathOf("check"), new string('x', CheckBytes));
            var output = new OutputReader(job.Group.StandardOutput, job.Group.StandardError, [], (_, line) => Keep(line));
            try
            {
                await job.Group.WaitForLeaderAsync(time.Token);
            }
            finally
            {
                await job.Group.EndAsync(TimeSpan.Zero);
                await output.FinishAsync(time.Token);
            }

            return job.HasStarted && job.Group.ExitCode == 0 ? null : said.For(job.Group.ExitCode);
        }
        catch (Exception e) when (e is CannotStartException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return $"a shell did not end within {limit.TotalSeconds:0} s";
        }

        bool Keep(string line)
        {
            said.Add(line);
            return true;
        }
    }
}

/// <summary>A script that runs, with its files. Disposal leaves neither processes nor files.</summary>
internal sealed class StartedJob(JobFiles files, Workspace workspace, ProcessGroup group, IReadOnlyCollection<string> secrets) : IAsyncDisposable
{
    public JobFiles Files => files;
    public Workspace Workspace => workspace;
    public ProcessGroup Group => group;
    public IReadOnlyCollection<string> Secrets => secrets;

    /// <summary>False while no shell has read the script.</summary>
    public bool HasStarted => files.HasStarted;

    public async ValueTask DisposeAsync()
    {
        await group.EndAsync(TimeSpan.Zero);
        group.Dispose();
        files.Dispose();
        workspace.Dispose();
    }
}
