using Broker.Core.Steps;

namespace Broker.Storage.Contracts;

/// <summary>Look-up of leases and their steps, for callers that know only a part of the names.</summary>
public interface ILeaseLookup
{
    /// <summary>Names of the workflows of these runs; runs that do not exist are left out.</summary>
    Task<IReadOnlyDictionary<long, string>> WorkflowsOfAsync(IReadOnlyList<long> runs, CancellationToken ct);

    /// <summary>The lease that a worker holds on a step, or null: broker-dialect workers know no lease ids.</summary>
    Task<LeaseId?> FindLeaseAsync(string workerId, string workflow, string workerInstanceId, string step, CancellationToken ct);

    /// <summary>Statuses of steps by run and index; steps that were not reached are left out.</summary>
    Task<IReadOnlyDictionary<(long Run, int Step), StepStatus>> StatusesAsync(IReadOnlyList<(long Run, int Step)> places, CancellationToken ct);

    /// <summary>Why each of these leases does not count. The caller knows that none is current.</summary>
    Task<IReadOnlyList<LeaseLoss>> LossesAsync(IReadOnlyList<LeaseId> lost, CancellationToken ct);

    /// <summary>Why no lease of the caller on each of these steps counts. The caller knows that none is current.</summary>
    Task<IReadOnlyList<LeaseLoss>> LossesAsync(IReadOnlyList<NamedStep> lost, CancellationToken ct);
}
