using Broker.Core.Definitions;
using Broker.Core.Runs;

namespace Broker.Core.Steps;

/// <summary>Reason for which a step refuses a transition.</summary>
public enum Refusal
{
    None,

    /// <summary>The fence is not the step's current one.</summary>
    StaleLease,

    /// <summary>The step was cancelled under that lease: the report is in order and changes nothing.</summary>
    Cancelled,
}

/// <summary>The next state, or why there is none.</summary>
public readonly record struct Verdict(StepState Next, Refusal Refusal)
{
    public bool Accepted => Refusal is Refusal.None;
}

/// <summary>
/// The rules of one step. Claims move ready → leased (one statement in the store, guarded by the same conditions as
/// <see cref="Claim"/>); everything else that happens to a task comes through here.
/// </summary>
public static class StepMachine
{
    /// <summary>Name of the failure of a step whose lease ran out with nothing left to spend.</summary>
    public const string LeaseExpiredName = "LeaseExpired";

    /// <summary>May it be claimed now?</summary>
    public static bool IsClaimable(StepState step, DateTimeOffset now) => step is { Status: StepStatus.Ready, Paused: false } && step.Due <= now;

    /// <param name="step">A claimable step.</param>
    /// <param name="worker">The lease's holder.</param>
    /// <param name="fence">The lease's fence.</param>
    /// <param name="leaseSecs">The lease's length.</param>
    /// <param name="now">The instant of the grant.</param>
    /// <param name="ahead">The worker has not asked yet; only for definitions that allow it.</param>
    public static StepState Claim(StepState step, string worker, long fence, int leaseSecs, DateTimeOffset now, bool ahead = false) => step with
    {
        Status = StepStatus.Leased,
        Ahead = ahead,
        Worker = worker,
        Fence = fence,
        LeaseSecs = leaseSecs,
        GrantedAt = now,
        ExpiresAt = now.AddSeconds(leaseSecs),
        BegunAt = step.BegunAt ?? now,
    };

    /// <summary>A heartbeat under the current fence, of the worker or of the broker that records a hand-over.</summary>
    public static StepState Renew(StepState step, DateTimeOffset now) => step with { ExpiresAt = now.AddSeconds(step.LeaseSecs), Ahead = false };

    /// <summary>A report under a fence. An expired lease is current until the reaper collects it or a claim grants it anew.</summary>
    public static Verdict Report(StepState step, long fence, StepReport report, StepDefinition definition, DateTimeOffset now)
    {
        if (step.Fence != fence) return Refuse(step, Refusal.StaleLease);

        // The worker of a cancelled step is done with it: the lease goes, the state stays.
        if (step.Status is StepStatus.Cancelled) return new(Released(step), Refusal.Cancelled);
        if (step.Status is not StepStatus.Leased) return Refuse(step, Refusal.StaleLease);

        return report.Outcome switch
        {
            ReportOutcome.Succeeded => Accept(Ended(step, StepStatus.Succeeded, now) with { Result = report.ResultJson, Error = null }),
            ReportOutcome.Skipped => Accept(Ended(step, StepStatus.Skipped, now) with { Result = report.ResultJson, Error = null }),
            ReportOutcome.Failed => Accept(AfterFailure(step, definition, report.Error, report.Retryable, now)),
            ReportOutcome.Cancelled => Accept(AfterFailure(step, definition, report.Error ?? new("Cancelled", "cancelled by its worker"), false, now)),
            ReportOutcome.Returned => Accept(Released(step) with { Status = StepStatus.Ready }),
        };
    }

    /// <summary>The lease expired. The definition says whether that uses up a retry (design 2.4).</summary>
    public static Verdict Expire(StepState step, long fence, WorkflowDefinition workflow, DateTimeOffset now)
    {
        if (step.Fence != fence || step.ExpiresAt > now) return Refuse(step, Refusal.StaleLease);
        if (step.Status is StepStatus.Cancelled) return Accept(Released(step));
        if (step.Status is not StepStatus.Leased) return Refuse(step, Refusal.StaleLease);

        // No hand-over is recorded: the worker never claimed, or its broker was killed before. Nothing has run.
        if (step.Ahead) return Accept(Released(step) with { Status = StepStatus.Ready });
        if (workflow.LostLease is LostLeaseRule.UseRetry)
            return Accept(AfterFailure(step, workflow.Steps[step.Index], new(LeaseExpiredName, "lease expired"), retryable: true, now));

        var losses = step.Losses + 1;
        return losses > workflow.MaxLeaseLosses
            ? Accept(Ended(step, StepStatus.Failed, now) with
            {
                Losses = losses,
                Error = new(LeaseExpiredName, $"lease expired {losses} times; given up as a poison step (max_lease_losses {workflow.MaxLeaseLosses})"),
            })
            : Accept(Released(step) with { Status = StepStatus.Ready, Losses = losses });
    }

    /// <summary>The one place that decides between another attempt and giving up.</summary>
    private static StepState AfterFailure(StepState step, StepDefinition definition, StepError? error, bool retryable, DateTimeOffset now)
    {
        error ??= new(StepError.DefaultName, "failed");
        if (!retryable || !definition.Retry.Allows(step.Attempt)) return Ended(step, StepStatus.Failed, now) with { Error = error };

        var attempt = step.Attempt + 1;
        return Released(step) with
        {
            Status = StepStatus.Ready,
            Attempt = attempt,
            QueuedAt = now,
            Due = now + definition.Retry.DelayBefore(attempt),
            Error = error,
        };
    }

    public static StepState Cancel(StepState step, DateTimeOffset now) =>
        step.Status is StepStatus.Leased
            ? step with { Status = StepStatus.Cancelled, EndedAt = now }
            : step with { Status = StepStatus.Cancelled, EndedAt = now, Fence = null };

    public static StepState Finish(StepState waiting, string? resultJson, DateTimeOffset now) =>
        Ended(waiting, StepStatus.Succeeded, now) with { Result = resultJson };

    public static StepState Fail(StepState step, StepError error, DateTimeOffset now) => Ended(step, StepStatus.Failed, now) with { Error = error };

    private static StepState Ended(StepState step, StepStatus status, DateTimeOffset now) =>
        step with { Status = status, EndedAt = now, Fence = null, ExpiresAt = null, Ahead = false };

    private static StepState Released(StepState step) => step with { Fence = null, ExpiresAt = null, Worker = null, Ahead = false };

    private static Verdict Accept(StepState next) => new(next, Refusal.None);

    private static Verdict Refuse(StepState step, Refusal refusal) => new(step, refusal);
}
