using System.Diagnostics;
using System.Globalization;

namespace Broker.Testing;

/// <summary>
/// A shell that holds a pipe from this process. When the pipe ends, it kills the processes whose ids it has read. No process is therefore
/// left behind, even after a SIGKILL of the test run.
/// </summary>
internal static class Watchdog
{
    private const string Script = """
        trap '' HUP INT TERM
        live=' '
        while read verb pid; do
            case $verb in
                watch) live="$live$pid ";;
                forget) case "$live" in *" $pid "*) live="${live%% $pid *} ${live#* $pid }";; esac;;
            esac
        done
        for pid in $live; do kill -KILL $pid; done
        """;

    private static readonly Lock Gate = new();

    private static readonly Lazy<Process> Shell = new(() =>
        Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script]) { RedirectStandardInput = true, WorkingDirectory = "/tmp" })!);

    public static void Watch(int pid) => Tell("watch", pid);

    public static void Forget(int pid) => Tell("forget", pid);

    private static void Tell(string verb, int pid)
    {
        lock (Gate)
        {
            Shell.Value.StandardInput.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{verb} {pid}"));
            Shell.Value.StandardInput.Flush();
        }
    }
}
