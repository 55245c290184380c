using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>A step that has not ended, with its run.</summary>
/// <param name="Run">Its run.</param>
/// <param name="Definition">Definition of the run.</param>
/// <param name="Phase">Phase of the run.</param>
/// <param name="State">The step, without result and progress.</param>
public sealed record OpenStep(RunRef Run, WorkflowDefinition Definition, RunPhase Phase, StepState State)
{
    public StepDefinition Step => Definition.StepOf(State.Index);
}

/// <summary>Place in a list of waits: ordered by their end, then by run and step.</summary>
public readonly record struct WaitPlace(DateTimeOffset Due, long RunId, int Index);

/// <param name="Workflows">Only of these; null: all.</param>
/// <param name="EventTypes">Only for these; null: any.</param>
/// <param name="IsForPeople">Only for events that people answer, or only for others; null: any.</param>
/// <param name="DueBefore">Only waits that end before; null: any.</param>
public sealed record WaitFilter(IReadOnlyList<string>? Workflows = null, IReadOnlyList<string>? EventTypes = null, bool? IsForPeople = null, DateTimeOffset? DueBefore = null);

/// <param name="Rows">Waits in order.</param>
/// <param name="Next">Place of the last wait that was examined; null at the end.</param>
/// <param name="IsCut">The search stopped at its bound.</param>
/// <param name="Now">The store's time.</param>
public sealed record WaitList(IReadOnlyList<OpenStep> Rows, WaitPlace? Next, bool IsCut, DateTimeOffset Now);

/// <summary>Workers that could take a step, as far as they were seen.</summary>
/// <param name="SeenAt">Last sign of life of the one seen last; null: none was seen.</param>
/// <param name="Fresh">Workers that were seen within the given time.</param>
public readonly record struct AbleWorkers(DateTimeOffset? SeenAt, int Fresh);

/// <summary>Reads of steps, over many runs.</summary>
public interface IStepFacts
{
    /// <summary>Raw JSON of a step's result, or null.</summary>
    Task<string?> ResultAsync(long runId, int step, CancellationToken ct);

    /// <summary>Steps of these runs that have not ended, at most that many; ordered by run and step.</summary>
    Task<IReadOnlyList<OpenStep>> OpenAsync(IReadOnlyList<long> runs, int most, CancellationToken ct);

    /// <summary>The claimable step of a queue that is first in line; null: there is none.</summary>
    Task<OpenStep?> FirstOfQueueAsync(int queueId, CancellationToken ct);

    /// <summary>
    /// Waits for events, the one that ends first first; backward those before a place, the nearest first. Examines at most <see cref="IRunSearch.Examined"/> waits.
    /// </summary>
    Task<WaitList> WaitsAsync(WaitFilter filter, WaitPlace? after, int limit, CancellationToken ct, bool isBackward = false);

    /// <summary>For each step the workers that could take it. Workers are read once for all.</summary>
    /// <param name="steps">Ready steps.</param>
    /// <param name="silentAfter">A worker of that kind is fresh for so long.</param>
    /// <param name="ct">Gives up.</param>
    Task<IReadOnlyList<AbleWorkers>> WorkersAbleAsync(IReadOnlyList<OpenStep> steps, Func<WorkerKind, TimeSpan> silentAfter, CancellationToken ct);
}
