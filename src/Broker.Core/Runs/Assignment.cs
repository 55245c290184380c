using Broker.Core.Definitions;
using Broker.Core.Steps;

namespace Broker.Core.Runs;

/// <summary>Which steps a claim is after.</summary>
public enum ClaimScope
{
    /// <summary>Steps with a command whose required labels are all among the claim's labels.</summary>
    ByLabels,

    /// <summary>Steps of the definitions that the worker has registered.</summary>
    ByRegistration,
}

/// <summary>A worker asks for steps.</summary>
/// <param name="WorkerId">The worker that claims.</param>
/// <param name="Scope">Steps that the worker may have.</param>
/// <param name="Labels">Labels of this claim.</param>
/// <param name="Count">Most steps to grant, 1 to 1,000.</param>
/// <param name="LeaseSecs">Lease to grant; null: the step's own.</param>
public sealed record ClaimRequest(string WorkerId, ClaimScope Scope, IReadOnlyList<string> Labels, int Count = 1, int? LeaseSecs = null)
{
    /// <summary>Sending the same id again returns the same leases while they live.</summary>
    public string? ClaimId { get; init; }

    /// <summary>Names of the only workflows whose steps it may have, in ordinal order; null: all. With <see cref="ClaimScope.ByLabels"/> alone: registrations are limited when they are made.</summary>
    public IReadOnlyList<string>? Workflows { get; init; }
}

/// <summary>One step handed to one worker.</summary>
public sealed record Assignment
{
    public required LeaseId Lease { get; init; }
    public required RunRef Run { get; init; }
    public required WorkflowDefinition Definition { get; init; }
    public required StepDefinition Step { get; init; }
    public required string WorkerId { get; init; }

    /// <summary>Retries used so far.</summary>
    public required int Attempt { get; init; }
    public required DateTimeOffset QueuedAt { get; init; }

    /// <summary>When it became claimable: later than <see cref="QueuedAt"/> after a backoff.</summary>
    public required DateTimeOffset Due { get; init; }
    public required DateTimeOffset GrantedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When the attempt reaches its limit, or the step its total one; null: no limit.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Raw JSON that an earlier attempt sent last with a heartbeat, or null.</summary>
    public string? ProgressJson { get; init; }

    /// <summary>Raw JSON of the value that an item of a map runs for; null: it is none.</summary>
    public string? ItemJson { get; init; }
    public required int LeaseSecs { get; init; }

    /// <summary>Raw JSON of the run's inputs.</summary>
    public required string InputsJson { get; init; }

    /// <summary>Raw JSON of the run's context, or null.</summary>
    public string? ContextJson { get; init; }

    /// <summary>W3C trace context of the request that started the run, if it had one.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Results of finished predecessors under the names that workers look up (see <see cref="Upstream"/>).</summary>
    public required IReadOnlyList<UpstreamResult> Upstream { get; init; }

    /// <summary>Events sent to the run that this step accepts, oldest first; those of an earlier attempt again.</summary>
    public IReadOnlyList<InboxEvent> Events { get; init; } = [];
}

/// <summary>A predecessor's result: raw JSON, null when it gave none.</summary>
public readonly record struct UpstreamResult(string Step, string? ResultJson);

/// <summary>Which results a step is given.</summary>
public static class Upstream
{
    /// <summary>
    /// One entry for each finished predecessor, also when its result is null. An any-of group whose first-listed member has not finished
    /// adds an entry under that member's name, with the result of a finished member. Stock workers read the first-listed name
    /// (broker contract 4.4).
    /// </summary>
    /// <param name="definition">Names the steps.</param>
    /// <param name="step">The step that is handed out.</param>
    /// <param name="finished">Result of a predecessor by index; absent when it has not finished.</param>
    public static IReadOnlyList<UpstreamResult> For(WorkflowDefinition definition, StepDefinition step, IReadOnlyDictionary<int, string?> finished)
    {
        if (step.Predecessors.IsEmpty) return [];

        var results = new List<UpstreamResult>(step.Predecessors.Length);
        foreach (var predecessor in step.Predecessors)
        {
            if (finished.TryGetValue(predecessor, out var result)) results.Add(new(definition.Steps[predecessor].Name, result));
        }

        HashSet<int>? filledIn = null;
        foreach (var group in step.AnyOf)
        {
            var first = group.Members[0];
            if (finished.ContainsKey(first) || !(filledIn ??= []).Add(first)) continue;
            foreach (var member in group.Members)
            {
                if (!finished.TryGetValue(member, out var result)) continue;
                results.Add(new(definition.Steps[first].Name, result));
                break;
            }
        }

        return results;
    }
}
