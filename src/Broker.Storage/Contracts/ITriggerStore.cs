namespace Broker.Storage.Contracts;

/// <summary>A subscription of a workflow's latest definition.</summary>
/// <param name="Workflow">The workflow.</param>
/// <param name="Place">Place in its definition.</param>
/// <param name="SpecJson">The subscription: <see cref="Core.Triggers.TriggerReader"/> reads it.</param>
public sealed record StoredTrigger(string Workflow, int Place, string SpecJson);

/// <summary>Subscriptions to events that name no run.</summary>
public interface ITriggerStore
{
    /// <summary>Subscriptions to a type in order of workflows, behind a place.</summary>
    Task<IReadOnlyList<StoredTrigger>> OfTypeAsync(string type, (string Workflow, int Place)? after, int most, CancellationToken ct);
}
