namespace Broker.Core.Steps;

/// <summary>Why a request does not count: it names no current lease of a step.</summary>
public enum LeaseLoss
{
    /// <summary>The step goes on without that lease: it expired, was released, or its attempt took too long.</summary>
    LeaseLost,

    /// <summary>The step was cancelled, and its lease has gone.</summary>
    StepCancelled,

    /// <summary>The step has ended otherwise, perhaps by the same report sent before.</summary>
    StepEnded,

    /// <summary>There never was such a lease, or retention has removed its run.</summary>
    UnknownLease,

    /// <summary>There is no such instance, or retention has removed it.</summary>
    UnknownInstance,

    /// <summary>The definition has no such step.</summary>
    UnknownStep,
}

/// <summary>Rule of lost leases.</summary>
public static class LeaseLosses
{
    /// <summary>A lease that is not the current one of a step.</summary>
    /// <param name="step">Status of the step; null: no worker ever held it.</param>
    public static LeaseLoss Of(StepStatus? step) => step is { } status ? Of(status) : LeaseLoss.UnknownLease;

    private static LeaseLoss Of(StepStatus step) => step switch
    {
        StepStatus.Cancelled => LeaseLoss.StepCancelled,
        StepStatus.Succeeded or StepStatus.Skipped or StepStatus.Failed or StepStatus.NotRun => LeaseLoss.StepEnded,
        StepStatus.Pending or StepStatus.Ready or StepStatus.Leased or StepStatus.Waiting => LeaseLoss.LeaseLost,
    };
}
