using Broker.Benchmarks.Scenarios;
using Broker.Benchmarks.Yardsticks;

namespace Broker.Benchmarks.Harness;

/// <summary>Every scenario there is with its targets, each behind its yardstick.</summary>
internal static class Catalogue
{
    public static IEnumerable<Scenario> Of(IReadOnlyList<Database> databases)
    {
        var yardsticks = HttpCeiling.All();
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

        return BehindYardsticks([.. yardsticks.Concat(brokers).Select(scenario => scenario with { Targets = Targets.Of(scenario.Name) })]);
    }

    // A scenario runs right behind its yardstick: half a minute later the machine's pace is another.
    private static List<Scenario> BehindYardsticks(List<Scenario> scenarios)
    {
        var names = scenarios.Select(scenario => scenario.Name).ToHashSet();
        var followers = scenarios.ToLookup(scenario => scenario.Yardstick is { } yardstick && names.Contains(yardstick) ? yardstick : null);
        var ordered = new List<Scenario>(scenarios.Count);
        foreach (var root in followers[null])
        {
            ordered.Add(root);
            AddFollowers(root);
        }

        return ordered;

        void AddFollowers(Scenario yardstick)
        {
            ordered.AddRange(followers[yardstick.Name]);
            foreach (var follower in followers[yardstick.Name]) AddFollowers(follower);
        }
    }
}
