namespace Broker.Storage.Contracts;

/// <summary>Claims of this broker that wait for steps.</summary>
public interface IWaitingClaims
{
    /// <summary>How many wait now.</summary>
    int Waiting { get; }

    /// <summary>Lets one claim of each kind look for steps whose signals were lost, and after each that finds some the next one.</summary>
    Task PollAsync(CancellationToken ct);
}
