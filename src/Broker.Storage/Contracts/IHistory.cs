using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>A page of rows and, when there is more, where to go on.</summary>
public sealed record Page<T>(IReadOnlyList<T> Rows, bool HasMore);

/// <summary>Where a run stands in a list of all runs.</summary>
public readonly record struct RunPlace(DateTimeOffset CreatedAt, long Id)
{
    public static RunPlace Of(RunView run) => new(run.QueuedAt, run.Ref.Id);
}

/// <summary>A list of runs that is read page by page; between two pages it holds nothing of the database.</summary>
public interface IRunWalk
{
    /// <summary>The next runs, at most that many; none at the end.</summary>
    Task<IReadOnlyList<RunView>> NextAsync(int most, CancellationToken ct);
}

/// <summary>Reading runs and what happened in them.</summary>
public interface IHistory
{
    /// <summary>The current run of an instance (or the numbered one), with its reached steps; null when there is none.</summary>
    Task<RunView?> FindAsync(string workflow, string instanceId, int? number, CancellationToken ct);

    /// <summary>The current run of the newest instance with that id in any workflow, with its steps.</summary>
    Task<RunView?> FindByInstanceAsync(string instanceId, CancellationToken ct);

    /// <summary>The active runs of all instances with that id, whatever their workflow.</summary>
    Task<IReadOnlyList<RunRef>> ActiveOfInstanceAsync(string instanceId, CancellationToken ct);

    /// <summary>The run that was started last in that workflow, with its steps; null when it never ran.</summary>
    Task<RunView?> LatestOfAsync(string workflow, CancellationToken ct);

    /// <summary>The last started run of each named workflow, with steps.</summary>
    Task<IReadOnlyDictionary<string, RunView>> LatestOfAsync(IReadOnlyList<string> workflows, CancellationToken ct);

    /// <summary>Current runs of all instances by their creation, oldest first, without steps, inputs and context.</summary>
    /// <param name="workflows">Only these; null for all.</param>
    /// <param name="after">The run before the first; null begins with the oldest.</param>
    /// <param name="ct">Gives up.</param>
    Task<IRunWalk> WalkAsync(IReadOnlyList<string>? workflows, RunPlace? after, CancellationToken ct);

    /// <summary>Instances of a workflow by descending id (ordinal), after <paramref name="afterId"/>; current runs without steps, inputs and context.</summary>
    Task<Page<RunView>> ListByIdAsync(string workflow, string? afterId, int limit, CancellationToken ct);

    /// <summary>Instances in any of these statuses by descending last update, then descending id.</summary>
    Task<Page<RunView>> ListByStatusAsync(
        string workflow, IReadOnlySet<RunStatus> statuses, (DateTimeOffset UpdatedAt, string Id)? after, int limit, CancellationToken ct);

    /// <summary>Steps of a run that have begun, in order of (begun, index), or the reverse.</summary>
    Task<Page<StepState>> StepsAsync(long runId, (DateTimeOffset Begun, int Index)? after, bool descending, int limit, CancellationToken ct);

    /// <summary>Items of a map that have a row, in order or in reverse, with their values and results. A page ends early where these are longer than 4 MiB.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="map">The map.</param>
    /// <param name="behind">Number of the item that the page begins behind; -1: none.</param>
    /// <param name="isBackward">The items before it, the last one first.</param>
    /// <param name="statuses">Only these; empty: all.</param>
    /// <param name="limit">Most items.</param>
    /// <param name="ct">Gives up.</param>
    Task<Page<StepState>> ItemsAsync(long runId, MapDefinition map, int behind, bool isBackward, IReadOnlySet<StepStatus> statuses, int limit, CancellationToken ct);

    /// <summary>A dynamic step with its value, without its result; null: it has no row.</summary>
    Task<StepState?> ItemAsync(long runId, int index, CancellationToken ct);

    /// <summary>Attempts of a run that did not succeed, in order of step and number: the last 100 of each step, and 1,000 at most.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="step">Index of the only step; null: all.</param>
    /// <param name="ct">Gives up.</param>
    Task<IReadOnlyList<AttemptEnd>> AttemptsAsync(long runId, int? step, CancellationToken ct);

    /// <summary>Raw JSON that a worker of the step sent last with a heartbeat; null: none did.</summary>
    Task<string?> ProgressAsync(long runId, int step, CancellationToken ct);

    /// <summary>Inbound events of a run in order of arrival, or the reverse.</summary>
    Task<Page<InboxEvent>> InboundAsync(long runId, long? afterId, bool descending, int limit, CancellationToken ct);

    /// <summary>Log lines of a run in order of arrival, or the reverse; level and category filter before paging.</summary>
    Task<Page<LogRow>> LogsAsync(
        long runId, string? level, string? category, long? afterId, bool descending, int limit, CancellationToken ct);
}
