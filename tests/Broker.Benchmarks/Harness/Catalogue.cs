using Broker.Benchmarks.Scenarios;
using Broker.Benchmarks.Yardsticks;

namespace Broker.Benchmarks.Harness;

/// <summary>Every scenario there is with its targets, yardsticks first.</summary>
internal static class Catalogue
{
    public static IEnumerable<Scenario> Of(IReadOnlyList<Database> databases)
    {
        IEnumerable<Scenario> yardsticks = HttpCeiling.All();
        IEnumerable<Scenario> brokers = [];
        foreach (var database in databases)
        {
            yardsticks = yardsticks.Concat(database switch
            {
                Database.Postgres => RawSql.All(),
                Database.Sqlite => SqliteCommands.All(),
            });
            brokers = brokers
                .Concat(JobPairs.On(database))
                .Concat(BrokerPairs.On(database))
                .Concat(Heartbeats.On(database))
                .Concat(ParkedClaims.On(database))
                .Concat(BigRuns.On(database))
                .Concat(Starting.On(database))
                .Concat(History.On(database));
        }

        return yardsticks.Concat(brokers).Select(scenario => scenario with { Targets = Targets.Of(scenario.Name) });
    }
}
