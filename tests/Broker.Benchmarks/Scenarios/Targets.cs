using Broker.Benchmarks.Harness;

namespace Broker.Benchmarks.Scenarios;

/// <summary>Target of each scenario. For SQLite it is mostly to be no slower than PostgreSQL.</summary>
internal static class Targets
{
    private const string RawRows = "raw-sql-32", RawBatches = "raw-sql-batch200-4";

    // A start writes the run and its first step. The others appear when they are reached.
    private const double RowsOfARun = 2;

    public static IReadOnlyList<Target> Of(string scenario) => scenario.Split('@') switch
    {
        [var name, "postgres"] => OnPostgres(name),
        [var name, "sqlite"] => OnSqlite(name),
        _ => [],
    };

    private static IReadOnlyList<Target> OnPostgres(string name) => name switch
    {
        "jobs-pair-32" => [Target.RateOf(RawRows, 1.5), Target.Latency(50, 4), Target.Latency(99, 10)],
        "jobs-pair-128" => [Target.RateOf(RawRows, 2.5)],
        "jobs-complete-and-claim-32" => [Target.RateOf(RawRows, 2.5)],
        "jobs-batch-100x4" => [Target.RateOf(RawBatches, 0.6)],
        "jobs-pair-32-on-3-brokers" => [Target.RateOf("jobs-pair-32@postgres", 1)],
        "start-batch100-4" => [Target.RateOf(RawBatches, 0.3, RowsOfARun)],
        "hand-over-idle" => [Target.Latency(50, 3), Target.Latency(99, 10)],
        _ => OnEither(name, Database.Postgres),
    };

    private static IReadOnlyList<Target> OnSqlite(string name) => name switch
    {
        "jobs-pair-32" => [Target.RateOf(name + "@postgres", 1), Target.LatencyOf(name + "@postgres", 50, 1), Target.LatencyOf(name + "@postgres", 99, 1)],
        "jobs-pair-128" or "jobs-complete-and-claim-32" or "jobs-batch-100x4" or "start-batch100-4" => [Target.RateOf(name + "@postgres", 1)],
        "hand-over-idle" => [Target.Latency(50, 2), Target.Latency(99, 8)],
        _ => OnEither(name, Database.Sqlite),
    };

    private static IReadOnlyList<Target> OnEither(string name, Database database) => name switch
    {
        "jobs-pair-32-half-load" => [Target.Latency(99, 6)],
        "jobs-pair-32-history" => [Target.RateOf(Naming.On("jobs-pair-32-empty", database), 0.9)],
        "broker-pair-32" => [Target.RateOf(Naming.On("jobs-pair-32", database), 0.95)],
        "fan-out-10000" => [Target.CostOf(Naming.On("jobs-pair-32", database), 1.5)],
        "chain-10000" => [Target.CostOf(Naming.On("jobs-pair-1", database), 1.5)],
        "parked-2000-idle" => database switch
        {
            Database.Postgres => [Target.Extra(ParkedClaims.CpuShare, 3), Target.Extra(ParkedClaims.Transactions, 20)],
            Database.Sqlite => [Target.Extra(ParkedClaims.CpuShare, 3)],
        },
        _ => [],
    };
}
