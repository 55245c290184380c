using Broker.Benchmarks.Harness;

namespace Broker.Benchmarks.Scenarios;

/// <summary>The pair on a database that millions of steps have gone through, beside the same on one that is nearly empty.</summary>
internal static class History
{
    private const int Workers = 32, StepsForOneReady = 100;

    public static IEnumerable<Scenario> On(Database database)
    {
        const string empty = "jobs-pair-32-empty";
        yield return JobPairs.Of(empty, null, database, Workers, JobPairs.Singly, purpose: "empty");

        Task<JobDefinition>? loaded = null;
        var name = Naming.On("jobs-pair-32-history", database);
        yield return new(name, "steps", Naming.On(empty, database), async (lab, ct) =>
        {
            var site = await lab.SharedAsync(database, "history");
            var steps = lab.Options.History;
            var definition = await (loaded ??= HistoryLoader.LoadAsync(site, database, steps, steps / StepsForOneReady, ct));
            var load = new JobLoad(lab, site, Workers, JobPairs.Singly, definition);
            return await Supply.MeasureAsync(lab, name, runs => load.RunAsync(runs, ct));
        });
    }
}
