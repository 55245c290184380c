using System.Collections.Concurrent;

namespace Broker.Faults.Harness;

/// <summary>A step of a run, as a claim names it.</summary>
internal readonly record struct StepName(string Run, string Job);

/// <summary>A lease and the time in which it was certainly alive: from the claim's answer to the report, and never past its shortest life.</summary>
internal readonly record struct LeaseSpan(StepName Step, string Lease, long From, long To);

/// <summary>Ledger of the workers' certain results, to be compared with the broker's final rows.</summary>
internal sealed class Ledger
{
    private int accepted;
    private int refused;
    private int outages;
    private int longestRow;

    /// <summary>Tokens of reports that were answered with 200.</summary>
    public ConcurrentDictionary<StepName, string[]> Accepted { get; } = [];

    /// <summary>Tokens of reports that were refused after an answer to them had been lost: one of them may have counted.</summary>
    public ConcurrentDictionary<StepName, string[]> Unanswered { get; } = [];

    /// <summary>Tokens of reports that were refused at once: none of them may count.</summary>
    public ConcurrentDictionary<string, StepName> Refused { get; } = [];

    /// <summary>Tokens that a later step was given as its upstream's.</summary>
    public ConcurrentBag<(StepName Of, string Token)> HandedOn { get; } = [];

    public ConcurrentBag<LeaseSpan> Held { get; } = [];

    /// <summary>Steps that a worker dropped dead with, and when.</summary>
    public ConcurrentBag<(StepName Step, long At)> Abandoned { get; } = [];

    /// <summary>How long claims took that were given something, in milliseconds.</summary>
    public ConcurrentBag<double> ClaimTimes { get; } = [];

    /// <summary>5xx answers that do not say "try again later".</summary>
    public ConcurrentBag<string> Defects { get; } = [];

    /// <summary>The longest row of broken attempts at one request.</summary>
    public int LongestRow => Volatile.Read(ref longestRow);

    public int AcceptedCount => Volatile.Read(ref accepted);

    public int RefusedCount => Volatile.Read(ref refused);

    /// <summary>Requests that broke, or were answered with 5xx.</summary>
    public int OutageCount => Volatile.Read(ref outages);

    public void Accept(StepName step, string token)
    {
        Add(Accepted, step, token);
        Interlocked.Increment(ref accepted);
    }

    public void Refuse(StepName step, string token, bool answerLost)
    {
        if (answerLost) Add(Unanswered, step, token);
        else Refused[token] = step;
        Interlocked.Increment(ref refused);
    }

    public void Outage(int inARow)
    {
        Interlocked.Increment(ref outages);
        for (var seen = longestRow; inARow > seen; seen = longestRow) Interlocked.CompareExchange(ref longestRow, inARow, seen);
    }

    // No bag of its own for each of a million steps: most have one token, and a bag costs kilobytes.
    private static void Add(ConcurrentDictionary<StepName, string[]> tokens, StepName step, string token) =>
        tokens.AddOrUpdate(step, [token], (_, others) => [.. others, token]);

    /// <summary>Pairs of leases on one step that were certainly alive at the same time.</summary>
    public int Overlaps() => Held.Where(h => h.To > h.From).GroupBy(h => h.Step).Sum(step =>
    {
        var leases = step.DistinctBy(h => h.Lease).OrderBy(h => h.From).ToList();
        return leases.Zip(leases.Skip(1)).Count(pair => pair.Second.From < pair.First.To);
    });
}
