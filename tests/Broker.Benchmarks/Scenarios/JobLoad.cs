using System.Globalization;
using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Http;

namespace Broker.Benchmarks.Scenarios;

/// <summary>A worker's loop until the supply is exhausted; returns the number of its steps.</summary>
internal delegate Task<long> JobWork(JobWorker worker);

/// <summary>One worker of the jobs dialect with a connection of its own.</summary>
internal sealed record JobWorker(
    int Index, RawConnection Connection, string Name, string Label, Supply Supply, Latencies Latencies, CancellationToken Ct);

/// <summary>A stored definition whose jobs ask for the label.</summary>
internal sealed record JobDefinition(string Workflow, string Label);

/// <summary>Workers that work off runs of five steps: of a definition that is made for each round, or of a given one.</summary>
internal sealed class JobLoad(Lab lab, Site site, int workers, JobWork work, JobDefinition? given = null)
{
    /// <summary>Runs that keep workers busy for so long.</summary>
    public static int RunsFor(double stepsPerSecond, TimeSpan length) =>
        (int)Math.Max(1, stepsPerSecond * length.TotalSeconds / Supply.StepsInARun);

    /// <summary>
    /// Starts runs and does as many steps as they have. With a given definition, these are the steps that have been ready for longest.
    /// </summary>
    public async Task<Sample> RunAsync(int runs, CancellationToken ct)
    {
        var definition = await StartAsync(runs, ct);
        var usage = await BrokerUsage.BeginAsync(site, ct);
        var supply = new Supply((long)runs * Supply.StepsInARun);
        var sample = await WorkOffAsync(site, definition.Label, supply, workers, work, ct);
        if (given is null && sample.Count != supply.Steps)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{sample.Count} steps were done of {supply.Steps}: some were handed out twice."));
        }

        return await usage.EndAsync(sample, ct);
    }

    /// <summary>Every worker on a connection of its own, spread over the site's brokers.</summary>
    public static Task<Sample> WorkOffAsync(Site site, string label, Supply supply, int workers, JobWork work, CancellationToken ct) =>
        Load.RunAsync(workers, async (worker, latencies, ct) =>
        {
            using var connection = await RawConnection.ConnectAsync(site.Brokers[worker % site.Brokers.Count].Address, ct);
            var name = string.Create(CultureInfo.InvariantCulture, $"{label}-w{worker}");
            return await work(new JobWorker(worker, connection, name, label, supply, latencies, ct));
        }, ct);

    private async Task<JobDefinition> StartAsync(int runs, CancellationToken ct)
    {
        using var connection = await RawConnection.ConnectAsync(site.Address, ct);
        var name = lab.NewName("pair");
        var definition = given ?? new JobDefinition(await connection.DefineJobsAsync(Bodies.FiveStepJobs(name, name), ct), name);
        await connection.StartInstancesAsync(definition.Workflow, runs, name, ct);
        return definition;
    }
}
