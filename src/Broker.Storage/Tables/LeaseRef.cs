using Broker.Core.Steps;

namespace Broker.Storage.Tables;

/// <summary>A lease as a request names it: by its fence, by its worker, or by both.</summary>
internal readonly record struct LeaseRef(StepKey Step, long? Fence, string? Worker)
{
    /// <summary>A fence that no step has.</summary>
    private const long NoFence = -1;

    /// <summary>A lease of another step is none of this one, whatever its fence: claims with the same id reuse fences.</summary>
    public static LeaseRef Of(StepKey step, LeaseId? lease, string? worker) =>
        new(step, lease is { } named ? named.RunId == step.RunId && named.Step == step.Index ? named.Fence : NoFence : null, worker);

    /// <summary>Whether a step with this fence and worker is held under it.</summary>
    public bool Is(long? fence, string? worker) => (Fence ?? fence) == fence && (Worker ?? worker) == worker;

    /// <summary>The fence to report under: the step's own where the request names only the worker that holds it.</summary>
    public long FenceAt(StepState? step) => step?.Fence is { } fence && Is(fence, step.Worker) ? fence : NoFence;
}
