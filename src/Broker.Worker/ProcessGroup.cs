using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Broker.Worker;

/// <summary>A shell command and everything it starts, in a session and process group of its own.</summary>
internal sealed partial class ProcessGroup : IDisposable
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const int NoHang = 1;

    private readonly Process _leader;

    private ProcessGroup(Process leader) => _leader = leader;

    public Stream StandardOutput => _leader.StandardOutput.BaseStream;
    public Stream StandardError => _leader.StandardError.BaseStream;

    /// <summary>Signals come out as the shell shows them, 128 + number.</summary>
    public int ExitCode => _leader.ExitCode;

    /// <exception cref="Win32Exception">The command could not be started.</exception>
    public static ProcessGroup Start(string command, IEnumerable<KeyValuePair<string, string>> environment)
    {
        // The runtime would silently cut the argument there.
        if (command.Contains('\0', StringComparison.Ordinal))
            throw new Win32Exception("the command holds a NUL character");

        // setsid replaces itself by sh, so that the child's id is the group's id.
        var start = new ProcessStartInfo("setsid", ["sh", "-c", command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment.Remove(WorkerOptions.ApiKeyVariable);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var leader = Process.Start(start) ?? throw new Win32Exception("no process was started");
        leader.StandardInput.Close();
        return new ProcessGroup(leader);
    }

    public Task WaitForLeaderAsync(CancellationToken ct) => _leader.WaitForExitAsync(ct);

    /// <summary>Ends whatever is left of the group: a request first, after <paramref name="grace"/> force.</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        if (IsGone())
            return;

        Signal(SigTerm);
        long deadline = Environment.TickCount64 + (long)grace.TotalMilliseconds;
        while (!IsGone())
        {
            if (Environment.TickCount64 >= deadline)
            {
                Signal(SigKill);
                break;
            }

            await Task.Delay(20);
        }

        await _leader.WaitForExitAsync();
        Reap();
    }

    public void Dispose() => _leader.Dispose();

    private bool IsGone()
    {
        if (!_leader.HasExited)
            return false;
        Reap();
        return kill(-_leader.Id, 0) != 0;
    }

    private void Signal(int signal)
    {
        // In the first moment the child may not have reached setsid yet; then it has no children either.
        if (kill(-_leader.Id, signal) != 0 && !_leader.HasExited)
            _ = kill(_leader.Id, signal);
    }

    // As process 1 of a container the worker inherits the orphans of its jobs, and the runtime waits only for children it started.
    // Called when the leader has been waited for, so that its status is not taken from the runtime.
    private void Reap()
    {
        while (waitpid(-_leader.Id, out _, NoHang) > 0)
        {
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, out int status, int options);
}
