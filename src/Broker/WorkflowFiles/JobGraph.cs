namespace Broker.WorkflowFiles;

/// <summary>Cycles among the jobs of a file.</summary>
internal static class JobGraph
{
    /// <summary>
    /// Cycles that share no job, each in the order in which its jobs need the next. The search removes jobs that could run until only those
    /// in or behind a cycle are left. It does not recurse, as a file may chain tens of thousands of jobs.
    /// </summary>
    public static IEnumerable<IReadOnlyList<string>> Cycles(IReadOnlyDictionary<string, IReadOnlyList<string>> needs)
    {
        var open = needs.ToDictionary(j => j.Key, j => j.Value.Distinct(StringComparer.Ordinal).Count(needs.ContainsKey), StringComparer.Ordinal);
        var dependents = needs.SelectMany(j => j.Value.Distinct(StringComparer.Ordinal).Select(n => (Need: n, Job: j.Key)))
            .ToLookup(e => e.Need, e => e.Job, StringComparer.Ordinal);
        var removable = new Queue<string>(needs.Keys.Where(j => open[j] == 0));

        RemoveRunnable();
        foreach (var start in needs.Keys)
        {
            // Repeated, since jobs behind one cycle may be in another.
            while (open.ContainsKey(start))
            {
                var cycle = CycleFrom(start);
                yield return cycle;
                foreach (var job in cycle) removable.Enqueue(job);

                RemoveRunnable();
            }
        }

        void RemoveRunnable()
        {
            while (removable.TryDequeue(out var job))
            {
                if (!open.Remove(job)) continue;

                foreach (var dependent in dependents[job].Where(open.ContainsKey))
                {
                    if (--open[dependent] == 0) removable.Enqueue(dependent);
                }
            }
        }

        List<string> CycleFrom(string start)
        {
            var path = new List<string>();
            var places = new Dictionary<string, int>(StringComparer.Ordinal);
            var job = start;
            while (places.TryAdd(job, path.Count))
            {
                path.Add(job);
                // Each job left needs another one that is left, or it would have been taken away.
                job = needs[job].First(open.ContainsKey);
            }

            return path[places[job]..];
        }
    }
}
