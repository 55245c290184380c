namespace Broker.Storage.Contracts;

/// <summary>How much work waits for workers.</summary>
public interface IBacklog
{
    /// <summary>Runs with a step that no worker has taken, by workflow. Reads the index of claimable steps: it costs what waits, not what was.</summary>
    Task<IReadOnlyDictionary<string, int>> CountAsync(CancellationToken ct);
}
