using Broker.Core.Steps;

namespace Broker.Api;

/// <summary>Answer to workers about a lease that does not count: a code for programs, a sentence for people. The same in all dialects.</summary>
internal static class LostLease
{
    /// <summary>Part of the API.</summary>
    public static string Code(LeaseLoss loss) => loss switch
    {
        LeaseLoss.LeaseLost => "lease_lost",
        LeaseLoss.StepCancelled => "step_cancelled",
        LeaseLoss.StepEnded => "step_ended",
        LeaseLoss.UnknownLease => "unknown_lease",
        LeaseLoss.UnknownInstance => "unknown_instance",
        LeaseLoss.UnknownStep => "unknown_step",
    };

    public static string Text(LeaseLoss loss) => loss switch
    {
        LeaseLoss.LeaseLost => "the lease is lost: it expired, was released, or its attempt took too long",
        LeaseLoss.StepCancelled => "the step was cancelled, and its lease has gone",
        LeaseLoss.StepEnded => "the step has ended, perhaps by the same report sent before",
        LeaseLoss.UnknownLease => "there never was such a lease, or retention has removed its run",
        LeaseLoss.UnknownInstance => "there is no such instance, or retention has removed it",
        LeaseLoss.UnknownStep => "the definition has no such step",
    };
}
