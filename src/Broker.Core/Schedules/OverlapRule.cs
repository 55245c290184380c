namespace Broker.Core.Schedules;

/// <summary>Outcome of an instant.</summary>
public enum FiringAction
{
    Start,
    CancelAndStart,
    Wait,
    Skip,
}

/// <summary>Decides what to do at an instant while another run of the schedule may go on.</summary>
public static class OverlapRule
{
    /// <summary>Instants of one schedule that wait for the run before, at most.</summary>
    public const int MostWaiting = 1_000;

    /// <param name="overlap">The rule.</param>
    /// <param name="isRunning">The run that the schedule started last has not ended.</param>
    /// <param name="waiting">Instants that wait for it already, without this one.</param>
    /// <param name="reason">Of a skip.</param>
    public static FiringAction Decide(Overlap overlap, bool isRunning, int waiting, out string? reason)
    {
        reason = null;
        switch (overlap)
        {
            case Overlap.Allow:
                return FiringAction.Start;
            case Overlap.CancelRunning:
                return isRunning ? FiringAction.CancelAndStart : FiringAction.Start;
            case Overlap.QueueAll when isRunning || waiting > 0:
                if (waiting < MostWaiting) return FiringAction.Wait;
                reason = SkipReasons.QueueFull;
                return FiringAction.Skip;
            case Overlap.QueueOne when isRunning || waiting > 0:
                if (waiting == 0) return FiringAction.Wait;
                reason = SkipReasons.Overlap;
                return FiringAction.Skip;
            case Overlap.Skip when isRunning:
                reason = SkipReasons.Overlap;
                return FiringAction.Skip;
            default:
                return FiringAction.Start;
        }
    }
}
