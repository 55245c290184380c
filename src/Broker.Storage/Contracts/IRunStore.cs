using Broker.Core.Definitions;
using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>Starting and steering runs.</summary>
public interface IRunStore
{
    /// <summary>Starts all in one transaction; one outcome each. An id twice in one call: the first one counts.</summary>
    Task<IReadOnlyList<StartOutcome>> StartAsync(IReadOnlyList<StartRequest> starts, CancellationToken ct);

    /// <summary>
    /// Steers the current run of an instance, or the numbered one alone. For Restart the outcome names the new run. Cancel may give steps that clean up a
    /// grace time. An item of an action on many runs becomes done in the same transaction.
    /// </summary>
    Task<(ControlVerdict Verdict, RunRef? Run)> ControlAsync(
        string workflow, string instanceId, ControlCommand command, CancellationToken ct, int? number = null, TimeSpan grace = default, BulkItemKey? item = null);

    /// <summary>Retries the current run of an instance, or forks any of its runs into a new instance; both keep finished steps (invariant 24).</summary>
    Task<RerunOutcome> RerunAsync(RerunRequest request, CancellationToken ct, BulkItemKey? item = null);

    /// <summary>Stores an event for the current run of an instance and gives it to the waits that want it.</summary>
    /// <param name="workflow">Its workflow.</param>
    /// <param name="instanceId">Which one.</param>
    /// <param name="type">Event type.</param>
    /// <param name="payloadJson">Raw JSON, or null.</param>
    /// <param name="targetStep">The only step that may take it, or null.</param>
    /// <param name="delivery">Which waits get it.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="eventId">Its sender's id: what the run has under it already is kept, and nothing else happens, also when the run has ended since.</param>
    /// <returns>The verdict, and the run's status before the event took effect.</returns>
    Task<(SendVerdict Verdict, RunStatus Before)> SendAsync(
        string workflow, string instanceId, string type, string? payloadJson, string? targetStep, Delivery delivery, CancellationToken ct, string? eventId = null);

    /// <summary>Ends a step by hand, or makes it claimable at once (invariant 27).</summary>
    /// <param name="run">The run.</param>
    /// <param name="step">Name of the step.</param>
    /// <param name="order">The order, by the step, its definition and the instant.</param>
    /// <param name="ct">Gives up.</param>
    Task<HandVerdict> ByHandAsync(RunRef run, string step, Func<StepDefinition, WorkflowDefinition, DateTimeOffset, HandOrder> order, CancellationToken ct);

    /// <summary>Collects expired leases, at most a batch; returns how many.</summary>
    Task<int> ExpireLeasesAsync(int batch, CancellationToken ct);

    /// <summary>Finishes sleeps and waits that are due, and fails ready steps and runs that have reached their limit, at most a batch; returns how many.</summary>
    Task<int> FinishDueAsync(int batch, CancellationToken ct);
}
