using Broker.Core.Runs;
using Broker.Core.Steps;

namespace Broker.Storage.Tests.Model;

/// <summary>Something that a client did, with the answer to it. It took effect at some instant between begin and end.</summary>
internal abstract record Happening
{
    public int Client { get; init; }

    public long Begin { get; init; }

    public long End { get; init; }

    /// <summary>Nothing else was under way: the answer has to be complete.</summary>
    public bool IsAlone { get; init; }
}

internal sealed record Started(int Instance, StartMode Mode, StartVerdict Verdict, long RunId, int Number) : Happening;

/// <summary>One step that was handed out.</summary>
internal sealed record Grant(long RunId, int Step, long Fence, int Attempt, string Upstream)
{
    public override string ToString() => $"step {Step} of run id {RunId} under {Fence % 10_000:d4}";
}

internal sealed record Claimed(string Worker, bool ByLabels, bool Gpu, string? Limit, int Count, IReadOnlyList<Grant> Grants) : Happening
{
    /// <summary>Whether it may have steps of that workflow.</summary>
    public bool Knows(string workflow) => Limit is null || Limit == workflow;

    public override string ToString() => $"Claimed {{ Client = {Client}, by {(ByLabels ? "labels" : "registration")}, of {Limit ?? "all"}, Count = {Count}, Got = [{string.Join(", ", Grants)}] }}";
}

internal sealed record Reported(long RunId, int Step, long Fence, ReportOutcome Outcome, bool Retryable, string? Result, ReportVerdict Verdict) : Happening;

internal sealed record ReportedByName(int Instance, int Number, int Step, string Worker, string Result, ReportVerdict Verdict) : Happening;

internal sealed record Beat(long RunId, int Step, long Fence, HeartbeatVerdict Verdict) : Happening;

internal sealed record PublishedUnder(long RunId, int Step, long Fence, bool Accepted) : Happening;

internal sealed record Sent(int Instance, int Number, string Type, int? Target, Delivery Delivery, SendVerdict Verdict, RunStatus Before) : Happening;

internal sealed record Controlled(int Instance, ControlCommand Command, ControlVerdict Verdict, long NewRunId) : Happening;

internal sealed record Ordered(int Instance, int Number, int Step, HandAction Action, string? Result, HandVerdict Verdict) : Happening;

/// <summary>The time of a lease passes: true when it was a lease.</summary>
internal sealed record LeaseExpired(long RunId, int Step, long Fence, bool Done) : Happening;

/// <summary>The lease is one that was granted ahead, by a broker that was killed before it recorded the hand-over: true when it was a lease.</summary>
internal sealed record Unrecorded(long RunId, int Step, long Fence, bool Done) : Happening;

/// <summary>A backoff, a sleep or a deadline passes: true when there was one.</summary>
internal sealed record MadeDue(long RunId, int Step, bool Done) : Happening;

/// <summary>The attempt under a lease reaches its limit: true when it was a lease of a step with one.</summary>
internal sealed record TimedOut(long RunId, int Step, long Fence, bool Done) : Happening;

/// <summary>No worker has taken a ready step in time: true when there was one with a limit.</summary>
internal sealed record QueueTimedOut(long RunId, int Step, bool Done) : Happening;

/// <summary>A run reaches its limit: true when it had one.</summary>
internal sealed record RunTimedOut(long RunId, bool Done) : Happening;

/// <summary>A reaper's round: how many leases it says it has collected.</summary>
internal sealed record Reaped(int Count) : Happening;

/// <summary>A round of the timers: how many waits it says it has finished.</summary>
internal sealed record Timed(int Count) : Happening;

/// <summary>One of the leases that a reaper's round collected: it does not say which.</summary>
internal sealed record Collected : Happening;

/// <summary>A reaper's round that ran alone leaves nothing.</summary>
internal sealed record NothingExpired : Happening;

/// <summary>One of the waits that a timer's round finished.</summary>
internal sealed record Finished : Happening;

/// <summary>A timer's round that ran alone leaves nothing.</summary>
internal sealed record NothingDue : Happening;

/// <summary>The current run as its readers see it; null: none.</summary>
internal sealed record Looked(int Instance, string? View) : Happening;

/// <summary>Content of the database when all clients have finished.</summary>
internal sealed record Settled(string Whole) : Happening;
