using System.ComponentModel;
using System.Diagnostics;

namespace Broker.Worker;

/// <summary>A shell script and everything it starts, in a session and process group of its own.</summary>
internal sealed class ProcessGroup : IDisposable
{
    // A process that a signal does not end after this long waits for a device; the slot does not wait with it.
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(5);

    private static readonly int OwnGroup = ProcessTable.Find(Environment.ProcessId)?.Group ?? 0;

    private readonly Process leader;
    private readonly Descendants descendants;
    private readonly string attempt;

    private ProcessGroup(Process leader, Descendants descendants, string attempt)
    {
        this.leader = leader;
        this.descendants = descendants;
        this.attempt = attempt;
    }

    public Stream StandardOutput => leader.StandardOutput.BaseStream;
    public Stream StandardError => leader.StandardError.BaseStream;

    /// <summary>Signals come out as the shell shows them, 128 + number.</summary>
    public int ExitCode => leader.ExitCode;

    /// <exception cref="Win32Exception">The script could not be started.</exception>
    public static ProcessGroup Start(string script, string folder, JobEnvironment environment, Descendants descendants)
    {
        // setsid replaces itself by sh, so that the child's id is the group's id.
        var start = new ProcessStartInfo("setsid", ["sh", script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        var attempt = Guid.NewGuid().ToString("N");
        environment.ApplyTo(start);
        start.Environment[Descendants.Mark] = attempt;

        var leader = descendants.StartLeader(start, attempt);
        leader.StandardInput.Close();
        return new ProcessGroup(leader, descendants, attempt);
    }

    public Task WaitForLeaderAsync(CancellationToken ct) => leader.WaitForExitAsync(ct);

    /// <summary>Ends the rest of the script and its processes: SIGTERM first, after <paramref name="grace"/> SIGKILL.</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        var asked = new HashSet<int>();
        var time = Stopwatch.GetTimestamp();
        while (Left() is { Count: > 0 } left && Stopwatch.GetElapsedTime(time) < grace + GiveUp)
        {
            var force = Stopwatch.GetElapsedTime(time) >= grace;
            // Signals go to groups: a shell that got its signal after its program would go on with the next command.
            foreach (var target in left.Where(p => force || asked.Add(p.Id)).Select(p => p.Group == OwnGroup ? p.Id : -p.Group).Distinct())
                _ = Libc.Kill(target, force ? Libc.SigKill : Libc.SigTerm);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        await leader.WaitForExitAsync();
    }

    public void Dispose()
    {
        descendants.Forget(leader.Id);
        leader.Dispose();
    }

    private IReadOnlyList<ProcessEntry> Left()
    {
        var left = descendants.Of(leader.Id, attempt);
        if (left.Count > 0 || leader.HasExited) return left;

        // In the first moment the child may not have reached setsid yet; then it has no children and is in the worker's group.
        return [new(leader.Id, Environment.ProcessId, OwnGroup, OwnGroup, IsZombie: false)];
    }
}
