using Broker.Storage.Contracts;

namespace Broker.Operations.Metrics;

/// <summary>Depth and age of what waits, by what it asks of a worker.</summary>
/// <param name="ByLabels">By label set.</param>
/// <param name="Starved">Steps that no worker can take, by workflow and label set.</param>
/// <param name="Workers">Number of workers.</param>
internal sealed record WorkFigures(IReadOnlyList<Waiting> ByLabels, IReadOnlyList<Waiting> Starved, WorkerCounts Workers)
{
    /// <summary>Label sets with a series of their own, those with the most steps; names are the clients' choice.</summary>
    public const int MostSets = 200;

    /// <summary>Label of whatever comes after them.</summary>
    public const string Others = "(others)";

    /// <summary>Workflow of queues that any worker with the labels serves, and labels of steps that ask for none.</summary>
    public const string Any = "(any)";

    public static WorkFigures None { get; } = new([], [], new(0, 0, 0));

    public static async Task<WorkFigures> ReadAsync(IWorkFacts work, Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct)
    {
        var (queues, now) = await work.QueuesAsync(null, silentAfter, ct);
        var waiting = queues.Where(queue => queue.Depth > 0).Select(queue => Of(queue, now)).ToList();
        var starved = queues.Where(queue => queue is { Depth: > 0, WorkersAble: 0 }).Select(queue => Of(queue, now)).ToList();
        return new(Together(waiting.Select(one => one with { Workflow = Any })), Together(starved), await work.CountWorkersAsync(silentAfter, ct));
    }

    private static Waiting Of(QueueView queue, DateTimeOffset now) => new(
        queue.Workflow ?? Any, queue.Labels.Count == 0 ? Any : string.Join(',', queue.Labels), queue.Depth, queue.OldestDue is { } due && due < now ? (now - due).TotalSeconds : 0);

    private static List<Waiting> Together(IEnumerable<Waiting> queues)
    {
        var sets = queues.GroupBy(queue => (queue.Workflow, queue.Labels), (key, same) => Sum(key.Workflow, key.Labels, [.. same]))
            .OrderByDescending(set => set.Depth).ThenBy(set => set.Labels, StringComparer.Ordinal).ToList();
        return sets.Count <= MostSets ? sets : [.. sets.Take(MostSets), Sum(Others, Others, sets[MostSets..])];
    }

    private static Waiting Sum(string workflow, string labels, List<Waiting> all) => new(workflow, labels, all.Sum(one => one.Depth), all.Max(one => one.Age));
}

/// <summary>Claimable steps of one kind.</summary>
/// <param name="Workflow">Workflow whose workers take them.</param>
/// <param name="Labels">Labels that they ask for, separated by commas.</param>
/// <param name="Depth">Their number.</param>
/// <param name="Age">Seconds that the oldest has been claimable.</param>
internal readonly record struct Waiting(string Workflow, string Labels, int Depth, double Age);
