using System.ComponentModel;
using System.Diagnostics;

namespace Broker.Worker;

/// <summary>
/// Table of the processes under this one: leaders of jobs, and processes that jobs left behind. A process that has left its job's session
/// becomes a child of the worker when its parent ends (child subreaper). The end of its job can therefore find it.
/// </summary>
internal sealed class Descendants(bool adopts) : IDisposable
{
    /// <summary>Variable of every job that marks its processes, also adopted ones.</summary>
    public const string Mark = "BROKER_ATTEMPT_ID";

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly Dictionary<int, string> leaders = [];

    /// <summary>Adopted processes without a mark, and the jobs that ran when they were first seen: one of these has started them.</summary>
    private readonly Dictionary<int, HashSet<string>> unmarked = [];

    private readonly HashSet<int> watched = [];
    private readonly Watchdog watchdog = new();
    private Timer? timer;

    /// <summary>Makes this process the parent of its descendants' orphans.</summary>
    public static Descendants AdoptAll()
    {
        _ = Libc.Prctl(Libc.SetChildSubreaper, 1, 0, 0, 0);
        return new Descendants(adopts: true);
    }

    /// <exception cref="Win32Exception">The process could not be started.</exception>
    public Process StartLeader(ProcessStartInfo start, string attempt)
    {
        lock (gate)
        {
            watchdog.Ensure();
            var leader = Process.Start(start) ?? throw new Win32Exception("no process was started");
            leaders[leader.Id] = attempt;
            watchdog.Add(leader.Id);
            if (adopts) timer ??= new Timer(_ => LookAtOrphans(), null, Look, Look);
            return leader;
        }
    }

    /// <summary>Call when the leader was waited for and its processes are gone.</summary>
    public void Forget(int leader)
    {
        lock (gate)
        {
            if (!leaders.Remove(leader, out var attempt)) return;
            watchdog.Remove(leader);
            foreach (var candidates in unmarked.Values) candidates.Remove(attempt);
        }
    }

    /// <summary>Living processes of an attempt: its group, its session, their descendants, and its adopted processes.</summary>
    public IReadOnlyList<ProcessEntry> Of(int leader, string attempt)
    {
        // Nearly always there is nothing, and two cheap questions show it.
        var orphans = Orphans();
        if (orphans.Count == 0 && Libc.Kill(-leader, 0) != 0) return [];

        var own = orphans.Where(id => BelongsTo(id, leader, attempt)).ToHashSet();
        return [.. ProcessTable.WithDescendants(ProcessTable.Read(), p => p.Id == leader || p.Group == leader || p.Session == leader || own.Contains(p.Id))
            .Where(p => !p.IsZombie)];
    }

    public void Dispose()
    {
        lock (gate)
        {
            timer?.Dispose();
            watchdog.Dispose();
        }
    }

    /// <summary>Children that are no leaders, without the dead: these are waited for here, since the runtime waits only for its own.</summary>
    private List<int> Orphans()
    {
        lock (gate)
        {
            if (!adopts)
            {
                foreach (var leader in leaders.Keys) ReapGroup(leader);
                return [];
            }

            var alive = new List<int>();
            foreach (var id in ProcessTable.ChildrenOfThisProcess())
            {
                if (leaders.ContainsKey(id) || id == watchdog.Id) continue;
                if (Libc.WaitPid(id, out _, Libc.NoHang) == 0) alive.Add(id);
            }

            foreach (var gone in unmarked.Keys.Except(alive).ToList()) unmarked.Remove(gone);
            return alive;
        }
    }

    // As process 1 of a container the worker adopts orphans without being a subreaper. A leader itself is left to the runtime.
    private static void ReapGroup(int leader)
    {
        if (ProcessTable.Find(leader) is not null) return;
        while (Libc.WaitPid(-leader, out _, Libc.NoHang) > 0)
        {
        }
    }

    private bool BelongsTo(int id, int leader, string attempt)
    {
        if (ProcessTable.Find(id) is { } process && (process.Group == leader || process.Session == leader)) return true;
        if (ProcessTable.HasVariable(id, Mark, attempt)) return true;
        lock (gate)
        {
            if (leaders.Values.Any(other => other != attempt && ProcessTable.HasVariable(id, Mark, other))) return false;
            // The process emptied its environment, so its job is unknown. It ends with the last job that can have started it.
            if (!unmarked.TryGetValue(id, out var candidates)) unmarked[id] = candidates = [.. leaders.Values];
            return candidates.All(candidate => candidate == attempt);
        }
    }

    /// <summary>Waits for dead orphans, and has the watchdog end living ones should this process be killed.</summary>
    private void LookAtOrphans()
    {
        var orphans = Orphans();
        lock (gate)
        {
            foreach (var id in orphans.Where(watched.Add)) watchdog.Add(id);
            foreach (var gone in watched.Except(orphans).ToList())
            {
                watched.Remove(gone);
                watchdog.Remove(gone);
            }
        }
    }
}
