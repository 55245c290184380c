using System.Diagnostics;
using System.Globalization;

namespace Broker.Worker;

/// <summary>
/// A small shell process beside the worker that reads process ids from a pipe. A worker that is killed cannot end its commands: the pipe
/// then closes, and the watchdog kills these processes, their groups, sessions and descendants. It has a session of its own, so that a
/// signal to the worker's group does not reach it.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    // Builtins only: a search path is not needed. Ancestry is read before the first kill, since orphans lose it.
    private const string Script = """
        cd / && exec >/dev/null 2>&1
        trap '' HUP INT QUIT TERM
        roots=' '
        while read -r what id; do
          case $what in
            +) roots="$roots$id " ;;
            -) case $roots in *" $id "*) roots="${roots%% $id *} ${roots#* $id }" ;; esac ;;
          esac
        done
        known=$roots
        again=1
        round=0
        while [ $again = 1 ] && [ $round -lt 200 ]; do
          again=0
          round=$((round + 1))
          before=
          while [ "$before" != "$known" ]; do
            before=$known
            for folder in /proc/[0-9]*; do
              id=${folder#/proc/}
              case $known in *" $id "*) continue ;; esac
              line=
              while IFS= read -r part; do line="$line$part"; done <"$folder/stat" || continue
              set -- ${line##*") "}
              case $known in *" $2 "*) known="$known$id " ;; esac
              case $roots in *" $3 "* | *" $4 "*) known="$known$id " ;; esac
            done
          done
          for id in $known; do
            line=
            { while IFS= read -r part; do line="$line$part"; done <"/proc/$id/stat"; } || continue
            set -- ${line##*") "}
            case $1 in '' | Z | X) continue ;; esac
            again=1
            kill -KILL "$id"
          done
        done
        """;

    private readonly HashSet<int> ids = [];
    private Process? process;

    /// <summary>The child that is not a job's.</summary>
    public int Id => process?.Id ?? 0;

    /// <summary>Starts it, again when it has ended.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
    public void Ensure()
    {
        if (process is { HasExited: false }) return;
        process?.Dispose();
        var start = new ProcessStartInfo("setsid", ["sh", "-c", Script]) { RedirectStandardInput = true, UseShellExecute = false };
        start.Environment.Clear();
        process = Process.Start(start);
        foreach (var id in ids) Tell('+', id);
    }

    public void Add(int id)
    {
        ids.Add(id);
        Tell('+', id);
    }

    public void Remove(int id)
    {
        ids.Remove(id);
        Tell('-', id);
    }

    public void Dispose()
    {
        try
        {
            process?.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        process?.Dispose();
    }

    private void Tell(char what, int id)
    {
        try
        {
            process?.StandardInput.Write(string.Create(CultureInfo.InvariantCulture, $"{what} {id}\n"));
            process?.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It was killed; the next start of a job starts it again.
        }
    }
}
