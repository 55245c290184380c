using Broker.Benchmarks.Yardsticks;

namespace Broker.Benchmarks.Harness;

/// <summary>Every scenario there is, yardsticks first.</summary>
internal static class Catalogue
{
    public static IEnumerable<Scenario> Of(IReadOnlyList<Database> databases)
    {
        IEnumerable<Scenario> yardsticks = [.. HttpCeiling.All()];
        foreach (var database in databases)
        {
            yardsticks = yardsticks.Concat(database switch
            {
                Database.Postgres => RawSql.All(),
                Database.Sqlite => SqliteCommands.All(),
            });
        }

        return yardsticks;
    }
}
