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

    /// <summary>The attempt that ended with it without success; null: none did.</summary>
    public AttemptEnd? Attempt { get; init; }
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
    /// <param name="timeouts">Its limits; null: none.</param>
    public static StepState Claim(
        StepState step, string worker, long fence, int leaseSecs, DateTimeOffset now, bool ahead = false, StepTimeouts? timeouts = null)
    {
        var deadline = (timeouts ?? StepTimeouts.None).AttemptFrom(now, step.TotalDeadline);
        return step with
        {
            Status = StepStatus.Leased,
            Ahead = ahead,
            Worker = worker,
            Fence = fence,
            LeaseSecs = leaseSecs,
            GrantedAt = now,
            ExpiresAt = LeaseUntil(now.AddSeconds(leaseSecs), deadline),
            Deadline = deadline,
            BegunAt = step.BegunAt ?? now,
        };
    }

    /// <summary>A heartbeat under the current fence, of the worker or of the broker that records a hand-over: before the attempt's deadline only.</summary>
    public static StepState Renew(StepState step, DateTimeOffset now) => step with { ExpiresAt = LeaseUntil(now.AddSeconds(step.LeaseSecs), step.Deadline), Ahead = false };

    /// <summary>Whether a heartbeat comes too late: the attempt has reached its limit.</summary>
    public static bool IsOverdue(StepState step, DateTimeOffset now) => step.Status is StepStatus.Leased && step.Deadline <= now;

    private static DateTimeOffset LeaseUntil(DateTimeOffset expiry, DateTimeOffset? deadline) => deadline < expiry ? deadline.Value : expiry;

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
            ReportOutcome.Failed => Failed(step, definition, report, now),
            ReportOutcome.Cancelled => GivenUp(step, report.Error ?? new("Cancelled", "cancelled by its worker"), now),
            ReportOutcome.Returned => Accept(Queued(Released(step), definition, now)),
            ReportOutcome.Postponed => Noted(Postponed(step, definition, report, now), step, AttemptOutcome.Postponed, report.Error, now),
        };
    }

    private static Verdict GivenUp(StepState step, StepError error, DateTimeOffset now) =>
        Noted(Ended(step, StepStatus.Failed, now) with { Error = error }, step, AttemptOutcome.Cancelled, error, now);

    private static StepState Postponed(StepState step, StepDefinition definition, StepReport report, DateTimeOffset now) =>
        Queued(Released(step) with { QueuedAt = now, Due = now.AddMilliseconds(report.DelayMs ?? 0) }, definition, now);

    private static Verdict Failed(StepState step, StepDefinition definition, StepReport report, DateTimeOffset now)
    {
        // The limit has decided, whatever the worker makes of it: one that stops its step at the limit reports a failure.
        if (IsOverdue(step, now)) return TimedOut(step, definition, now);
        var error = report.Error ?? new(StepError.DefaultName, "failed");
        var delay = report.DelayMs is { } asked ? TimeSpan.FromMilliseconds(asked) : default(TimeSpan?);
        return Noted(AfterFailure(step, definition, error, report.Retryable && definition.Retry.Covers(error), now, delay), step, AttemptOutcome.Failed, error, now);
    }

    /// <summary>The lease expired. The definition says whether that uses up a retry (design 2.4).</summary>
    public static Verdict Expire(StepState step, long fence, WorkflowDefinition workflow, DateTimeOffset now)
    {
        if (step.Fence != fence || step.ExpiresAt > now) return Refuse(step, Refusal.StaleLease);
        if (step.Status is StepStatus.Cancelled) return Accept(Released(step));
        if (step.Status is not StepStatus.Leased) return Refuse(step, Refusal.StaleLease);

        // No hand-over is recorded: the worker never claimed, or its broker was killed before. Nothing has run.
        var definition = workflow.RulesOf(step.Index);
        if (step.Ahead) return Accept(Queued(Released(step), definition, now));
        if (IsOverdue(step, now)) return TimedOut(step, definition, now);
        var lost = new StepError(LeaseExpiredName, "lease expired");
        if (workflow.LostLease is LostLeaseRule.UseRetry)
            return Noted(AfterFailure(step, definition, lost, !definition.Retry.NotOn.Match(lost), now), step, AttemptOutcome.LeaseLost, lost, now);

        var losses = step.Losses + 1;
        var next = losses > workflow.MaxLeaseLosses
            ? Ended(step, StepStatus.Failed, now) with
            {
                Losses = losses,
                Error = new(LeaseExpiredName, $"lease expired {losses} times; given up as a poison step (max_lease_losses {workflow.MaxLeaseLosses})"),
            }
            : Queued(Released(step) with { Losses = losses }, definition, now);
        return Noted(next, step, AttemptOutcome.LeaseLost, lost, now);
    }

    /// <summary>A ready step whose limit has passed fails. During a pause it does not: no worker could take it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="definition">Its definition.</param>
    /// <param name="reason">Why no worker has taken it.</param>
    /// <param name="now">The instant.</param>
    public static Verdict ExpireReady(StepState step, StepDefinition definition, string reason, DateTimeOffset now)
    {
        if (step is not { Status: StepStatus.Ready, Paused: false } || !(step.Deadline <= now)) return Refuse(step, Refusal.StaleLease);
        var error = step.TotalDeadline <= now ? TotalError(definition) : new(StepTimeouts.QueueName, $"no worker took it within {definition.Timeouts.QueueMs} ms: {reason}");
        return Accept(Ended(step, StepStatus.Failed, now) with { Error = error });
    }

    /// <summary>The hand-out begins again after a pause, and with it the time that a worker has to take the step.</summary>
    public static StepState Unpause(StepState ready, StepDefinition definition, DateTimeOffset now) => Queued(ready with { Paused = false }, definition, now);

    private static Verdict TimedOut(StepState step, StepDefinition definition, DateTimeOffset now)
    {
        if (step.TotalDeadline <= now)
        {
            var total = TotalError(definition);
            return Noted(Ended(step, StepStatus.Failed, now) with { Error = total }, step, AttemptOutcome.TimedOut, total, now);
        }

        var error = new StepError(StepTimeouts.AttemptName, $"the attempt took longer than {definition.Timeouts.AttemptMs} ms");
        return Noted(AfterFailure(step, definition, error, !definition.Retry.NotOn.Match(error), now), step, AttemptOutcome.TimedOut, error, now);
    }

    private static StepError TotalError(StepDefinition definition) =>
        new(StepTimeouts.TotalName, $"it had not succeeded {definition.Timeouts.TotalMs} ms after it was first ready");

    /// <summary>The one place that decides between another attempt and giving up.</summary>
    private static StepState AfterFailure(
        StepState step, StepDefinition definition, StepError error, bool retryable, DateTimeOffset now, TimeSpan? delay = null)
    {
        var attempt = step.Attempt + 1;
        var due = now + (delay ?? definition.Retry.DelayBefore(attempt, ChanceOf(step)));

        // A retry that could begin only after the end of the total limit is none.
        if (!retryable || !definition.Retry.Allows(step.Attempt) || due >= step.TotalDeadline) return Ended(step, StepStatus.Failed, now) with { Error = error };
        return Queued(Released(step) with { Attempt = attempt, QueuedAt = now, Due = due, Error = error }, definition, now);
    }

    // The fence is random, and another one for each attempt.
    private static double ChanceOf(StepState step) => (step.Fence ?? 0) / (double)LeaseId.FenceLimit;

    private static StepState Queued(StepState step, StepDefinition definition, DateTimeOffset now) => step with
    {
        Status = StepStatus.Ready,
        Deadline = definition.Timeouts.QueueFrom(step.Due > now ? step.Due : now, step.TotalDeadline),
    };

    private static Verdict Noted(StepState next, StepState before, AttemptOutcome outcome, StepError? error, DateTimeOffset now) =>
        Accept(next) with { Attempt = new(before.Index, before.Attempt, outcome, before.Worker, before.GrantedAt, now, error) };

    /// <summary>An operator's order about a step that has not ended (invariant 27). The lease of its worker ends with it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="order">The order.</param>
    /// <param name="definition">The step's definition.</param>
    /// <param name="soonest">No task of the run is claimable before (invariant 21).</param>
    /// <param name="now">The instant.</param>
    public static Verdict ByHand(StepState step, HandOrder order, StepDefinition definition, DateTimeOffset soonest, DateTimeOffset now) => order.Action switch
    {
        HandAction.Complete => Accept(Ended(step, StepStatus.Succeeded, now) with { Result = order.ResultJson, Error = null }),
        HandAction.Skip => Accept(Ended(step, StepStatus.Skipped, now) with { Error = null }),
        HandAction.Fail => FailedByHand(step, order.Error ?? new(StepError.DefaultName, "failed"), now),
        HandAction.RetryNow => step.Status is StepStatus.Ready && step.Due > soonest ? Accept(Queued(step with { Due = soonest }, definition, now)) : Refuse(step, Refusal.StaleLease),
        HandAction.Release => step.Status is StepStatus.Leased ? Accept(Queued(Released(step), definition, now)) : Refuse(step, Refusal.StaleLease),
    };

    // Only a leased step has an attempt that ends with it.
    private static Verdict FailedByHand(StepState step, StepError error, DateTimeOffset now)
    {
        var failed = Ended(step, StepStatus.Failed, now) with { Error = error };
        return step.Status is StepStatus.Leased ? Noted(failed, step, AttemptOutcome.Failed, error, now) : Accept(failed);
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
