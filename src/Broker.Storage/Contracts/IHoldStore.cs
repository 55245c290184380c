namespace Broker.Storage.Contracts;

/// <summary>Kind of an operator's order.</summary>
public enum HoldKind
{
    /// <summary>The worker gets no further steps.</summary>
    Worker = 0,

    /// <summary>No run of the workflow starts.</summary>
    Starts = 1,

    /// <summary>No worker gets steps. Its one name is <see cref="Hold.Broker"/>.</summary>
    Maintenance = 2,
}

/// <summary>An operator's order that holds until it is taken back.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Name">Id of the worker, name of the workflow, or broker.</param>
/// <param name="At">By the store's clock.</param>
/// <param name="KeyId">Key that gave it.</param>
/// <param name="Reason">Why.</param>
public sealed record Hold(HoldKind Kind, string Name, DateTimeOffset At, string KeyId, string? Reason)
{
    /// <summary>Name of the order about the whole broker.</summary>
    public const string Broker = "broker";
}

/// <summary>Orders of operators. They are few: each broker keeps them all in memory.</summary>
public interface IHoldStore
{
    /// <summary>Adds an order, or replaces it.</summary>
    Task PutAsync(HoldKind kind, string name, string keyId, string? reason, CancellationToken ct);

    /// <summary>Takes an order back; false when there is none.</summary>
    Task<bool> RemoveAsync(HoldKind kind, string name, CancellationToken ct);

    Task<IReadOnlyList<Hold>> ListAsync(CancellationToken ct);
}
