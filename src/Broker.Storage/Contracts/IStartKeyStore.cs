namespace Broker.Storage.Contracts;

/// <summary>Starts that may be sent again, by key.</summary>
public interface IStartKeyStore
{
    /// <summary>Forgets starts older than that, at most a batch; returns how many.</summary>
    Task<int> ForgetAsync(TimeSpan age, int batch, CancellationToken ct);
}
