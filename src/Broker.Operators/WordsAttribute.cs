namespace Broker.Operators;

/// <summary>The member has one of these words, or null; of a list each entry has. The API document shows them as an enumeration.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class WordsAttribute : Attribute
{
    /// <param name="words">All words.</param>
    public WordsAttribute(params string[] words) => Words = words;

    /// <summary>All words.</summary>
    public IReadOnlyList<string> Words { get; }
}

/// <summary>Status of a run.</summary>
public sealed class RunStatusWordsAttribute() : WordsAttribute("queued", "running", "waiting", "pausing", "paused", "succeeded", "failed", "cancelled");

/// <summary>Status of a step.</summary>
public sealed class StepStatusWordsAttribute()
    : WordsAttribute("pending", "ready", "leased", "waiting", "succeeded", "skipped", "failed", "cancelled", "not_run", "unreachable", "not_taken");

/// <summary>Kind of a step.</summary>
public sealed class StepKindWordsAttribute() : WordsAttribute("task", "wait_for_event", "sleep", "map");

/// <summary>Scope of a key.</summary>
public sealed class KeyScopeWordsAttribute() : WordsAttribute("read", "create", "manage", "delete", "event", "tick", "worker", "credentials", "admin");

/// <summary>Action on many runs.</summary>
public sealed class BulkActionWordsAttribute() : WordsAttribute("retry", "cancel", "pause", "resume", "restart", "terminate", "delete", "tag", "send_event");

/// <summary>State of an action on many runs.</summary>
public sealed class BulkStateWordsAttribute() : WordsAttribute("planned", "collecting", "running", "done", "stopped");

/// <summary>Event of a webhook.</summary>
public sealed class WebhookEventWordsAttribute() : WordsAttribute("run.succeeded", "run.failed", "run.cancelled", "run.waiting", "step.poisoned", "queue.starved");

/// <summary>Status of a webhook's delivery.</summary>
public sealed class DeliveryStatusWordsAttribute() : WordsAttribute("pending", "delivered", "failed");

/// <summary>Cause of a step's state.</summary>
public sealed class CauseWordsAttribute() : WordsAttribute(
    "leased", "lease_expired", "succeeded", "skipped", "condition_not_met", "failed", "cancelled", "run_ended", "run_paused", "waiting_for_step", "waiting_for_any_of",
    "unreachable", "branch_not_taken", "waiting_for_event", "waiting_for_items", "sleeping", "delayed", "maintenance", "no_worker", "queued_behind", "claimable");
