using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(DurableCluster))]

// Most time goes into starting brokers; more tests side by side than cores would only make the measured times worse.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]

namespace Broker.Faults.Harness;

/// <summary>One server for all tests that do not crash it.</summary>
public sealed class DurableCluster : IAsyncDisposable
{
    /// <summary>A PostgreSQL with full durability that listens on a port for other processes.</summary>
    public PostgresCluster Postgres { get; } = New();

    public static PostgresCluster New(params IReadOnlyList<string> settings) => new() { Durable = true, ListenOnLoopback = true, Settings = settings };

    public ValueTask DisposeAsync() => Postgres.DisposeAsync();
}
