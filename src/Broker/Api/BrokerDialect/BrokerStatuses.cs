using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Api.BrokerDialect;

/// <summary>Outcome of each step of a batch, in the order of the request.</summary>
internal static class BrokerStatuses
{
    public static StepVerdict[] Of(IReadOnlyList<StepCall> calls, IReadOnlyList<ReportVerdict> verdicts) =>
    [
        .. calls.Select((call, i) => new StepVerdict(
            call.Key.Workflow, call.Key.Instance, call.Key.Step, verdicts[i] is ReportVerdict.Accepted, WordOf(verdicts[i]))),
    ];

    /// <param name="keys">The steps.</param>
    /// <param name="verdicts">For each step.</param>
    /// <param name="losses">For each step that is gone, in the same order.</param>
    public static HeldStepVerdict[] Of(IReadOnlyList<ReportedStep> keys, IReadOnlyList<HeartbeatVerdict> verdicts, IReadOnlyList<LeaseLoss> losses)
    {
        var next = 0;
        return
        [
            .. keys.Select((key, i) => new HeldStepVerdict(
                key.Workflow, key.Instance, key.Step, verdicts[i] is not HeartbeatVerdict.Gone, WordOf(verdicts[i]), verdicts[i] is HeartbeatVerdict.Paused,
                verdicts[i] is HeartbeatVerdict.Gone ? LostLease.Code(losses[next++]) : null)),
        ];
    }

    public static string WordOf(ReportVerdict verdict) => verdict switch
    {
        ReportVerdict.Accepted => "accepted",
        ReportVerdict.Stale => "stale",
        ReportVerdict.StepCancelled => "cancelled",
        ReportVerdict.UnknownRun => "unknown_instance",
        ReportVerdict.UnknownStep => "unknown_step",
    };

    public static string WordOf(HeartbeatVerdict verdict) => verdict switch
    {
        HeartbeatVerdict.Renewed or HeartbeatVerdict.Paused => "renewed",
        HeartbeatVerdict.Cancelled => "cancelled",
        HeartbeatVerdict.Gone => "gone",
    };
}
