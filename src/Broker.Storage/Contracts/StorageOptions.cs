namespace Broker.Storage.Contracts;

/// <summary>How the store is set up.</summary>
/// <param name="Target">Where the data is.</param>
/// <param name="DefaultLeaseSecs">Lease of a step whose worker asks for none (seconds).</param>
/// <param name="Lanes">Transactions that may run side by side on PostgreSQL, 1 to 16.</param>
public sealed record StorageOptions(DatabaseTarget Target, int DefaultLeaseSecs, int Lanes)
{
    /// <summary>Versions of one definition; zero: any number.</summary>
    public int Versions { get; init; }

    /// <summary>Most bytes of the log of a job in one run; zero: any number.</summary>
    public long LogBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Optional parts that are on.</summary>
    public Accelerators Accelerators { get; init; } = Accelerators.All;
}
