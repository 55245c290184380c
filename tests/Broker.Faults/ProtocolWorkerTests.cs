using System.Globalization;
using Broker.Faults.Harness;
using Broker.Testing;
using Xunit;

namespace Broker.Faults;

/// <summary>The workers of <c>docs/worker-protocol.md</c>, while answers are lost, leases too, and the broker is killed.</summary>
public abstract class ProtocolWorkerTests(DurableCluster cluster, Database database)
{
    private const int Runs = 12;

    // Longer than the broker is away: a job that may not run twice fails with its lease.
    private const int LongLeaseSecs = 60;

    private const int ShortLeaseSecs = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Workers => new() { { "python", "jobs" }, { "typescript", "jobs" }, { "python", "broker" }, { "typescript", "broker" } };

    // One answer in five is lost, and the broker is killed. No job may run twice, so a repeated claim that leased another one would show.
    [Theory]
    [MemberData(nameof(Workers))]
    public async Task Steps_are_done_once_although_answers_are_lost_and_the_broker_is_killed(string language, string dialect)
    {
        using var scratch = new TempFolder();
        var (program, site) = await OpenAsync(language, dialect, scratch);
        await using var opened = site;
        var random = new Random();
        await using var proxy = new LossyProxy(site.Broker.Address, _ => random.Next(5) == 0);
        await using var first = PageWorker.Start(program, proxy.Address, LongLeaseSecs);
        await using var second = PageWorker.Start(program, proxy.Address, LongLeaseSecs);
        IEnumerable<WorkerLine> Lines() => first.Lines.Concat(second.Lines);
        var work = await WorkAsync(site, dialect, scratch);

        string[] instances = [.. Enumerable.Range(0, Runs).Select(i => $"r{i}")];
        foreach (var instance in instances) await work.StartAsync(work.Quick, instance);
        await Eventually.TrueAsync(() => Lines().Count() >= Runs / 4, Patience, "some steps are done");
        await site.Broker.KillAsync();
        await site.Broker.RestartAsync();
        foreach (var instance in instances) await work.UntilAsync(work.Quick, instance, "succeeded");
        await Eventually.TrueAsync(() => Lines().Count() >= Runs * work.Steps.Count, Patience, "the workers have their answers");

        Assert.Equal(work.Steps.SelectMany(step => instances.Select(instance => (step, instance))).Order(), Lines().Select(line => (line.Step, line.Instance)).Order());
        foreach (var instance in instances) await work.AssertOnceAsync(work.Quick, instance);
        Assert.True(proxy.Lost > 0, "No answer was lost.");
        Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{proxy.Lost} of {proxy.Carried} answers lost, {Lines().Count()} steps done once each"));

        // SIGTERM reaches idle workers. Each hands back what its open claim is given after that.
        var ended = Task.WhenAll(first.DrainAsync(), second.DrainAsync());
        await work.StartAsync(work.Quick, "handed-back");
        await ended;
        await work.UntilReadyAsync(work.Quick, "handed-back");
        Assert.DoesNotContain(Lines(), line => line.Instance == "handed-back");
    }

    [Theory]
    [MemberData(nameof(Workers))]
    public async Task A_worker_stops_steps_that_it_has_lost_or_that_are_cancelled_and_drains(string language, string dialect)
    {
        using var scratch = new TempFolder();
        var (program, site) = await OpenAsync(language, dialect, scratch);
        await using var opened = site;
        await using var losing = PageWorker.Start(program, site.Broker.Address, ShortLeaseSecs);
        var work = await WorkAsync(site, dialect, scratch);

        // A worker that was frozen has lost its lease: it stops the step and reports nothing.
        await work.StartAsync(work.Slow, "lost");
        await work.UntilLeasedAsync(work.Slow, "lost");
        losing.Process.Freeze();
        await using var taking = PageWorker.Start(program, site.Broker.Address, ShortLeaseSecs);
        await work.UntilLeasedAsync(work.Slow, "lost", again: true);
        losing.Process.Thaw();
        await Eventually.TrueAsync(() => losing.Lines.Contains(new(work.Steps[0], "lost", work.Words.Lost)), Patience, "the frozen worker has stopped the step");
        await losing.DrainAsync();

        // The next worker learns of a cancel.
        await work.CancelAsync(work.Slow, "lost");
        await Eventually.TrueAsync(() => taking.Lines.Contains(new(work.Steps[0], "lost", work.Words.Cancelled)), Patience, "the cancelled step is stopped");
        Assert.Equal("cancelled", await work.StatusAsync(work.Slow, "lost"));
        await work.AssertStoppedAsync("lost");

        // A draining worker ends its step and claims no other.
        await work.StartAsync(work.Short, "drained");
        await work.UntilLeasedAsync(work.Short, "drained");
        await work.StartAsync(work.Slow, "left");
        await taking.DrainAsync();
        Assert.Contains(new WorkerLine(work.Steps[0], "drained", work.Words.Done), taking.Lines);
        await work.UntilReadyAsync(work.Slow, "left");
    }

    private async Task<(string Program, Site Site)> OpenAsync(string language, string dialect, TempFolder scratch)
    {
        if (database is Database.Postgres) Effort.RequireLong("The workers see no difference between the databases.");
        return (await PageWorker.BuildAsync(language, dialect, scratch.Path), await Site.OpenAsync(database, cluster.Postgres));
    }

    private static Task<PageWork> WorkAsync(Site site, string dialect, TempFolder scratch) =>
        dialect == "jobs" ? PageWork.OfJobsAsync(site.Http, scratch.Path, Ct) : PageWork.OfStepsAsync(site.Http, Ct);
}

/// <summary>The size of the page's workers.</summary>
public sealed class ProtocolPageTests
{
    [Theory]
    [InlineData("python")]
    [InlineData("typescript")]
    public void The_page_has_a_worker_of_forty_lines_for_each_pull_dialect(string language)
    {
        var programs = PageWorker.Programs(language);
        Assert.Equal(2, programs.Count);
        Assert.All(programs, program => Assert.InRange(program.Split('\n').Count(line => line.Trim().Length > 0), 1, PageWorker.MostLines));
    }
}

public sealed class PostgresProtocolWorkerTests(DurableCluster cluster) : ProtocolWorkerTests(cluster, Database.Postgres);

public sealed class SqliteProtocolWorkerTests(DurableCluster cluster) : ProtocolWorkerTests(cluster, Database.Sqlite);
