using Broker.Benchmarks.Harness;

namespace Broker.Benchmarks.Scenarios;

internal static class Naming
{
    public static string On(string scenario, Database database) => database switch
    {
        Database.Postgres => scenario + "@postgres",
        Database.Sqlite => scenario + "@sqlite",
    };
}
