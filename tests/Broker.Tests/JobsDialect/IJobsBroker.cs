namespace Broker.Tests.JobsDialect;

/// <summary>A broker as the suites of this dialect need it: over a real connection, so that paths arrive as clients write them.</summary>
public interface IJobsBroker
{
    /// <summary>Ends with a slash.</summary>
    Uri Address { get; }

    HttpClient Http { get; }

    /// <summary>Collects the leases that have expired by now.</summary>
    Task ReapAsync();
}
