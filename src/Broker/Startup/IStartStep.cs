namespace Broker.Startup;

/// <summary>Work that needs the database and comes before the first request: run in the order of registration.</summary>
internal interface IStartStep
{
    /// <summary>May be called again after a fault that left the database out of reach.</summary>
    Task RunAsync(CancellationToken ct);
}
