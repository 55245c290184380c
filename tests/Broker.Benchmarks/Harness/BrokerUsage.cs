namespace Broker.Benchmarks.Harness;

/// <summary>Processor time, memory and commits of a site's brokers from <see cref="BeginAsync"/> on.</summary>
internal sealed class BrokerUsage
{
    private readonly Site site;
    private readonly double cpu;
    private readonly long? writes;
    private readonly Dictionary<string, double> garbage;

    private BrokerUsage(Site site, double cpu, long? writes, Dictionary<string, double> garbage) =>
        (this.site, this.cpu, this.writes, this.garbage) = (site, cpu, writes, garbage);

    public static async Task<BrokerUsage> BeginAsync(Site site, CancellationToken ct)
    {
        var garbage = await GarbageAsync(site, ct);
        return new(site, CpuSeconds(site), await site.WritesAsync(), garbage);
    }

    /// <summary>The sample with the cost of its steps.</summary>
    public async Task<Sample> EndAsync(Sample sample, CancellationToken ct)
    {
        var extras = new Dictionary<string, double>
        {
            ["broker cpu us/step"] = (CpuSeconds(site) - cpu) * 1e6 / sample.Count,
            ["broker MB"] = site.Brokers.Sum(broker => ProcessUsage.ResidentMegabytes(broker.Id)),
        };
        foreach (var (figure, after) in await GarbageAsync(site, ct))
        {
            extras[figure + "/1000 steps"] = (after - garbage.GetValueOrDefault(figure)) * 1000 / sample.Count;
        }

        if (await site.WritesAsync() is { } written && writes is { } earlier)
        {
            extras["commits/step"] = (double)(written - earlier) / sample.Count;
        }

        return sample with { Extras = extras };
    }

    private static double CpuSeconds(Site site) => site.Brokers.Sum(broker => ProcessUsage.CpuSeconds(broker.Id));

    private static async Task<Dictionary<string, double>> GarbageAsync(Site site, CancellationToken ct)
    {
        var sums = new Dictionary<string, double>();
        foreach (var broker in site.Brokers)
        {
            foreach (var (figure, value) in await ProcessUsage.GarbageAsync(broker.Address, ct))
            {
                sums[figure] = sums.GetValueOrDefault(figure) + value;
            }
        }

        return sums;
    }
}
