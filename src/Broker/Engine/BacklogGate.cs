using Broker.Core.Runs;
using Broker.Settings;
using Broker.Storage.Contracts;

namespace Broker.Engine;

/// <summary>
/// Bounds the runs of a workflow that wait for workers. Starts ask no database: what waits is counted in the background, and what this
/// broker has started since is added. So a limit is exact on one broker; several may pass it by what the others start within a second.
/// </summary>
internal sealed class BacklogGate(BrokerSettings settings, IBacklog backlog, TimeProvider clock) : IDisposable
{
    /// <summary>Between two counts that refused starts may ask for: steps are taken quickly, and no start should be refused for an outdated count.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, Count> counts = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly SemaphoreSlim counting = new(1);
    private long countedAt;

    public bool IsLimited => settings.Limits.Backlog > 0;

    /// <summary>Starts all or none.</summary>
    public async Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, IRunStore runs, DateTimeOffset now, CancellationToken ct)
    {
        var asked = starts.CountBy(s => s.Definition.Name).ToList();
        if (!TryEnter(asked))
        {
            await CountAgainAsync(ct);
            if (!TryEnter(asked)) return [.. starts.Select(_ => new StartOutcome(StartVerdict.BacklogFull, null, now))];
        }

        var started = new Dictionary<string, int>(StringComparer.Ordinal);
        try
        {
            var outcomes = await runs.StartAsync(starts, ct);
            foreach (var outcome in outcomes)
            {
                if (outcome is { Verdict: StartVerdict.Started, Replayed: false, Run: { } run })
                    started[run.Workflow] = started.GetValueOrDefault(run.Workflow) + 1;
            }

            return outcomes;
        }
        finally
        {
            Leave(asked, started);
        }
    }

    /// <summary>Counts what waits; starts that commit meanwhile are counted twice until the next time, never not at all.</summary>
    public async Task CountAsync(CancellationToken ct)
    {
        await counting.WaitAsync(ct);
        try
        {
            Dictionary<string, int> before;
            lock (gate) before = counts.ToDictionary(c => c.Key, c => c.Value.Since, StringComparer.Ordinal);
            var stored = await backlog.CountAsync(ct);
            lock (gate)
            {
                foreach (var workflow in stored.Keys) Of(workflow);
                foreach (var (workflow, count) in counts)
                {
                    count.Stored = stored.GetValueOrDefault(workflow);
                    count.Since -= before.GetValueOrDefault(workflow);
                    if (count is { Stored: 0, Since: 0, Pending: 0 }) counts.Remove(workflow);
                }
            }

            Volatile.Write(ref countedAt, clock.GetTimestamp());
        }
        finally
        {
            counting.Release();
        }
    }

    public void Dispose() => counting.Dispose();

    private Task CountAgainAsync(CancellationToken ct) =>
        clock.GetElapsedTime(Volatile.Read(ref countedAt)) < Fresh ? Task.CompletedTask : CountAsync(ct);

    private bool TryEnter(List<KeyValuePair<string, int>> asked)
    {
        lock (gate)
        {
            foreach (var (workflow, number) in asked)
            {
                if (counts.TryGetValue(workflow, out var count) && count.All + number > settings.Limits.Backlog) return false;
                if (number > settings.Limits.Backlog) return false;
            }

            foreach (var (workflow, number) in asked) Of(workflow).Pending += number;
            return true;
        }
    }

    private void Leave(List<KeyValuePair<string, int>> asked, Dictionary<string, int> started)
    {
        lock (gate)
        {
            foreach (var (workflow, number) in asked)
            {
                var count = Of(workflow);
                count.Pending -= number;
                count.Since += started.GetValueOrDefault(workflow);
            }
        }
    }

    private Count Of(string workflow) => counts.TryGetValue(workflow, out var count) ? count : counts[workflow] = new Count();

    private sealed class Count
    {
        /// <summary>In the database when it was last counted.</summary>
        public int Stored { get; set; }

        /// <summary>Started by this broker since.</summary>
        public int Since { get; set; }

        /// <summary>Being started.</summary>
        public int Pending { get; set; }

        public int All => Stored + Since + Pending;
    }
}
