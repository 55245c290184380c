using Xunit;

namespace Broker.Storage.Tests;

public sealed class ComplianceTests
{
    [Fact]
    public void Every_suite_runs_on_every_engine()
    {
        var types = typeof(StoreTests).Assembly.GetTypes();
        var suites = types.Where(t => t.IsAbstract && t.IsSubclassOf(typeof(StoreTests))).ToList();
        Assert.NotEmpty(suites);
        var missing =
            from suite in suites
            from engine in (string[])["Postgres", "Sqlite"]
            where !types.Any(t => !t.IsAbstract && t.IsSubclassOf(suite) && t.Name.StartsWith(engine, StringComparison.Ordinal))
            select $"{suite.Name} on {engine}";
        Assert.Empty(missing);
    }
}
