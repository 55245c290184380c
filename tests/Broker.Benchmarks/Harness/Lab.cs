using System.Diagnostics;
using System.Globalization;
using Broker.Storage.Contracts;
using Broker.Testing;

namespace Broker.Benchmarks.Harness;

/// <summary>Systems that the scenarios run on: one PostgreSQL with its default durability, the HTTP ceiling, and brokers on demand.</summary>
internal sealed class Lab : IAsyncDisposable
{
    private readonly Dictionary<(Database, string, int, Accelerators), Task<Site>> shared = [];
    private readonly Lazy<Task<BrokerProcess>> ceiling = new(() =>
        BrokerProcess.StartProgramAsync(typeof(Lab).Assembly.Location, new Dictionary<string, string>(), [CeilingArgument]));
    private readonly Lazy<Task<string>> host;
    private int names;

    public Lab(BenchmarkOptions options)
    {
        Options = options;
        host = new(FindHostAsync);
    }

    /// <summary>Makes this program serve the ceiling's two endpoints instead of measuring.</summary>
    public const string CeilingArgument = "--serve-ceiling";

    /// <summary>For the scenario that runs now: in its rehearsal others than those that were asked for.</summary>
    public BenchmarkOptions Options { get; set; }

    /// <summary>Latest rates of scenarios in this run; they give the size of a round and the half load.</summary>
    public Dictionary<string, double> LatestRates { get; } = [];

    /// <summary>Settings of durability stay as they are; only sizes are changed.</summary>
    public PostgresCluster Postgres { get; } = new() { Durable = true, ListenOnLoopback = true, Settings = ["shared_buffers=256MB"] };

    public Task<BrokerProcess> CeilingAsync() => ceiling.Value;

    /// <summary>A name that nothing in this program's run has had yet: for labels, workflows, tables.</summary>
    public string NewName(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{Interlocked.Increment(ref names)}");

    /// <summary>
    /// One broker for all scenarios that leave nothing to claim behind. Others name a purpose and have a database of their own. They
    /// stay until the end: a broker that has just started is measured compiling itself. The short form, where starting brokers takes the most
    /// time, has one database for all purposes.
    /// </summary>
    public Task<Site> SharedAsync(Database database, string purpose = "", int brokers = 1, Accelerators accelerators = Accelerators.All)
    {
        // A broker that did not start is not waited for again by the next scenario.
        var key = (database, Options.Short ? "" : purpose, brokers, accelerators);
        if (!shared.TryGetValue(key, out var site))
        {
            site = OpenAsync(database, brokers, accelerators);
            shared.Add(key, site);
        }

        return site;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var site in shared.Values.Where(site => site.IsCompletedSuccessfully)) await (await site).DisposeAsync();

        if (ceiling.IsValueCreated) await (await ceiling.Value).DisposeAsync();

        await Postgres.DisposeAsync();
    }

    private async Task<Site> OpenAsync(Database database, int brokers, Accelerators accelerators) =>
        await Site.OpenAsync(Postgres, database, brokers, accelerators, await host.Value);

    private async Task<string> FindHostAsync()
    {
        if (Options.Host is { } given) return Path.GetFullPath(given);

        var program = RepositoryLayout.HostProgram("Release");
        if (!File.Exists(program))
        {
            var project = Path.Combine(RepositoryLayout.Root, "src", "Broker");
            using var build = Process.Start(new ProcessStartInfo("dotnet", ["build", "-c", "Release", "-v", "q", "-nologo", project]))!;
            await build.WaitForExitAsync();
            if (build.ExitCode != 0) throw new InvalidOperationException("The broker does not build.");
        }

        return program;
    }
}
